/** How a reading came out of the original: as it stands, or out of an encoding. */
export type Origin = 'text' | 'base64' | 'hex' | 'tags' | 'selectors' | 'leet' | 'spaced' | 'rot13';

/**
 * One way to read a text: decoded, with the way back to the original. `offsets[i]` is where the original of `text[i]` begins
 * (one more entry for the end); null says that both are the same.
 */
export interface Reading {
  readonly text: string;
  readonly offsets: Uint32Array | null;
  /** The part of the original that holds all of it, where single characters cannot be traced (a blob). */
  readonly within: Span | null;
  readonly origin: Origin;
  /** Encodings that were opened to get here. */
  readonly depth: number;
}

/** A part of the original: UTF-16 offsets, the end excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The part of the original that `start` to `end` of a reading came from; of a blob always the whole blob. */
export function originalSpan({ offsets, within }: Reading, start: number, end: number): Span {
  if (within !== null) return within;
  if (offsets === null) return { start, end };
  return { start: offsets[start] ?? 0, end: offsets[end] ?? 0 };
}

/** Collects code units with the original offset of each; memory grows by doubling. */
export interface ReadingWriter {
  put(code: number, at: number): void;
  finish(end: number): { text: string; offsets: Uint32Array };
}

/** A writer with room for `capacity` code units at first. */
export function readingWriter(capacity: number): ReadingWriter {
  let codes = new Uint16Array(capacity + 1);
  let offsets = new Uint32Array(capacity + 2);
  let length = 0;
  const grow = (): void => {
    const [moreCodes, moreOffsets] = [new Uint16Array(codes.length * 2), new Uint32Array(codes.length * 2 + 1)];
    moreCodes.set(codes);
    moreOffsets.set(offsets);
    [codes, offsets] = [moreCodes, moreOffsets];
  };
  return {
    put: (code, at) => {
      if (length + 1 >= codes.length) grow();
      codes[length] = code;
      offsets[length] = at;
      length += 1;
    },
    finish: (end) => {
      offsets[length] = end;
      const text = Buffer.from(codes.buffer, 0, length * 2).toString('utf16le');
      return { text, offsets: offsets.subarray(0, length + 1) };
    },
  };
}
