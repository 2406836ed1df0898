import { canonicalCopy, isSallyportError, type JsonValue, SallyportError } from '../core/index.ts';
import { commit, type Payload, payloadOf } from './payload.ts';
import { isRecordType, type LogRecord, type RecordDraft } from './record.ts';

/** Bytes of one entry at most: its length has two bytes (c2sp.org/tlog-tiles). */
export const ENTRY_BYTES = 65_535;

/** Bytes of one payload at most, as canonical JSON: 16 MiB of binary content and its base64. */
const PAYLOAD_BYTES = 33_554_432;

/** Payloads of one record at most. */
const PAYLOADS = 16;

/** A record as it is stored: its bytes, which nobody writes again, and the payloads beside it. */
export interface Entry {
  readonly seq: number;
  readonly bytes: Buffer;
  readonly payloads: readonly Payload[];
}

/** What the log adds to a draft. */
export interface Stamp {
  readonly seq: number;
  readonly time: string;
  readonly mono: number;
  readonly boot: string;
  readonly writer: string;
}

/**
 * The canonical bytes of a record (RFC 8785) and its payloads.
 * INVARIANT: what the log adds wins over what a draft says under the same name, commitments included.
 *
 * @throws SallyportError AUDIT_ENTRY_TOO_LARGE, and the INPUT_ codes of copyJson for what is not JSON
 */
export function composeEntry(draft: RecordDraft, stamp: Stamp): Entry {
  const payloads = composePayloads(draft.payloads ?? {});
  const record: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(draft)) {
    if (key !== 'payloads' && key !== 'commitments') record[key] = value;
  }
  Object.assign(record, stamp);
  record['v'] = 1;
  if (payloads.length > 0) record['commitments'] = commitmentsTo(payloads);
  const bytes = Buffer.from(withinEntry(() => canonicalCopy(record, { maxBytes: ENTRY_BYTES })));
  if (bytes.length > ENTRY_BYTES) throw tooLarge(`the record has ${bytes.length} bytes`);
  return { seq: stamp.seq, bytes, payloads };
}

function composePayloads(values: Readonly<Record<string, JsonValue>>): Payload[] {
  const names = Object.keys(values).sort();
  if (names.length > PAYLOADS) throw tooLarge(`the record has ${names.length} payloads`);
  return names.map((name) => composePayload(name, values[name]));
}

const commitmentsTo = (payloads: readonly Payload[]): Record<string, string> =>
  Object.fromEntries(payloads.map((payload) => [payload.name, commit(payload)]));

function composePayload(name: string, value: JsonValue | undefined): Payload {
  if (!/^[a-z][A-Za-z0-9]{0,39}$/.test(name)) throw new SallyportError('INTERNAL', 'a payload has an unusable name');
  return payloadOf(name, Buffer.from(withinEntry(() => canonicalCopy(value, { maxBytes: PAYLOAD_BYTES }))));
}

function withinEntry<T>(copy: () => T): T {
  try {
    return copy();
  } catch (cause) {
    if (!isSallyportError(cause, 'INPUT_TOO_LARGE')) throw cause;
    throw tooLarge('the record or a payload of it is over its limit', cause);
  }
}

const tooLarge = (message: string, cause?: unknown): SallyportError =>
  new SallyportError('AUDIT_ENTRY_TOO_LARGE', message, { cause });

/**
 * Reads the bytes of an entry.
 * @throws SallyportError AUDIT_CORRUPT: not a record of this version
 */
export function parseRecord(bytes: Uint8Array): LogRecord {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    throw new SallyportError('AUDIT_CORRUPT', 'an entry is not JSON', { cause });
  }
  if (!isLogRecord(value)) throw new SallyportError('AUDIT_CORRUPT', 'an entry is not a record of version 1');
  return value;
}

const STRINGS =
  'surface session server tool decision rule code reason policyDigest grant outcome verdict error traceId spanId';
const NUMBERS = 'epoch durationMs open intentSeq admittedSeq';
const OBJECTS = 'principal facts isolation detail commitments';

/** Which fields a record may have, and what kind of value each holds. */
const OPTIONAL_FIELDS: readonly (readonly [field: string, kind: string])[] = [
  ...STRINGS.split(' ').map((field) => [field, 'string'] as const),
  ...NUMBERS.split(' ').map((field) => [field, 'number'] as const),
  ...OBJECTS.split(' ').map((field) => [field, 'object'] as const),
  ['findings', 'list'],
  ['secrets', 'texts'],
];

/** ATTACKER-CONTROLLED when the log was not verified: readers rely on the kinds of the fields they print. */
function isLogRecord(value: unknown): value is LogRecord {
  if (!isObject(value)) return false;
  const { v, seq, time, mono, boot, writer, type } = value;
  const stamped = [time, boot, writer].every((field) => typeof field === 'string') && typeof mono === 'number';
  if (v !== 1 || !stamped || !isRecordType(type) || !Number.isSafeInteger(seq)) return false;
  return OPTIONAL_FIELDS.every(([field, kind]) => {
    const member = value[field];
    if (member === undefined) return true;
    if (kind === 'texts') return Array.isArray(member) && member.every((one) => typeof one === 'string');
    if (kind === 'list') return Array.isArray(member) && member.every(isObject);
    return kind === 'object' ? isObject(member) : typeof member === kind;
  });
}

const isObject = (value: unknown): value is Partial<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
