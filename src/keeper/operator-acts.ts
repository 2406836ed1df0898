import type { OperatorProof, ProvenApprover } from '../approvals/index.ts';
import {
  type Clock,
  canonicalCopy,
  count,
  DEFAULT_LIMITS,
  type JsonObject,
  type JsonValue,
  newId,
  object,
  oneOf,
  SallyportError,
  sha256,
  sha256Hex,
  shape,
  text,
} from '../core/index.ts';
import type { ActAuthority, OperatorAct } from './act-messages.ts';
import { type Operators, peerMark } from './operators.ts';
import { readPolicyPath, readSha256, readStopFlag } from './requests.ts';

/** How long an offer holds, in milliseconds, and how many are open at once. */
const OFFER_MS = 60_000;
const MAX_OFFERS = 64;
const DOMAIN = 'sallyport/operator-act/v1\n';

const name = text(512);
const readers = {
  resume: shape<OperatorAct & { act: 'resume' }>({ act: oneOf('resume'), flag: readStopFlag }),
  'policy-approve': shape<OperatorAct & { act: 'policy-approve' }>({
    ...{ act: oneOf('policy-approve'), file: readPolicyPath, real: readPolicyPath, digest: readSha256 },
    ...{ text: text(DEFAULT_LIMITS.policyBytes), rules: count, mode: name },
  }),
  'server-approve': shape<OperatorAct & { act: 'server-approve' }>({
    ...{ act: oneOf('server-approve'), server: name, digest: name, lock: readPolicyPath },
  }),
  'unknown-settle': shape<OperatorAct & { act: 'unknown-settle' }>({ act: oneOf('unknown-settle'), record: count }),
  'result-release': shape<OperatorAct & { act: 'result-release' }>({ act: oneOf('result-release'), record: count }),
};

/** An act as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readAct = (value: JsonValue | undefined, where = 'act'): OperatorAct =>
  readers[
    oneOf(
      'resume',
      'policy-approve',
      'server-approve',
      'unknown-settle',
      'result-release',
    )(object(value, where)['act'], where)
  ](value, where);

/** An act as records name it: a text by its digest. */
export function actDetails(act: OperatorAct): JsonObject {
  if (act.act === 'resume') return { act: act.act, flag: { ...act.flag } };
  if (act.act !== 'policy-approve') return { ...act };
  const { text: policy, ...rest } = act;
  return { ...rest, textDigest: sha256Hex(policy) };
}

/**
 * What a credential proves over, base64url of 32 bytes: SHA-256 over a domain and the canonical JSON of the offer, the name of the
 * act, and the digest of everything it says. INVARIANT: one proof is good for one act, once.
 */
export function actChallenge(offer: string, act: OperatorAct): string {
  const details = sha256Hex(canonicalCopy(actDetails(act)));
  return sha256(DOMAIN + canonicalCopy({ offer, act: act.act, details })).toString('base64url');
}

/** A proof, and what names the act that it is about. */
export interface ActProof {
  readonly over: string;
  readonly proof: OperatorProof;
}

/** Who may act. INVARIANT: once a credential is registered, nothing is done without a proof by one. */
export class OperatorActs {
  readonly #operators: Operators;
  readonly #clock: Clock;
  /** Until when each is good, by the clock that never jumps. */
  readonly #offers = new Map<string, number>();

  constructor(operators: Operators, clock: Clock) {
    this.#operators = operators;
    this.#clock = clock;
  }

  get advisory(): boolean {
    return this.#operators.advisory;
  }

  /** @throws SallyportError KEEPER_BUSY */
  offer(): string {
    const now = this.#now();
    for (const [offer, until] of this.#offers) if (until <= now) this.#offers.delete(offer);
    if (this.#offers.size >= MAX_OFFERS) throw new SallyportError('KEEPER_BUSY', 'too many acts are under way');
    const offer = newId('offer');
    this.#offers.set(offer, now + OFFER_MS);
    return offer;
  }

  /** Who does it. `authority` null: nobody proves anything. @throws SallyportError APPROVER_REFUSED */
  async authorise(act: OperatorAct, authority: ActAuthority | null, peer: string | null): Promise<ProvenApprover> {
    // An offer is used up by whatever came with it.
    if (authority !== null) this.#take(authority.offer);
    return this.prove(authority === null ? null : { over: authority.offer, proof: authority.proof }, act, peer);
  }

  /** As `authorise`, over what names the act: an offer that was taken, or the name of a proposed act. */
  async prove(given: ActProof | null, act: OperatorAct, peer: string | null): Promise<ProvenApprover> {
    this.checkConnection(peer);
    if (given !== null && given.proof.class !== 'local') {
      return this.#operators.prove(given.proof, actChallenge(given.over, act));
    }
    if (this.advisory) return this.#operators.prove({ class: 'local' }, '');
    throw refused('a credential of an operator is registered: this needs one (--as NAME --key FILE)');
  }

  /** INVARIANT: what was ever used on the tool side proposes, proves and declines nothing. @throws SallyportError APPROVER_REFUSED */
  checkConnection(peer: string | null): void {
    if (peer !== null && this.#operators.isToolSide(peerMark(peer))) {
      throw refused('this connection was used on the tool side');
    }
  }

  #take(offer: string): void {
    const until = this.#offers.get(offer);
    this.#offers.delete(offer);
    if (until === undefined || until <= this.#now()) throw refused('the proof came too late, or was used before');
  }

  #now(): number {
    return this.#clock.mono() / 1_000;
  }
}

const refused = (message: string): SallyportError => new SallyportError('APPROVER_REFUSED', message);
