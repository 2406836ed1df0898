import type { Principal, Proof } from '../core/index.ts';

/** Who sends a request, as its credential proved it. */
export interface Caller {
  readonly user: string;
  /** Name of the token, or of the local agent. */
  readonly agent: string;
  readonly proof: Exclude<Proof, 'key'>;
}

/** One text per caller, whatever its names hold. */
export const callerKey = ({ user, agent, proof }: Caller | Principal): string => JSON.stringify([proof, user, agent]);
