import type { Principal, Proof } from '../core/index.ts';

/** Who sends a request, as its credential proved it. */
export interface Caller {
  readonly user: string;
  /** Name of the token, or of the local agent. */
  readonly agent: string;
  readonly proof: Exclude<Proof, 'key'>;
  /** Which token it was, of all that ever had this name; null without one. */
  readonly credential: string | null;
}

/** One text per caller, whatever its names hold. */
export const callerKey = ({ user, agent, proof }: Caller | Principal): string => JSON.stringify([proof, user, agent]);

/** One text per credential: what its sessions belong to. A token that is added anew under a name inherits none. */
export const credentialKey = (caller: Caller): string => JSON.stringify([callerKey(caller), caller.credential]);

/** The holder of what belongs to one session and to no other of its principal. */
export const sessionHolder = (principal: Principal): string =>
  `session ${JSON.stringify([principal.session, callerKey(principal)])}`;

/** Whose a holder is, over all sessions and lanes of a principal: what one principal may have at most is counted by it. */
export function ownerOf(holder: string): string {
  const [own = holder] = holder.split('\n'); // a lane of it; see `laneHolders`
  if (!own.startsWith('session ')) return own;
  const [, owner]: readonly unknown[] = JSON.parse(own.slice('session '.length));
  return String(owner);
}
