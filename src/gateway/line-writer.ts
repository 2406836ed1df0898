import type { Writable } from 'node:stream';
import { SallyportError } from '../core/index.ts';

/**
 * Writes one message as one line. Resolves when the stream can take more: a peer that does not read slows its writer down,
 * and beyond `maxWaiting` bytes nothing more is queued for it.
 *
 * @throws SallyportError SERVER_UNAVAILABLE when the peer does not read, or is gone
 */
export function writeLine(output: Writable, message: unknown, maxWaiting: number): Promise<void> {
  if (!output.writable) return Promise.reject(new SallyportError('SERVER_UNAVAILABLE', 'the other side is gone'));
  if (output.writableLength > maxWaiting) {
    return Promise.reject(new SallyportError('SERVER_UNAVAILABLE', 'the other side does not read'));
  }
  if (output.write(`${JSON.stringify(message)}\n`)) return Promise.resolve();
  return drained(output);
}

const draining = new WeakMap<Writable, Promise<void>>();

/** One promise, and one pair of listeners, for all who wait for the same stream. */
function drained(output: Writable): Promise<void> {
  const known = draining.get(output);
  if (known !== undefined) return known;
  const waiting = new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      output.off('drain', settle);
      output.off('close', settle);
      draining.delete(output);
      if (output.writable) resolve();
      else reject(new SallyportError('SERVER_UNAVAILABLE', 'the other side is gone'));
    };
    output.once('drain', settle);
    output.once('close', settle);
  });
  draining.set(output, waiting);
  return waiting;
}
