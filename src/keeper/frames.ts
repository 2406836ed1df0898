import { type JsonValue, parseStrictJson, SallyportError } from '../core/index.ts';

/** Bytes of a frame at most: a payload of the log (32 MiB) and what stands around it. */
export const MAX_FRAME = 35_651_584;
/** Bytes of a frame before the peer has proven who it is. */
export const MAX_HANDSHAKE_FRAME = 4_096;
/** Bytes of any frame but an outcome: arguments (1 MiB) and what stands around them. */
export const MAX_QUESTION = 4_194_304;
/** Commas and opening brackets in a frame that is longer than that: each may become an object many times as large. */
const MAX_MARKS = 4_194_304;
/** Containers inside each other: arguments (64) inside a draft inside a request. */
export const MAX_DEPTH = 72;
const HEADER = 4;
/** Bytes of a long frame by which it is judged. */
const HEAD = 64;

/** A value as it crosses the socket: the length of the text (4 bytes, big-endian), then JSON. */
export function encodeFrame(value: unknown): Buffer {
  const text = JSON.stringify(value);
  const frame = Buffer.allocUnsafe(HEADER + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - HEADER);
  frame.write(text, HEADER);
  return frame;
}

/** Puts chunks together into frames. ATTACKER-CONTROLLED: everything that is pushed. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #taken = 0;
  #skipped = 0;
  #isJudged = false;
  /** Bytes of a frame at most. */
  limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes of frames that are not whole yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the frame that was taken last. */
  get taken(): number {
    return this.#taken;
  }

  push(chunk: Buffer): void {
    const rest = chunk.subarray(Math.min(this.#skipped, chunk.length));
    this.#skipped -= chunk.length - rest.length;
    if (rest.length === 0) return;
    this.#chunks.push(rest);
    this.#bytes += rest.length;
  }

  /**
   * How a frame begins that is longer than `MAX_QUESTION`, once, before its rest is waited for; null if there is none. What it
   * says is judged then: to read all of it takes long.
   */
  longHead(): string | null {
    if (this.#isJudged || this.#bytes < HEADER + HEAD) return null;
    const head = this.#peek(HEADER + HEAD);
    const length = head.readUInt32BE();
    if (length <= MAX_QUESTION || length > this.limit) return null;
    this.#isJudged = true;
    return head.toString('latin1', HEADER, HEADER + HEAD);
  }

  /** Throws away the frame whose head was judged, as it comes. */
  skip(): void {
    this.#isJudged = false;
    this.#skipped = HEADER + this.#peek(HEADER).readUInt32BE();
    const waiting = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    for (const chunk of waiting) this.push(chunk);
  }

  /**
   * The next whole frame, or undefined. INVARIANT: the length is judged before its bytes are waited for.
   * @throws SallyportError INPUT_TOO_LARGE, and the INPUT_ codes of parseStrictJson
   */
  next(): JsonValue | undefined {
    if (this.#bytes < HEADER) return undefined;
    const length = this.#peek(HEADER).readUInt32BE();
    if (length > this.limit) throw new SallyportError('INPUT_TOO_LARGE', `a frame has at most ${this.limit} bytes`);
    if (this.#bytes < HEADER + length) return undefined;
    const whole = this.#peek(HEADER + length);
    const rest = whole.subarray(HEADER + length);
    this.#chunks = rest.length > 0 ? [rest, ...this.#chunks.slice(1)] : this.#chunks.slice(1);
    this.#bytes -= HEADER + length;
    this.#taken = length;
    this.#isJudged = false;
    const bytes = whole.subarray(HEADER, HEADER + length);
    if (length > MAX_QUESTION && hasTooManyMarks(bytes)) {
      throw new SallyportError('INPUT_TOO_LARGE', `a frame has at most ${MAX_MARKS} values`);
    }
    const text = bytes.toString('utf8');
    if (Buffer.byteLength(text) !== length) throw new SallyportError('INPUT_NOT_JSON', 'a frame is not UTF-8');
    return parseStrictJson(text, { maxBytes: MAX_FRAME, maxDepth: MAX_DEPTH });
  }

  /** The first chunk, grown until it has this many bytes. */
  #peek(count: number): Buffer {
    let first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length >= count) return first;
    let taken = 0;
    let bytes = 0;
    while (bytes < count) bytes += this.#chunks[taken++]?.length ?? count;
    first = Buffer.concat(this.#chunks.slice(0, taken));
    this.#chunks = [first, ...this.#chunks.slice(taken)];
    return first;
  }
}

function hasTooManyMarks(bytes: Buffer): boolean {
  let marks = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x2c || byte === 0x5b || byte === 0x7b) marks += 1;
  }
  return marks > MAX_MARKS;
}
