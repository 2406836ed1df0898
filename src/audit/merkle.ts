import * as crypto from 'node:crypto';

/** Bytes of a SHA-256 digest. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/**
 * SHA-256 as 32 characters of Latin-1: in Node the cheapest form to make, and one call writes it into a buffer. Stays
 * inside this room.
 */
export type BinaryDigest = string;

const digest = (data: Uint8Array): BinaryDigest => crypto.hash('sha256', data, 'binary');

const toBuffer = (value: BinaryDigest): Buffer => Buffer.from(value, 'latin1');

/** The root of a tree without leaves (RFC 6962 section 2.1): SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = toBuffer(digest(new Uint8Array()));

/** The hash of an entry as a leaf: SHA-256(0x00 || entry) (RFC 6962 section 2.1). */
export function leafHash(entry: Uint8Array): Buffer {
  return toBuffer(digest(Buffer.concat([Uint8Array.of(LEAF_PREFIX), entry])));
}

/**
 * {@link leafHash} of `buffer[start, end)` without a copy: the byte before the entry serves as the prefix while the hash
 * is made. In a bundle that byte is the end of the entry's length, so there always is one.
 * INVARIANT: the buffer is unchanged when this returns.
 */
export function leafHashInPlace(buffer: Uint8Array, start: number, end: number): BinaryDigest {
  const borrowed = buffer[start - 1];
  if (borrowed === undefined) return digest(Buffer.concat([Uint8Array.of(LEAF_PREFIX), buffer.subarray(start, end)]));
  buffer[start - 1] = LEAF_PREFIX;
  const hash = digest(buffer.subarray(start - 1, end));
  buffer[start - 1] = borrowed;
  return hash;
}

/** The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return toBuffer(digest(Buffer.concat([Uint8Array.of(NODE_PREFIX), left, right])));
}

/**
 * The root over `count` neighbouring hashes that lie one after the other in `hashes`; `count` is at least 1. Pairs are
 * joined level by level and an odd last one moves up unchanged, which gives the tree of RFC 6962 section 2.1.
 */
export function rootOfHashes(hashes: Uint8Array, count: number): Buffer {
  const work = Buffer.from(hashes.subarray(0, count * HASH_BYTES));
  const node = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);
  for (let width = count; width > 1; width = Math.ceil(width / 2)) {
    for (let at = 0; at + 1 < width; at += 2) {
      work.copy(node, 1, at * HASH_BYTES, (at + 2) * HASH_BYTES);
      work.write(digest(node), (at / 2) * HASH_BYTES, 'latin1');
    }
    if (width % 2 === 1) work.copy(work, ((width - 1) / 2) * HASH_BYTES, (width - 1) * HASH_BYTES, width * HASH_BYTES);
  }
  return Buffer.from(work.subarray(0, HASH_BYTES));
}
