import type { Clock, ErrorCode, Limits } from '../core/index.ts';
import type { Keeper } from '../keeper/index.ts';
import type { CompiledPolicy, Policy } from '../policy/index.ts';
import type { CallHistory } from './call-history.ts';
import type { ControlFiles } from './control-files.ts';
import type { Dial, Resolve } from './fetch-types.ts';
import type { Registry } from './registry.ts';

/** What every call of a gate shares. The gate owns it; the steps read it. */
export interface House {
  readonly keeper: Keeper;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Absolute real path that relative paths are read against. */
  readonly root: string;
  readonly control: ControlFiles;
  /** Looks names up and opens connections for requests that were judged. */
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly certificates: readonly string[];
  /** The admitted calls that rate limits count. */
  readonly history: CallHistory;
  readonly policy: Policy;
  readonly epoch: number;
  /** The policy over the tools that are registered now. */
  compiled(): CompiledPolicy;
  readonly missing: (tool: string) => { readonly code: ErrorCode; readonly reason: string } | null;
}
