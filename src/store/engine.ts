import { type ErrorCode, isSallyportError, SallyportError } from '../core/index.ts';
import { type Answer, applyOperation } from './apply.ts';
import type { Operation } from './operation.ts';
import type { StoreTime } from './store-time.ts';
import type { Table } from './table.ts';

/** An operation that was refused; it wrote nothing. */
interface Refusal {
  readonly refused: ErrorCode;
  readonly message: string;
}

export type Outcome = { readonly answer: Answer } | Refusal;

/** Does groups of operations, each group in one transaction, in order. */
export interface Engine {
  /**
   * One outcome for each operation, all of them durable. `now`: the clock, milliseconds since the epoch.
   * @throws SallyportError when nothing of the group was done: STORE_FULL; or STORE_FAILED, STORE_CORRUPT, then for good
   */
  run(operations: readonly Operation[], now: number): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}

/** What concerns one operation only; anything else ends its whole group. */
const REFUSALS: readonly ErrorCode[] = ['STORE_REQUEST', 'STORE_CLOCK', 'STORE_FULL'];

/** Applies a group inside an open transaction. What the table throws goes on: then the caller rolls back. */
export const applyGroup = (table: Table, operations: readonly Operation[], time: StoreTime): Outcome[] =>
  operations.map((operation) => applyOne(table, operation, time));

function applyOne(table: Table, operation: Operation, time: StoreTime): Outcome {
  try {
    return { answer: applyOperation(table, operation, time) };
  } catch (error) {
    if (!isSallyportError(error) || !REFUSALS.includes(error.code)) throw error;
    return { refused: error.code, message: error.message };
  }
}

/** The answer, or the refusal as an error. */
export function unwrap(outcome: Outcome | undefined): Answer {
  if (outcome === undefined) throw new SallyportError('STORE_FAILED', 'the store gave no answer');
  if ('refused' in outcome) throw new SallyportError(outcome.refused, outcome.message);
  return outcome.answer;
}
