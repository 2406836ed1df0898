import { ERROR_TABLE } from '../core/index.ts';
import type { Admission, CallUse } from '../keeper/index.ts';
import type { House } from './house.ts';
import type { Inbound, InboundFailed } from './inbound.ts';
import type { Placement } from './placement.ts';
import { recordOutcome } from './records.ts';

/** How a call ended, besides what came of it. */
interface Ended {
  readonly microseconds: number;
  readonly placement: Placement | null;
  /** It was admitted with a lease: its limits are told how it went. */
  readonly isCounted: boolean;
}

const TOO_MANY_BYTES: InboundFailed = Object.freeze({
  kind: 'failed',
  outcome: 'failed',
  code: 'BYTES_LIMITED',
  reason: 'the tool ran, but its result is more than the limit on bytes leaves: it is withheld',
});

/** Records how a call ended. What its limits have no room for any more is withheld, and that is what is recorded. */
export async function recordFitting(
  house: House,
  admission: Admission,
  came: Inbound,
  { isCounted, ...ended }: Ended,
): Promise<{ readonly delivered: Inbound; readonly record: number | null }> {
  const record = await recordOutcome(house, admission, came, { ...ended, use: isCounted ? useOf(came) : undefined });
  if (record !== 'too many bytes') return { delivered: came, record };
  const again = await recordOutcome(house, admission, TOO_MANY_BYTES, { ...ended, use: NOTHING });
  return { delivered: TOO_MANY_BYTES, record: again === 'too many bytes' ? null : again };
}

const NOTHING: CallUse = Object.freeze({ bytes: 0, failed: false });

const useOf = (came: Inbound): CallUse =>
  came.kind === 'failed' ? { bytes: 0, failed: isFailure(came) } : { bytes: bytesOf(came), failed: false };

/** As JSON: the content, or the questions, that the caller gets. */
function bytesOf(came: Exclude<Inbound, InboundFailed>): number {
  if (came.kind === 'asked') return Buffer.byteLength(JSON.stringify([came.questions, came.task]));
  const { content, structuredContent } = came;
  return Buffer.byteLength(JSON.stringify(content)) + Buffer.byteLength(JSON.stringify(structuredContent ?? ''));
}

/** What the tool, its server or its sandbox did wrong; not what was wrong with the call, and not that somebody ended it. */
function isFailure({ code, outcome }: InboundFailed): boolean {
  const [domain, , http] = ERROR_TABLE[code];
  return outcome !== 'cancelled' && http >= 500 && (domain === 'gate' || domain === 'gateway');
}
