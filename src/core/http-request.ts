import type { IncomingMessage } from 'node:http';
import { SallyportError } from './errors.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a request body of at most `maxBytes` as UTF-8. It stops at the first byte too many, whatever Content-Length says;
 * a body that comes too slowly is cut off by the server's own request timeout.
 *
 * @throws SallyportError INPUT_TOO_LARGE, INPUT_NOT_JSON (not UTF-8, or cut off)
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
    return UTF8.decode(Buffer.concat(chunks));
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    throw new SallyportError('INPUT_NOT_JSON', 'the body is not UTF-8, or it broke off', { cause });
  }
}

const tooLarge = (maxBytes: number): SallyportError =>
  new SallyportError('INPUT_TOO_LARGE', `expected a body of at most ${maxBytes} bytes`);

/** True for `application/json`, at most with `charset=utf-8`, and no content coding. */
export function isPlainJson(request: IncomingMessage): boolean {
  const type = singleHeader(request, 'content-type') ?? '';
  const coding = request.headersDistinct['content-encoding'];
  return /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(type) && coding === undefined;
}

/** The value of a header that stands there exactly once. */
export function singleHeader(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name];
  return values?.length === 1 ? values[0] : undefined;
}

/** True for an address that only this machine reaches. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
