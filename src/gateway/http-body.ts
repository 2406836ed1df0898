import type { IncomingMessage } from 'node:http';
import { SallyportError } from '../core/index.ts';

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
