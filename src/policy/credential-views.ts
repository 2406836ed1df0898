/** Layers of encoding that are taken off one text. */
const MAX_ROUNDS = 3;

/**
 * A text and what it becomes for whoever decodes it: percent-encoding (also twice), JSON and HTML escapes, invisible
 * characters left out, runs of base64. Each view is at most as long as the text; their number is bounded.
 *
 * ATTACKER-CONTROLLED: `text`.
 */
export function viewsOf(text: string): readonly string[] {
  const views = new Set([text]);
  let current = text;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const decoded = unescapeOnce(current);
    if (decoded === current) break;
    views.add(decoded);
    current = decoded;
  }
  const visible = current.replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '').normalize('NFKC');
  views.add(visible);
  for (const decoded of base64In(visible)) views.add(decoded);
  return [...views];
}

function unescapeOnce(text: string): string {
  if (!/[%\\&]/.test(text)) return text;
  return text
    .replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
    .replaceAll(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi, (_, four: string | undefined, two: string | undefined) =>
      String.fromCharCode(Number.parseInt(four ?? two ?? '', 16)),
    )
    .replaceAll(/\\([nrt/"\\])/g, (_, letter: string) => ESCAPES.get(letter) ?? letter)
    .replaceAll(/&#(x[0-9a-f]{1,6}|[0-9]{1,7});/gi, (_, code: string) => fromCode(code));
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function fromCode(code: string): string {
  const point = /^x/i.test(code) ? Number.parseInt(code.slice(1), 16) : Number(code);
  return point <= 0x10ffff ? String.fromCodePoint(point) : '';
}

/** What runs of base64 hold, where that is text: one view of all of them. */
function base64In(text: string): readonly string[] {
  const found: string[] = [];
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{24,}/g)) {
    const decoded = Buffer.from(run, 'base64').toString('latin1');
    if (/^[\t\n\r\x20-\x7e]+$/.test(decoded)) found.push(decoded);
  }
  return found.length === 0 ? [] : [found.join('\n')];
}
