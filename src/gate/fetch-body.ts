import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { quoteForMessage, SallyportError } from '../core/index.ts';

/** What is asked for; a server may not send anything else, see `decoderFor`. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

export interface BodyLimits {
  readonly wireBytes: number;
  readonly bodyBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Reads a body and decompresses it, one layer at most. Memory stays within the limits whatever the compression ratio:
 * output is counted as it appears, and decompression ends with the first byte too many.
 *
 * @throws SallyportError RESULT_TOO_LARGE, RESULT_MALFORMED (encoding), ENDPOINT_UNREACHABLE (the body broke off)
 */
export async function readBody(response: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> {
  const decoder = decoderFor(response.headers['content-encoding'] ?? '');
  const wire = await readWire(response, limits);
  // An answer without content (HEAD, 204, 304) may still name an encoding.
  if (decoder === null || wire.length === 0) return bounded(wire, limits.bodyBytes);
  const chunks: Buffer[] = [];
  try {
    decoder.end(wire);
    for await (const chunk of within(decoder, limits.bodyBytes)) {
      limits.signal.throwIfAborted();
      chunks.push(chunk);
    }
  } catch (cause) {
    limits.signal.throwIfAborted();
    if (cause instanceof SallyportError) throw cause;
    throw new SallyportError('RESULT_MALFORMED', 'the body is not compressed as its Content-Encoding says', { cause });
  }
  return Buffer.concat(chunks);
}

async function readWire(response: IncomingMessage, { wireBytes, signal }: BodyLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const stop = (): unknown => response.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of within(response, wireBytes)) chunks.push(chunk);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof SallyportError) throw cause;
    throw new SallyportError('ENDPOINT_UNREACHABLE', 'the body of the answer broke off', { cause });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (!response.complete) throw new SallyportError('ENDPOINT_UNREACHABLE', 'the body of the answer broke off');
  return Buffer.concat(chunks);
}

function bounded(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length <= maxBytes) return bytes;
  throw tooLarge(maxBytes);
}

const tooLarge = (maxBytes: number): SallyportError =>
  new SallyportError('RESULT_TOO_LARGE', `the body of the answer has more than ${maxBytes} bytes`);

async function* within(source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

function decoderFor(encoding: string): Transform | null {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default: {
      const quoted = quoteForMessage(encoding, 40);
      throw new SallyportError(
        'RESULT_MALFORMED',
        `the answer has the Content-Encoding ${quoted}, which nobody asked for`,
      );
    }
  }
}
