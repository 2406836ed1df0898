import { quoteForMessage, SallyportError } from '../core/index.ts';

/** A place in the text of a condition; both count from 1, the column in code points. */
export interface ConditionPlace {
  readonly line: number;
  readonly column: number;
}

export interface ConditionToken extends ConditionPlace {
  readonly kind: 'name' | 'string' | 'number' | 'symbol' | 'end';
  /** The name, symbol or content of the string as it stands for itself. */
  readonly text: string;
  /** As written. */
  readonly written: string;
}

/** Longest condition, in UTF-16 units. */
const MAX_CONDITION_LENGTH = 4_096;

/** @throws SallyportError POLICY_INVALID with `line` and `column` in its detail */
export function failAt({ line, column }: ConditionPlace, message: string): never {
  throw new SallyportError(
    'POLICY_INVALID',
    `the condition cannot be used (line ${line}, column ${column}): ${message}`,
    {
      detail: { line, column },
    },
  );
}

const PIECES =
  /(?<space>[ \t\r\n]+)|(?<name>[A-Za-z_][A-Za-z0-9_-]*)|(?<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?<string>"(?:[^"\\\p{Cc}]|\\.)*"|'[^'\p{Cc}]*')|(?<symbol>==|!=|<=|>=|[<>()[\],.])/uy;

/**
 * The tokens of a condition, the last of kind `end`. Strings: `'plain'`, or `"with JSON escapes"`.
 *
 * @throws SallyportError POLICY_INVALID
 */
export function readConditionTokens(source: string): readonly ConditionToken[] {
  if (source.length > MAX_CONDITION_LENGTH)
    failAt({ line: 1, column: 1 }, `it has more than ${MAX_CONDITION_LENGTH} characters`);
  const tokens: ConditionToken[] = [];
  const pieces = new RegExp(PIECES);
  let place: ConditionPlace = { line: 1, column: 1 };
  while (pieces.lastIndex < source.length) {
    const start = pieces.lastIndex;
    const groups = pieces.exec(source)?.groups;
    if (groups === undefined) {
      const character = String.fromCodePoint(source.codePointAt(start) ?? 0);
      return failAt(place, `${quoteForMessage(character)} starts nothing that is known`);
    }
    const written = source.slice(start, pieces.lastIndex);
    if (groups['space'] === undefined) tokens.push({ ...place, written, ...classify(groups, written, place) });
    place = advance(place, written);
  }
  return [...tokens, { ...place, kind: 'end', text: '', written: '' }];
}

type Groups = Readonly<Record<string, string | undefined>>;

function classify(groups: Groups, written: string, place: ConditionPlace): Pick<ConditionToken, 'kind' | 'text'> {
  if (groups['name'] !== undefined) return { kind: 'name', text: written };
  if (groups['number'] !== undefined) return { kind: 'number', text: written };
  if (groups['symbol'] !== undefined) return { kind: 'symbol', text: written };
  return { kind: 'string', text: readString(written, place) };
}

function readString(written: string, place: ConditionPlace): string {
  if (written.startsWith("'")) return written.slice(1, -1);
  try {
    const text: unknown = JSON.parse(written);
    if (typeof text === 'string' && text.isWellFormed()) return text;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return failAt(place, 'the escapes in this string are not those of JSON');
}

function advance({ line, column }: ConditionPlace, text: string): ConditionPlace {
  const lines = text.split('\n');
  const last = [...(lines.at(-1) ?? '')].length;
  return lines.length === 1 ? { line, column: column + last } : { line: line + lines.length - 1, column: last + 1 };
}
