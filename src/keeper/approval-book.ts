import { APPROVAL_LIMITS, type ApprovalRequest, type Binding, principalKey } from '../approvals/index.ts';
import { type ErrorCode, SallyportError } from '../core/index.ts';
import { RateMeter } from './rate-meter.ts';

/** A request that cannot wait: as `ApprovalStatus` says it. */
export interface NoRoom {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** A place for a request that is being recorded; `release` gives it back. */
interface Place {
  release(): void;
}

/**
 * The requests that wait, and how many each principal and each peer may have.
 * INVARIANT: requests with equal digests are one, and only those.
 */
export class ApprovalBook {
  readonly #requests = new Map<string, ApprovalRequest>();
  readonly #byDigest = new Map<string, string>();
  readonly #ofPrincipal = new Map<string, number>();
  readonly #ofPeer = new Map<string, number>();
  readonly #asked = new RateMeter({
    burst: APPROVAL_LIMITS.requestBurst,
    perSecond: APPROVAL_LIMITS.requestsPerMinute / 60,
  });
  readonly #mono: () => number;
  #places = 0;

  /** `mono`: milliseconds that never go back and never jump: a clock that is set lets nobody ask more often. */
  constructor(mono: () => number) {
    this.#mono = mono;
  }

  /** Requests of before a restart; they count like any other. */
  restore(requests: readonly ApprovalRequest[]): void {
    for (const request of requests) {
      this.#count(principalKey(request.binding.principal), request.peer, 1);
      this.put(request);
    }
  }

  list(): readonly ApprovalRequest[] {
    return [...this.#requests.values()];
  }

  get(id: string): ApprovalRequest | null {
    return this.#requests.get(id) ?? null;
  }

  withDigest(digest: string): ApprovalRequest | null {
    return this.get(this.#byDigest.get(digest) ?? '');
  }

  /** A place for one more request, or why there is none. Counted before anything is written, so that a flood costs little. */
  take(binding: Binding, peer: string | null): Place | NoRoom {
    const principal = principalKey(binding.principal);
    const { waiting, waitingPerPrincipal, waitingPerPeer, requestsPerMinute } = APPROVAL_LIMITS;
    if ((this.#ofPrincipal.get(principal) ?? 0) >= waitingPerPrincipal) {
      return flood(`${waitingPerPrincipal} calls of this caller wait for a person`);
    }
    if (peer !== null && (this.#ofPeer.get(peer) ?? 0) >= waitingPerPeer) {
      return flood(`${waitingPerPeer} calls of this gate wait for a person`);
    }
    if (this.#places >= waiting) return flood(`${waiting} calls wait for a person`);
    if (!this.#asked.take(principal, this.#mono()))
      return flood(`a person is asked ${requestsPerMinute} times a minute by one caller`);
    this.#count(principal, peer, 1);
    return { release: () => this.#count(principal, peer, -1) };
  }

  /** A request that has its place; in place of itself, when it changes. */
  put(request: ApprovalRequest): void {
    this.#requests.set(request.id, Object.freeze(request));
    this.#byDigest.set(request.digest, request.id);
  }

  /** False if it is gone already. */
  remove(request: ApprovalRequest): boolean {
    if (!this.#requests.delete(request.id)) return false;
    this.#byDigest.delete(request.digest);
    this.#count(principalKey(request.binding.principal), request.peer, -1);
    return true;
  }

  #count(principal: string, peer: string | null, by: 1 | -1): void {
    this.#places += by;
    add(this.#ofPrincipal, principal, by);
    if (peer !== null) add(this.#ofPeer, peer, by);
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

const flood = (reason: string): NoRoom => ({ code: 'APPROVAL_FLOOD', reason });

/** The error for a request that is not there. */
export const unknownRequest = (): SallyportError =>
  new SallyportError('APPROVAL_UNKNOWN', 'no such request waits: it was answered, or has expired');
