import { base64Forms } from './base64-forms.ts';
import type { RedactionLimits } from './limits.ts';
import { squash } from './squash.ts';

/** How a value was written where it was found. */
export type Encoding =
  | 'raw'
  | 'line'
  | 'joined'
  | 'base64'
  | 'base64url'
  | 'hex'
  | 'percent'
  | 'json'
  | 'html'
  | 'utf16'
  | 'reversed'
  | 'nested';

/** One way to write a value: what is searched for, exactly. */
export interface Needle {
  readonly text: string;
  readonly encoding: Encoding;
}

/**
 * Every text that gives a value away, without duplicates: the first encoding that writes it so has it. A byte string is
 * searched as text whose characters are its bytes, so that one search serves text and bytes.
 *
 * INVARIANT: what is shorter than `needleLength` is left out, so a short needle can never make redaction fire on ordinary
 * text; the caller has refused values that are short themselves.
 */
export function needlesOf(value: Uint8Array, limits: RedactionLimits): Needle[] {
  const found = new Map<string, Encoding>();
  const keep = (encoding: Encoding, forms: readonly string[]) => {
    for (const form of forms) if (form.length >= limits.needleLength && !found.has(form)) found.set(form, encoding);
  };
  const bytes = Buffer.from(trimmed(value));
  const text = decoded(bytes);
  keep('raw', [text ?? '', latin1(bytes)]);
  for (const [encoding, forms] of byteForms(bytes, limits)) keep(encoding, forms);
  if (text !== undefined) for (const [encoding, forms] of textForms(text, limits)) keep(encoding, forms);
  for (const line of linesOf(text ?? '', limits)) {
    keep('line', [line]);
    for (const [encoding, forms] of narrowForms(line)) keep(encoding, forms);
  }
  return [...found].map(([form, encoding]) => ({ text: form, encoding }));
}

type Forms = readonly (readonly [Encoding, readonly string[]])[];

function byteForms(bytes: Buffer, limits: RedactionLimits): Forms {
  const hex = bytes.toString('hex');
  const pairs = bytes.length > limits.wideLength ? undefined : hex.replace(/../g, '%$&');
  return [
    ...base64Forms(bytes),
    ['hex', [hex, hex.toUpperCase()]],
    ['percent', pairs === undefined ? [] : [pairs, pairs.toUpperCase()]],
    ['reversed', [latin1(Buffer.from(bytes).reverse())]],
  ];
}

function textForms(text: string, limits: RedactionLimits): Forms {
  return [
    ...narrowForms(text),
    ['joined', [squash(text)?.text ?? text]],
    ['reversed', [[...text].reverse().join('')]],
    ...(text.length > limits.wideLength ? [] : wideForms(text)),
  ];
}

/** What writes most characters as they are. */
function narrowForms(text: string): Forms {
  const json = jsonForms(text);
  return [
    ['json', [...json, ...json.flatMap(jsonForms)]],
    ['percent', percentForms(text)],
    ['html', htmlForms(text)],
  ];
}

/** What writes every character out. */
function wideForms(text: string): Forms {
  const little = Buffer.from(text, 'utf16le');
  const escaped = units(text, (unit) => `\\u${unit.toString(16).padStart(4, '0')}`);
  const points = (write: (point: number) => string) =>
    Array.from(text, (character) => write(character.codePointAt(0) ?? 0)).join('');
  return [
    ['json', [escaped, escaped.replace(/[0-9a-f]{4}/g, (digits) => digits.toUpperCase())]],
    [
      'html',
      [
        points((point) => `&#${point};`),
        points((point) => `&#x${point.toString(16)};`),
        points((point) => `&#x${point.toString(16).toUpperCase()};`),
      ],
    ],
    ['utf16', [latin1(little), latin1(Buffer.from(little).swap16())]],
  ];
}

function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const ascii = units(plain, (unit, as) => (unit < 128 ? as : `\\u${unit.toString(16).padStart(4, '0')}`));
  return [
    plain,
    plain.replaceAll('/', '\\/'),
    ascii,
    ascii.replaceAll('/', '\\/'),
    ascii.replace(/\\u[0-9a-f]{4}/g, (pair) => `\\u${pair.slice(2).toUpperCase()}`),
    // What Go and many web frameworks write, so that JSON can stand inside HTML.
    plain.replace(/[<>&']/g, (as) => `\\u00${as.charCodeAt(0).toString(16)}`),
    plain.replace(/[<>&]/g, (as) => `\\u00${as.charCodeAt(0).toString(16)}`),
    plain.replace(/[<>&]/g, (as) => `\\u00${as.charCodeAt(0).toString(16).toUpperCase()}`),
  ];
}

function percentForms(text: string): string[] {
  const component = encodeURIComponent(text);
  const strict = component.replace(/[!'()*]/g, (as) => `%${as.charCodeAt(0).toString(16).toUpperCase()}`);
  const upper = [
    component,
    strict,
    encodeURI(text),
    strict.replaceAll('%20', '+').replaceAll('%2A', '*').replaceAll('~', '%7E'),
  ];
  return [...upper, ...upper.map((form) => form.replace(/%../g, (pair) => pair.toLowerCase()))];
}

const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['&', ['&amp;', '&#38;', '&#x26;']],
  ['<', ['&lt;', '&#60;', '&#x3c;']],
  ['>', ['&gt;', '&#62;', '&#x3e;']],
  ['"', ['&quot;', '&#34;', '&#x22;']],
  ["'", ['&#39;', '&#39;', '&#x27;']],
]);

function htmlForms(text: string): string[] {
  const one = (at: number, what: RegExp) => text.replace(what, (as) => NAMED.get(as)?.[at] ?? as);
  return [
    one(0, /[&<>]/g),
    one(0, /[&<>"]/g),
    one(0, /[&<>"']/g),
    one(0, /[&<>"']/g).replaceAll('&#39;', '&apos;'),
    one(0, /[&<>"']/g).replaceAll('&#39;', '&#x27;'),
    one(0, /[&<>"']/g).replaceAll('&#39;', '&#039;'),
    one(0, /[&<>"']/g).replaceAll('&quot;', '&#34;'),
    one(1, /[&<>"']/g),
    one(2, /[&<>"']/g),
    one(2, /[&<>"']/g).replace(/&#x..;/g, (entity) => `&#x${entity.slice(3).toUpperCase()}`),
  ];
}

/** Lines that would give a key away by themselves: not the frame of a PEM block, which is no secret. */
const linesOf = (text: string, limits: RedactionLimits): string[] => {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return lines.length < 2
    ? []
    : lines.filter((line) => line.length >= limits.lineLength && !/^-{5}(?:BEGIN|END) /.test(line));
};

/** A value without the white space around it, which the end of a file leaves. */
function trimmed(value: Uint8Array): Uint8Array {
  const isSpace = (byte: number | undefined) => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
  let from = 0;
  let to = value.length;
  while (from < to && isSpace(value[from])) from++;
  while (to > from && isSpace(value[to - 1])) to--;
  return value.subarray(from, to);
}

function units(text: string, write: (unit: number, as: string) => string): string {
  let out = '';
  for (let at = 0; at < text.length; at++) out += write(text.charCodeAt(at), text.charAt(at));
  return out;
}

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

/** Bytes as UTF-8 text, or undefined where they are none. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
