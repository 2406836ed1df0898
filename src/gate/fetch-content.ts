import { type CanonicalUrl, SallyportError } from '../core/index.ts';
import type { FetchOptions, FetchRequest, HopSecret, HopTarget } from './fetch-types.ts';

/** @throws SallyportError CONTENT_TOO_LARGE */
export function bytesOf({ body }: FetchRequest, maxBytes: number): Uint8Array | null {
  if (body === null) return null;
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  if (bytes.length <= maxBytes) return bytes;
  throw new SallyportError('CONTENT_TOO_LARGE', `the body of a request has at most ${maxBytes} bytes`);
}

/** What a hop sends besides its body. */
export interface HopHead {
  readonly headers: ReadonlyMap<string, string>;
  /** The query with its question mark, or nothing. */
  readonly query: string;
}

/**
 * Headers and query of a hop as they are sent. INVARIANT: secrets are resolved after the last judgement, for the destination of
 * this hop.
 *
 * @throws SallyportError SECRET_UNAVAILABLE, SECRET_NOT_GRANTED
 */
export async function resolveHead(
  { headers, url, secrets }: HopTarget,
  request: FetchRequest,
  options: FetchOptions,
): Promise<HopHead> {
  const isJson = request.body !== null && typeof request.body !== 'string';
  const resolved = new Map<string, string>(isJson ? [['content-type', 'application/json']] : []);
  for (const [name, value] of headers) {
    resolved.set(
      name,
      typeof value === 'string' ? value : value.prefix + (await release(value.reference, url, options)),
    );
  }
  let { query } = url;
  for (const { place, template } of secrets) {
    const value = await render(template, url, options);
    if (place.kind === 'query') query = withParameter(query, place.name, value);
    else if (place.kind === 'header') resolved.set(place.name, value);
    else resolved.set('authorization', `Basic ${Buffer.from(value).toString('base64')}`);
  }
  return { headers: resolved, query };
}

async function render({ parts }: HopSecret['template'], url: CanonicalUrl, options: FetchOptions): Promise<string> {
  let text = '';
  for (const part of parts) {
    text += part.kind === 'literal' ? part.text : await release(part.reference.text, url, options);
  }
  return text;
}

/** The query with this parameter and no other of its name. ATTACKER-CONTROLLED: `query`. */
function withParameter(query: string, name: string, value: string): string {
  const others = query
    .replace(/^\?/, '')
    .split('&')
    .filter((pair) => pair !== '' && nameOf(pair) !== name);
  return `?${[...others, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join('&')}`;
}

function nameOf(pair: string): string {
  const [name = ''] = pair.split('=');
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name; // it names nothing else either
  }
}

async function release(reference: string, url: CanonicalUrl, options: FetchOptions): Promise<string> {
  if (options.release === undefined) {
    throw new SallyportError('SECRET_UNAVAILABLE', 'the request has a secret reference, and nothing resolves it');
  }
  const value = await options.release(reference, url);
  // A line break in a stored secret would start another header.
  if (value !== '' && /^[\t\x20-\x7e]*$/.test(value)) return value;
  throw new SallyportError('SECRET_UNAVAILABLE', 'the secret is not a text that a request can carry');
}
