import { PassThrough, type Readable, Transform } from 'node:stream';

/** Counts the bytes of standard output and error together; beyond the limit nothing more gets through. */
export interface OutputMeter {
  /** What a consumer reads in place of the pipe: it takes from the pipe only as fast as it is read. */
  through(pipe: Readable): Readable;
}

/** `most`: bytes, 0 for any number. `onOver` is called once. */
export function openOutputMeter(most: number, onOver: () => void): OutputMeter {
  let bytes = 0;
  const through = (pipe: Readable): Readable => {
    const meter =
      most === 0
        ? new PassThrough()
        : new Transform({
            transform(chunk: Uint8Array, _encoding, done): void {
              const left = Math.max(0, most - bytes);
              const isOver = chunk.length > left && bytes <= most;
              bytes += chunk.length;
              if (isOver) onOver();
              done(null, chunk.subarray(0, left));
            },
          });
    pipe.on('error', () => meter.end());
    // A pipe that is destroyed never says that it ended.
    pipe.on('close', () => meter.end());
    return pipe.pipe(meter);
  };
  return { through };
}

const LAST_WORDS_MS = 200;

/**
 * Ends a pipe whose writers should be gone, but may not be: whoever left a process group can hold it open for ever. It stays
 * open as long as somebody reads what is still in it.
 */
export function endPipe(pipe: Readable): void {
  let isQuiet = false;
  pipe.on('data', () => {
    isQuiet = false;
  });
  // INVARIANT: a listener for data must not make a paused pipe flow: the meter's reader decides.
  const timer = setInterval(() => {
    if (isQuiet && pipe.isPaused() === false && pipe.readableLength === 0) pipe.destroy();
    isQuiet = true;
  }, LAST_WORDS_MS);
  timer.unref();
  pipe.once('close', () => clearInterval(timer));
}
