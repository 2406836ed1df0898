import type { JsonObject } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { LockedServer } from './lock.ts';

/** A server of the policy with what was approved of it. */
export interface ApprovedServer {
  readonly rule: ServerRule;
  readonly locked: LockedServer;
}

/** Something that a server said without being asked, on the connection of one holder. ATTACKER-CONTROLLED: `params`. */
export interface UpstreamEvent {
  readonly server: string;
  readonly holder: string;
  readonly method: string;
  readonly params: JsonObject;
}
