import { type CanonicalUrl, isJsonObject, type JsonValue, quoteForMessage } from '../core/index.ts';
import { readMethod } from './endpoint-entry.ts';
import { deny, type Finding } from './finding.ts';

/** Parameters of a query, form or JSON body by which servers let a request name another method (Rails, Laravel, Symfony). */
const PARAMETERS: ReadonlySet<string> = new Set([
  '-method',
  '-http-method',
  '-httpmethod',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
]);

const isOverride = (name: string): boolean => PARAMETERS.has(name.toLowerCase().replaceAll('_', '-').trim());

/** Every method that a request names: its own first, then those that headers, query and body ask for instead. */
export function methodsOf(
  method: string,
  { overrides, url, body }: { overrides: readonly string[]; url: CanonicalUrl; body: JsonValue },
): readonly string[] | Finding {
  const found: string[] = [];
  for (const text of [method, ...overrides, ...inParameters(url.query), ...inBody(body)]) {
    // The method itself stands as it is; what a server reads out of a header or parameter is trimmed by it.
    const read = readMethod(found.length === 0 ? text : text.trim());
    if (read === null) return deny('ENDPOINT_METHOD', `${quoteForMessage(text, 40)} is not a method that can be used`);
    found.push(read);
  }
  return found;
}

function inParameters(text: string): string[] {
  // All the names have "method" in them, in letters or encoded.
  if (!/method|%/i.test(text)) return [];
  return [...new URLSearchParams(text)].filter(([name]) => isOverride(name)).map(([, value]) => value);
}

function inBody(body: JsonValue): string[] {
  if (isJsonObject(body)) return inObject(body);
  if (typeof body !== 'string' || body === '') return [];
  // In a multipart body the value stands lines below its name: that such a part exists is enough.
  const inParts = /name="?[_x][a-z_-]{0,20}method/i.test(body) ? [''] : [];
  return [...inParts, ...inJson(body), ...inParameters(body.trimStart())];
}

const inObject = (body: object): string[] =>
  Object.entries(body)
    .filter(([name]) => isOverride(name))
    .map(([, value]) => (typeof value === 'string' ? value : ''));

function inJson(text: string): string[] {
  if (!/^\s*\{/.test(text)) return [];
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? inObject(value) : [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}
