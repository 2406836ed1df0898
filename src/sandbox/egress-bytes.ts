import type { Socket } from 'node:net';

/** Reads the start of a connection without losing what comes after it. */
export interface StartReader {
  /** What has come so far, as soon as it is at least `count` bytes; the bytes stay. Null: it ended, or the signal came. */
  need(count: number, signal: AbortSignal): Promise<Buffer | null>;
  /** Forgets the first `count` bytes. */
  drop(count: number): void;
  /** Ends the reading: bytes that were not dropped are given back to the paused socket, for its next reader. Idempotent. */
  release(): void;
}

/** Bytes that wait at most while somebody is asked. */
const MAX_WAITING = 65_536;

/**
 * Reads a socket until it is released. While it does, the end of the other side is seen (`onEnd`), which a paused socket
 * would not show.
 */
export function readStart(socket: Socket, onEnd: () => void = () => undefined): StartReader {
  let bytes: Buffer = Buffer.alloc(0);
  let isEnded = socket.destroyed || socket.readableEnded;
  let wake = (): void => undefined;
  const receive = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > MAX_WAITING) socket.pause();
    wake();
  };
  const end = (): void => {
    isEnded = true;
    wake();
    onEnd();
  };
  socket.on('data', receive).on('end', end).on('close', end);
  socket.resume();
  const more = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
    });
  let isReleased = false;
  return {
    async need(count, signal) {
      while (bytes.length < count && !isEnded && !signal.aborted) await more(signal);
      return bytes.length >= count ? bytes : null;
    },
    drop(count) {
      bytes = bytes.subarray(count);
    },
    release() {
      if (isReleased) return;
      isReleased = true;
      socket.off('data', receive).off('end', end).off('close', end);
      socket.pause();
      if (bytes.length === 0) return;
      // Nothing can be given back to a stream that has ended.
      if (socket.readableEnded || socket.destroyed) socket.destroy();
      else socket.unshift(bytes);
    },
  };
}
