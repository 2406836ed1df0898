import type { IsolationLevel } from '../../../src/core/index.ts';
import type { SandboxLimits } from '../../../src/sandbox/index.ts';
import type { EscapeWorld } from './world.ts';

/** A program that prints ESCAPED when it got through. */
export type Attempt =
  | { readonly sh: string }
  | { readonly python: string }
  /** An entry of attempts.c and its argument; `$NAME` is a variable of the world. */
  | { readonly c: readonly [string, string?] };

/** One way out: what is tried, and where it may get through. */
export interface Row {
  readonly name: string;
  readonly attempt: Attempt;
  /** Positive control: it gets through without a sandbox, or the suite fails. `root`, `user`: only when we are that. */
  readonly control?: 'always' | 'user' | 'root';
  /** Levels at which it gets through, with the reason; documented in docs/sandbox.md. */
  readonly open?: Partial<Record<IsolationLevel, string>>;
  /** Levels at which it may succeed inside a kernel of the sandbox's own: only what shows on the host counts there. */
  readonly virtual?: readonly IsolationLevel[];
  /** What shows on the host when everything of the sandbox is gone; true: it got through. */
  readonly seenOnHost?: (world: EscapeWorld) => boolean | Promise<boolean>;
  readonly limits?: Partial<SandboxLimits>;
}
