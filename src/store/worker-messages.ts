import type { ErrorCode } from '../core/index.ts';
import type { Outcome } from './engine.ts';
import type { Operation } from './operation.ts';

/** What the thread of the store is given when it starts. */
export interface WorkerStart {
  readonly file: string;
  readonly maxBytes: number;
}

/** One request at a time; each gets one answer. */
export type WorkerRequest =
  | { readonly kind: 'run'; readonly operations: readonly Operation[]; readonly now: number }
  | { readonly kind: 'close' };

export type WorkerAnswer =
  | { readonly kind: 'opened' }
  | { readonly kind: 'done'; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };
