import type { ErrorCode, JsonObject, JsonValue } from '../core/index.ts';
import type { RuleReference } from '../policy/index.ts';
import type { Content, Questions } from './tool.ts';

/**
 * What came of a call. A denial is a value: `text` is written for the model (what, which rule, what would be allowed, the
 * number of the record).
 */
export type CallResult = Delivered | Denied | Failed;

export interface Delivered {
  readonly kind: 'delivered';
  readonly content: readonly Content[];
  readonly structuredContent?: JsonObject;
  /** The tool ran and says that it failed. */
  readonly isError: boolean;
  /** All text content, joined. */
  readonly text: string;
  readonly rule: RuleReference;
  /** Sequence number of the outcome record. */
  readonly record: number;
}

export interface Denied {
  readonly kind: 'denied';
  readonly code: ErrorCode;
  readonly rule: RuleReference;
  readonly reason: string;
  readonly instead: string;
  readonly text: string;
  /** Sequence number of the intent record; null when nothing could be recorded (which is itself a denial). */
  readonly record: number | null;
  /** The request that waits for a person: the same call, made again, joins it. */
  readonly request?: string;
  /** Milliseconds since the epoch: when the same call may fare better. */
  readonly retryAt?: number;
}

/** Admitted, but it did not end well: `code` says how. */
export interface Failed {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  readonly reason: string;
  readonly text: string;
  readonly rule: RuleReference;
  /** Sequence number of the outcome record; null when the log failed after the call had run. */
  readonly record: number | null;
}

/** Admitted, and waiting for answers, or for a task to end: the call is to be made again with them and with `state`. */
export interface Asked {
  readonly kind: 'asked';
  readonly questions: Questions;
  readonly state: JsonValue;
  /** The task as which the call goes on; null where the caller is asked something. */
  readonly task: JsonObject | null;
  readonly rule: RuleReference;
  /** Sequence number of the outcome record of this round. */
  readonly record: number;
}
