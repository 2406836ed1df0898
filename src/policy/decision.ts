import type { ErrorCode, IsolationLevel, JsonObject } from '../core/index.ts';
import type { CallBreaker, CallLimit } from './limits.ts';

/** From the strictest on: withheld, delivered without the passages, delivered as it came. Each is recorded. */
export const ON_INJECTION = ['quarantine', 'cut', 'pass'] as const;
export type OnInjection = (typeof ON_INJECTION)[number];

export type Effect = 'allow' | 'confirm' | 'deny';

/** The rule that decided, where it stands. Built-in rules are `builtin.CODE` without a file. */
export interface RuleReference {
  readonly id: string;
  readonly file?: string;
  readonly line?: number;
}

/** What must hold while the call runs and before its result is delivered. A surface that cannot meet one denies. */
export interface Obligations {
  /** Levels that the policy accepts, best first; empty when it names none. */
  readonly isolation: readonly IsolationLevel[];
  readonly timeoutMs: number;
  /** Characters of text that may be delivered; longer results are cut with a visible mark. */
  readonly maxLength: number | null;
  /** What happens to a result that gives instructions to the model. */
  readonly onInjection: OnInjection;
  /** Texts are delivered between two lines with a nonce, which name them as data of somebody else. */
  readonly boundary: boolean;
  /** Schemas (JSON Schema 2020-12, checked) that the result has to meet, each of them. */
  readonly outputSchemas: readonly JsonObject[];
  /** Adds payload detail to the record; the records themselves are always written. */
  readonly audit: boolean;
  /** What the call has to fit into, counted where all who share a count are seen: by the keeper. */
  readonly limits: readonly CallLimit[];
  readonly breakers: readonly CallBreaker[];
}

/** The answer of a policy. `reason` and `instead` are for the model: from templates, values quoted, never instructions. */
export type Decision =
  | {
      readonly effect: 'allow';
      readonly rule: RuleReference;
      readonly reason: string;
      readonly obligations: Obligations;
    }
  | {
      readonly effect: 'confirm' | 'deny';
      readonly rule: RuleReference;
      readonly code: ErrorCode;
      readonly reason: string;
      /** What would have been allowed, as far as this principal's own rules say. */
      readonly instead: string;
      readonly obligations: Obligations;
    };
