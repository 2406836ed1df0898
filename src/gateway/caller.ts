import type { Proof } from '../core/index.ts';

/** Who sends a request, as its credential proved it. */
export interface Caller {
  readonly user: string;
  /** Name of the token, or of the local agent. */
  readonly agent: string;
  readonly proof: Exclude<Proof, 'key'>;
}

/** One text per caller; names hold no control characters, so none can be mistaken for another. */
export const callerKey = ({ user, agent, proof }: Caller): string => `${proof}\n${user}\n${agent}`;
