import type { JsonObject, JsonValue } from '../core/index.ts';

/** The kinds of record (DESIGN section 6). The types `secret-use`, `message`, `finding` come later. */
const RECORD_TYPES = [
  'session',
  'intent',
  'admitted',
  'adopted',
  'outcome',
  'policy-loaded',
  'stop',
  'grant',
  'operator',
  'secret-use',
  'heartbeat',
  'shutdown',
  'recovery',
] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

const TYPES: ReadonlySet<unknown> = new Set(RECORD_TYPES);

/** True for the name of a kind of record. */
export const isRecordType = (value: unknown): value is RecordType => TYPES.has(value);

/**
 * What a writer of a record says; the log adds `v, seq, time, mono, boot, writer` and the commitments to its payloads.
 * Every field is plain JSON; a field that does not apply is absent.
 */
export interface RecordDraft {
  readonly type: RecordType;
  readonly surface?: string;
  readonly principal?: JsonObject;
  readonly chain?: readonly JsonValue[];
  readonly session?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly decision?: 'allow' | 'confirm' | 'deny';
  readonly rule?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly policyDigest?: string;
  readonly epoch?: number;
  readonly facts?: JsonObject;
  readonly isolation?: JsonObject;
  /** References of the secrets that the call may be given, as the policy writes them. */
  readonly secrets?: readonly string[];
  /** The approval that an `admitted` spends or a `grant` record is about. */
  readonly grant?: string;
  /** How an admitted call ended: `delivered`, `tool-error`, `failed`, `cancelled`, `timeout`, or `unknown` after a crash. */
  readonly outcome?: string;
  /** What the guard did with the result: `pass`, `sanitised`, `quarantined` or `blocked`. */
  readonly verdict?: string;
  /** What the guard saw: which rule, where, why; no word of the result. */
  readonly findings?: readonly JsonObject[];
  readonly error?: string;
  readonly durationMs?: number;
  /** Recovery: admissions that stay open, because a gate may still run them and say how they end. */
  readonly open?: number;
  readonly intentSeq?: number;
  readonly admittedSeq?: number;
  readonly traceId?: string;
  readonly spanId?: string;
  /** Anything a type needs beyond the shared fields. */
  readonly detail?: JsonObject;
  /**
   * Payloads kept beside the log, so that they can be erased while the log verifies: name to value (`arguments`,
   * `result`, `definition`). The record holds a salted commitment to each, never a plain digest.
   */
  readonly payloads?: Readonly<Record<string, JsonValue>>;
}

/** A record as it stands in the log. */
export interface LogRecord extends Omit<RecordDraft, 'payloads'> {
  readonly v: 1;
  readonly seq: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** Microseconds on the monotonic clock of this boot. */
  readonly mono: number;
  readonly boot: string;
  /** Which process wrote it, e.g. `keeper:12345`. */
  readonly writer: string;
  /** Payload name to `hmac-sha256:` and 64 hexadecimal digits, keyed by the salt that lies beside the payload. */
  readonly commitments?: Readonly<Record<string, string>>;
}
