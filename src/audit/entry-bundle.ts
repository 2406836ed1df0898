import { SallyportError } from '../core/index.ts';

/** Bytes before an entry in a bundle: its length, big-endian (c2sp.org/tlog-tiles). */
export const LENGTH_BYTES = 2;

/** An entry as it stands in a bundle. */
export function encodeBundledEntry(bytes: Uint8Array): Buffer {
  const encoded = Buffer.allocUnsafe(LENGTH_BYTES + bytes.length);
  encoded.writeUInt16BE(bytes.length, 0);
  encoded.set(bytes, LENGTH_BYTES);
  return encoded;
}

/** Where an entry lies in its bundle. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the entries of a bundle lie.
 * @throws SallyportError AUDIT_CORRUPT: not exactly `count` entries
 */
export function entrySpans(bundle: Buffer, count: number): Span[] {
  const spans: Span[] = [];
  let at = 0;
  while (spans.length < count && at + LENGTH_BYTES <= bundle.length) {
    const start = at + LENGTH_BYTES;
    at = start + bundle.readUInt16BE(at);
    spans.push({ start, end: at });
  }
  if (spans.length !== count || at !== bundle.length) {
    throw new SallyportError('AUDIT_CORRUPT', `an entry bundle does not hold ${count} entries`);
  }
  return spans;
}
