import { constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** A stretch of text that looks like encoded bytes, and what it decodes to: one text of bytes for each way to read it. */
export interface Blob {
  readonly kind: 'base64' | 'hex' | 'pairs' | 'codes';
  readonly start: number;
  readonly end: number;
  readonly decode: () => string[];
}

/** Shortest stretch that is tried: a value of 8 characters takes 11 in base64 and 16 in hexadecimal. */
const BASE64_LENGTH = 11;
const HEX_LENGTH = 16;
const SEPARATED_LENGTH = 23;
/** A line of base64 that is this long may go on in the next one. */
const WRAPPED_LENGTH = 48;
const HEX = /[0-9A-Fa-f]{16,}/g;
const PAIRS =
  /(?:0[xX]|\\{1,8}x|%)?[0-9A-Fa-f]{2}(?:(?:0[xX]|\\{1,8}x|[%:,\- =]){1,3}[0-9A-Fa-f]{2}(?![0-9A-Za-z])){7,}/g;
const CODES = /[0-9]{2,3}(?:[,; ]{1,3}[0-9]{2,3}){7,}/g;

/** Every stretch of a text that could be base64, hexadecimal (with or without separators) or a list of character codes. */
export function* findBlobs(text: string): Generator<Blob> {
  for (const { start, end } of base64Runs(text))
    yield { kind: 'base64', start, end, decode: () => alignments(text.slice(start, end).replace(/\s+/g, '')) };
  if (text.length < HEX_LENGTH) return;
  for (const match of text.matchAll(HEX))
    yield { kind: 'hex', ...placeOf(match), decode: () => [match[0], match[0].slice(1)].map(ofHex) };
  if (text.length < SEPARATED_LENGTH) return;
  for (const match of text.matchAll(PAIRS))
    yield { kind: 'pairs', ...placeOf(match), decode: () => [ofHex(pairsOf(match[0]))] };
  for (const match of text.matchAll(CODES))
    yield {
      kind: 'codes',
      ...placeOf(match),
      decode: () => [String.fromCharCode(...(match[0].match(/[0-9]+/g) ?? []).map(Number))],
    };
}

const placeOf = (match: RegExpMatchArray) => ({
  start: match.index ?? 0,
  end: (match.index ?? 0) + match[0].length,
});

const ofHex = (digits: string): string => Buffer.from(digits, 'hex').toString('latin1');

const pairsOf = (text: string): string => text.replace(/0[xX](?=[0-9A-Fa-f]{2})|[^0-9A-Fa-f]/g, '');

/** Base64 may begin with any character of a run, as what stands before it can be of the same alphabet. */
const alignments = (run: string): string[] =>
  [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), 'base64').toString('latin1'));

function* base64Runs(text: string): Generator<{ start: number; end: number }> {
  let start = -1;
  let line = 0;
  for (let at = 0; at <= text.length; at++) {
    if (isBase64(text.charCodeAt(at))) {
      if (start < 0) start = at;
      line++;
      continue;
    }
    if (start < 0) continue;
    const next = line >= WRAPPED_LENGTH ? behindBreak(text, at) : undefined;
    line = 0;
    if (next !== undefined) at = next - 1;
    else {
      if (at - start >= BASE64_LENGTH) yield { start, end: at };
      start = -1;
    }
  }
}

/** Where the text goes on behind one line break, if base64 could. */
function behindBreak(text: string, at: number): number | undefined {
  let next = at;
  if (text[next] === '\r') next++;
  if (text[next] !== '\n') return undefined;
  next++;
  while (next < at + 16 && text[next] === ' ') next++;
  return isBase64(text.charCodeAt(next)) ? next : undefined;
}

const isBase64 = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) ||
  (unit >= 0x41 && unit <= 0x5a) ||
  (unit >= 0x30 && unit <= 0x39) ||
  unit === 0x2b ||
  unit === 0x2f ||
  unit === 0x2d ||
  unit === 0x5f;

/** What compressed bytes hold (gzip, zlib), also if their end is missing; undefined if they are none, null if it is too much. */
export function inflated(bytes: string, maxOutputLength: number): string | null | undefined {
  const first = bytes.charCodeAt(0);
  const isGzip = first === 0x1f && bytes.charCodeAt(1) === 0x8b;
  const isZlib = first === 0x78 && ((first << 8) | bytes.charCodeAt(1)) % 31 === 0;
  if (!isGzip && !isZlib) return undefined;
  const options = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
  const input = Buffer.from(bytes, 'latin1');
  try {
    return (isGzip ? gunzipSync(input, options) : inflateSync(input, options)).toString('latin1');
  } catch (error) {
    if (isTooMuch(error)) return null;
  }
  try {
    return inflateRawSync(input.subarray(isGzip ? 10 : 2), options).toString('latin1');
  } catch (error) {
    return isTooMuch(error) ? null : undefined;
  }
}

const isTooMuch = (error: unknown): boolean =>
  error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
