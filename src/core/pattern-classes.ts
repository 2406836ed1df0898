/** White space of ECMA-262 (`\s`), which RE2 knows only in part; as the inside of a class, and its complement. */
export const SPACES: { readonly inside: string; readonly outside: string } = Object.freeze({
  inside:
    '\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}',
  outside:
    '\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}' +
    '\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}',
});

/** General categories of Unicode: the long name of each short one (PropertyValueAliases, `gc`). */
const CATEGORIES: Readonly<Record<string, string>> = {
  L: 'Letter',
  Lu: 'Uppercase_Letter',
  Ll: 'Lowercase_Letter',
  Lt: 'Titlecase_Letter',
  Lm: 'Modifier_Letter',
  Lo: 'Other_Letter',
  M: 'Mark',
  Mn: 'Nonspacing_Mark',
  Mc: 'Spacing_Mark',
  Me: 'Enclosing_Mark',
  N: 'Number',
  Nd: 'Decimal_Number',
  Nl: 'Letter_Number',
  No: 'Other_Number',
  P: 'Punctuation',
  Pc: 'Connector_Punctuation',
  Pd: 'Dash_Punctuation',
  Ps: 'Open_Punctuation',
  Pe: 'Close_Punctuation',
  Pi: 'Initial_Punctuation',
  Pf: 'Final_Punctuation',
  Po: 'Other_Punctuation',
  S: 'Symbol',
  Sm: 'Math_Symbol',
  Sc: 'Currency_Symbol',
  Sk: 'Modifier_Symbol',
  So: 'Other_Symbol',
  Z: 'Separator',
  Zs: 'Space_Separator',
  Zl: 'Line_Separator',
  Zp: 'Paragraph_Separator',
  Cc: 'Control',
  Cf: 'Format',
  Co: 'Private_Use',
};

const CATEGORY_OF_NAME: ReadonlyMap<string, string> = new Map([
  ...Object.keys(CATEGORIES).map((short) => [short, short] as const),
  ...Object.entries(CATEGORIES).map(([short, long]) => [long, short] as const),
  ['digit', 'Nd'],
  ['punct', 'P'],
  ['cntrl', 'Cc'],
  ['Combining_Mark', 'M'],
]);

/**
 * The inside of an RE2 class for the name in `\p{NAME}`, or null when RE2 has no equivalent. Scripts are passed on by
 * name; one that the engine does not know is refused when it compiles.
 */
export function readProperty(name: string, negated: boolean): string | null {
  const letter = negated ? 'P' : 'p';
  if (name === 'Any') return negated ? null : '\\x{0}-\\x{10ffff}';
  if (name === 'ASCII') return negated ? '\\x{80}-\\x{10ffff}' : '\\x{0}-\\x{7f}';
  const [key, value] = name.split('=');
  if (value === undefined || key === 'General_Category' || key === 'gc') {
    const category = CATEGORY_OF_NAME.get(value ?? name);
    return category === undefined ? null : `\\${letter}{${category}}`;
  }
  return (key === 'Script' || key === 'sc') && /^[A-Z][A-Za-z_]{2,40}$/.test(value) ? `\\${letter}{${value}}` : null;
}
