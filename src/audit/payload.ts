import { hmacSha256Hex, type JsonValue, parseStrictJson, randomBytes } from '../core/index.ts';

/** Bytes of the salt of a payload. Always as many, so that no two keys of the HMAC are the same after padding. */
const SALT_BYTES = 32;

/** A value beside the log: canonical JSON, and the salt without which its commitment cannot be tried out. */
export interface Payload {
  readonly name: string;
  readonly salt: Buffer;
  readonly value: Buffer;
}

/** A payload with a fresh salt. */
export const payloadOf = (name: string, value: Buffer): Payload => ({
  name,
  salt: randomBytes(SALT_BYTES),
  value,
});

/** What a record holds of a payload: `hmac-sha256:` and HMAC-SHA-256(salt, value) in hexadecimal. */
export const commit = ({ salt, value }: Payload): string => `hmac-sha256:${hmacSha256Hex(salt, value)}`;

/** Bytes of a payload as {@link writePayload} writes it. */
export const payloadBytes = ({ name, value }: Payload): number => 1 + name.length + SALT_BYTES + 4 + value.length;

/**
 * Writes a payload at `at` and returns where it ends: name length (1 byte), name, salt (32), value length (4,
 * big-endian), value.
 */
export function writePayload(target: Buffer, at: number, { name, salt, value }: Payload): number {
  let next = target.writeUInt8(name.length, at);
  next += target.write(name, next, 'latin1');
  next += salt.copy(target, next);
  next = target.writeUInt32BE(value.length, next);
  return next + value.copy(target, next);
}

/**
 * The payload that begins at `at` in `data` and where it ends, or null if it is not all there. Shares memory with `data`.
 */
export function decodePayload(data: Buffer, at: number): { payload: Payload; end: number } | null {
  const saltAt = at + 1 + (data[at] ?? 0);
  const valueAt = saltAt + SALT_BYTES + 4;
  if (valueAt > data.length) return null;
  const end = valueAt + data.readUInt32BE(valueAt - 4);
  if (end > data.length) return null;
  const name = data.toString('latin1', at + 1, saltAt);
  return {
    payload: { name, salt: data.subarray(saltAt, saltAt + SALT_BYTES), value: data.subarray(valueAt, end) },
    end,
  };
}

/** A payload in its bundle: the record it belongs to, by its place among the 256 of the bundle. */
export interface BundledPayload {
  readonly index: number;
  readonly payload: Payload;
  /** Where it ends in the bundle. */
  readonly end: number;
}

/** A payload as it stands in a bundle: the index of its record in the bundle (1 byte), then the payload. */
export function encodeBundledPayload(index: number, payload: Payload): Buffer {
  const encoded = Buffer.allocUnsafe(1 + payloadBytes(payload));
  writePayload(encoded, encoded.writeUInt8(index, 0), payload);
  return encoded;
}

/**
 * The payloads of a bundle, in the order of their records, up to where the bytes end or make no sense; `end` says where
 * that is.
 */
export function decodePayloadBundle(data: Buffer): { payloads: BundledPayload[]; end: number } {
  const payloads: BundledPayload[] = [];
  let at = 0;
  let lowest = 0;
  while (at < data.length) {
    const index = data.readUInt8(at);
    const decoded = decodePayload(data, at + 1);
    if (decoded === null || index < lowest) break;
    payloads.push({ index, ...decoded });
    at = decoded.end;
    lowest = index;
  }
  return { payloads, end: at };
}

/**
 * The value of a payload.
 * @throws SallyportError INPUT_NOT_JSON and the other codes of parseStrictJson
 */
export const payloadValue = (payload: Payload): JsonValue =>
  parseStrictJson(payload.value.toString('utf8'), { maxBytes: payload.value.length });
