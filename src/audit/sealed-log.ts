import type { SallyportError } from '../core/index.ts';
import type { RecordDraft } from './record.ts';
import { RESERVE_BYTES } from './reserve.ts';

/** Bytes of refusals that the reserve takes; the rest is for outcomes and the shutdown. */
const REFUSAL_BYTES = Math.floor(RESERVE_BYTES / 2);

/** A log whose disk was full: it admits nothing any more, and its reserve takes refusals, outcomes and the shutdown. */
export interface SealedLog {
  readonly reason: SallyportError;
  /**
   * The record as the reserve takes it, without payloads.
   * @throws SallyportError DISK_FULL for any other record, and when the part for refusals is used up
   */
  take(draft: RecordDraft): RecordDraft;
  /** Says how many bytes a record took. */
  took(draft: RecordDraft, bytes: number): void;
}

/** Seals a log for `reason`, until it is opened again on a disk with space. */
export function sealedLog(reason: SallyportError): SealedLog {
  let refusals = 0;
  return {
    reason,
    take(draft) {
      const { type, decision } = draft;
      const refusal = type === 'intent' && decision !== 'allow' && refusals < REFUSAL_BYTES;
      if (!refusal && type !== 'outcome' && type !== 'shutdown') throw reason;
      const { payloads: _unrecorded, ...rest } = draft;
      return rest;
    },
    took(draft, bytes) {
      if (draft.type === 'intent') refusals += bytes;
    },
  };
}
