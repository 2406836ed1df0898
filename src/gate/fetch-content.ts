import { type CanonicalUrl, SallyportError } from '../core/index.ts';
import type { FetchOptions, FetchRequest, HopTarget } from './fetch-types.ts';

/** @throws SallyportError CONTENT_TOO_LARGE */
export function bytesOf({ body }: FetchRequest, maxBytes: number): Uint8Array | null {
  if (body === null) return null;
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  if (bytes.length <= maxBytes) return bytes;
  throw new SallyportError('CONTENT_TOO_LARGE', `the body of a request has at most ${maxBytes} bytes`);
}

/**
 * The headers of a hop as they are sent. INVARIANT: secrets are resolved after the last judgement, for the destination of
 * this hop.
 *
 * @throws SallyportError SECRET_UNAVAILABLE
 */
export async function resolveHeaders(
  { headers, url }: HopTarget,
  request: FetchRequest,
  options: FetchOptions,
): Promise<ReadonlyMap<string, string>> {
  const isJson = request.body !== null && typeof request.body !== 'string';
  const resolved = new Map<string, string>(isJson ? [['content-type', 'application/json']] : []);
  for (const [name, value] of headers) {
    resolved.set(
      name,
      typeof value === 'string' ? value : value.prefix + (await release(value.reference, url, options)),
    );
  }
  return resolved;
}

async function release(reference: string, url: CanonicalUrl, options: FetchOptions): Promise<string> {
  if (options.release === undefined) {
    throw new SallyportError('SECRET_UNAVAILABLE', 'the request has a secret reference, and nothing resolves it');
  }
  const value = await options.release(reference, url);
  // A line break in a stored secret would start another header.
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
  throw new SallyportError('SECRET_UNAVAILABLE', 'the secret is not a text that a header can carry');
}
