import type { EgressAsk, EgressDoor, EgressEvent } from './contract.ts';
import type { EgressLimits } from './egress-limits.ts';
import type { EgressRefusal } from './egress-refusal.ts';

/** What the parts of one open proxy share. */
export interface EgressContext {
  readonly door: EgressDoor;
  readonly limits: EgressLimits;
  readonly token: string;
  /** Aborts when the session ends: whatever waits or runs ends with it. */
  readonly signal: AbortSignal;
  /** Records. INVARIANT: what cannot be recorded ends the session, so that nothing leaves unrecorded after it. */
  readonly record: (event: EgressEvent) => void;
}

/** The record of a refusal. */
export const refusedEvent = (ask: EgressAsk, { rule, error }: EgressRefusal): EgressEvent => ({
  ...{ ask, allowed: false, rule, address: null, sentBytes: 0, receivedBytes: 0, status: null, error },
});
