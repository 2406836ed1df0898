import {
  type Approver,
  fingerprintOf,
  type Operator,
  type OperatorProof,
  operatorAsJson,
  type ProvenApprover,
  readOperator,
  readUserKey,
  registerPasskey,
  registrationChallenge,
  removalChallenge,
  verifyProof,
} from '../approvals/index.ts';
import {
  canonicalCopy,
  copyJson,
  equalBytes,
  type JsonObject,
  newId,
  randomBytes,
  SallyportError,
  sha256,
  sha256Hex,
} from '../core/index.ts';
import type { Store } from '../store/index.ts';
import type { OperatorRegistration, RegistrationAuthority } from './approval-messages.ts';
import { type StateTable, stateTable, unreadable } from './state-table.ts';

/** Credentials, and things that were used on the tool side; more are refused. */
const MAX_OPERATORS = 256;
const MAX_TOOL_SIDE = 100_000;
/** How long a one-time code and an offer hold, in milliseconds, and how many wrong codes end it. */
const CODE_MS = 600_000;
const OFFER_MS = 300_000;
const MAX_OFFERS = 64;
const MAX_WRONG = 5;

interface Parts {
  readonly store: Store;
  readonly now: () => number;
  /** The user id of this process; null where there is none. */
  readonly uid: number | null;
  /** The user of this process, as principals name it. */
  readonly user: string;
}

/** The credentials that may answer, and what must never be one. INVARIANT: nothing that was used on the tool side proves a person. */
export class Operators {
  readonly #parts: Parts;
  readonly #table: StateTable;
  readonly #toolTable: StateTable;
  readonly #operators = new Map<string, Operator>();
  readonly #toolSide = new Set<string>();
  /** Hash of the code, until when, and how many wrong ones came. */
  #code: { readonly hash: Buffer; readonly until: number; wrong: number } | null = null;
  readonly #offers = new Map<string, number>();

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#table = stateTable(parts.store, 'operator');
    this.#toolTable = stateTable(parts.store, 'tool-side');
  }

  static async open(parts: Parts): Promise<Operators> {
    const operators = new Operators(parts);
    for (const value of await operators.#table.all()) {
      const operator = readOperator(value);
      operators.#operators.set(operator.name, operator);
    }
    for (const { mark } of await operators.#toolTable.all()) {
      if (typeof mark !== 'string') throw unreadable('tool-side');
      operators.#toolSide.add(mark);
    }
    return operators;
  }

  /** True while nobody has a credential that an agent of the same user id could not use. */
  get advisory(): boolean {
    return ![...this.#operators.values()].some((operator) => this.#isUsable(operator));
  }

  list(): readonly Operator[] {
    return [...this.#operators.values()];
  }

  /** False for a yes of somebody whose credential was taken away since. */
  stands({ operator, user, class: proven }: Approver): boolean {
    if (proven === 'local') return true;
    const known = this.#operators.get(operator);
    return known !== undefined && known.user === user && known.class === proven;
  }

  /** Remembers, for good, that a credential was used where agents are. Durable when it resolves. */
  async usedByTool(mark: string): Promise<void> {
    if (this.#toolSide.has(mark)) return;
    if (this.#toolSide.size >= MAX_TOOL_SIDE) throw new SallyportError('KEEPER_BUSY', 'too many credentials were used');
    this.#toolSide.add(mark);
    await this.#toolTable.put(mark, { mark });
  }

  isToolSide(mark: string): boolean {
    return this.#toolSide.has(mark);
  }

  /** A text that somebody presented as a token of a client: if it is the secret of an operator, that one is one no more. */
  async presentedAsToken(token: string): Promise<void> {
    const mark = sha256Hex(token);
    if (this.list().some((operator) => fingerprintOf(operator) === mark)) await this.usedByTool(mark);
  }

  /**
   * Who proves an answer. The proof of a passkey raises its counter; the nonce of a webhook is claimed.
   * @throws SallyportError APPROVER_REFUSED
   */
  async prove(proof: OperatorProof, challenge: string): Promise<ProvenApprover> {
    if (proof.class === 'local')
      return { operator: 'local', user: this.#parts.user, class: 'local', groups: [], letInBy: null };
    const operator = this.#operators.get(proof.operator);
    if (operator === undefined || !this.#isUsable(operator)) throw refused('there is no such operator');
    const { counter, nonce } = await verifyProof(operator, proof, { challenge, now: this.#parts.now() });
    if (nonce !== undefined && !(await this.#parts.store.claim('webhook-nonce', sha256Hex(nonce.key), nonce.until))) {
      throw refused('this webhook was received before');
    }
    if (counter !== undefined && operator.class === 'passkey') await this.#keep({ ...operator, counter });
    const { name, user, groups, letInBy, class: proven } = operator;
    return { operator: name, user, class: proven, groups, letInBy };
  }

  /** True while a code is good that was shown already. */
  get hasCode(): boolean {
    return this.#code !== null && this.#code.until > this.#parts.now();
  }

  /** A code that lets one credential in, for ten minutes; another one ends it. To be shown on the keeper's own terminal only. */
  offerCode(): string {
    const code = randomBytes(16).toString('base64url');
    this.#code = { hash: sha256(code), until: this.#parts.now() + CODE_MS, wrong: 0 };
    return code;
  }

  /** Names one registration, for five minutes. */
  offer(): string {
    const now = this.#parts.now();
    for (const [nonce, until] of this.#offers) if (until <= now) this.#offers.delete(nonce);
    if (this.#offers.size >= MAX_OFFERS)
      throw new SallyportError('KEEPER_BUSY', 'too many registrations are under way');
    const nonce = newId('offer');
    this.#offers.set(nonce, now + OFFER_MS);
    return nonce;
  }

  /**
   * Lets a credential in. A name is given once; `user-id` is another user id than this process has.
   * @throws SallyportError OPERATOR_INVALID, APPROVER_REFUSED, KEEPER_BUSY
   */
  async register(
    nonce: string,
    registration: OperatorRegistration,
    authority: RegistrationAuthority,
  ): Promise<Operator> {
    this.#takeOffer(nonce);
    const letInBy = await this.#checkAuthority(authority, registrationChallenge(nonce, copyJson(registration)));
    const operator = await this.#admissible(nonce, registration, letInBy);
    await this.#keep(operator);
    return operator;
  }

  /**
   * Takes a credential away, by a code or by whoever has one.
   * @throws SallyportError OPERATOR_INVALID, APPROVER_REFUSED
   */
  async remove(nonce: string, name: string, authority: RegistrationAuthority): Promise<void> {
    this.#takeOffer(nonce);
    if (!this.#operators.has(name)) throw invalid('there is no such operator');
    await this.#checkAuthority(authority, removalChallenge(nonce, name));
    // Before the store, so that nothing is proven with it meanwhile.
    this.#operators.delete(name);
    await this.#table.delete(name);
  }

  #takeOffer(nonce: string): void {
    const until = this.#offers.get(nonce);
    this.#offers.delete(nonce);
    if (until === undefined || until <= this.#parts.now()) throw invalid('it took too long, or was no offer');
  }

  /** Who lets it in: the person at the beginning of the chain, or null for a code. */
  async #checkAuthority(authority: RegistrationAuthority, challenge: string): Promise<string | null> {
    if ('code' in authority) {
      this.#spendCode(authority.code);
      return null;
    }
    if (authority.proof.class === 'local') throw refused('who shares the user id of agents lets nobody in or out');
    const { user, letInBy } = await this.prove(authority.proof, challenge);
    return letInBy ?? user;
  }

  #spendCode(code: string): void {
    const offered = this.#code;
    if (offered === null || offered.until <= this.#parts.now()) throw invalid('there is no one-time code just now');
    if (!equalBytes(sha256(code), offered.hash)) {
      offered.wrong += 1;
      if (offered.wrong >= MAX_WRONG) this.#code = null;
      throw invalid('this is not the one-time code');
    }
    this.#code = null;
  }

  async #admissible(nonce: string, registration: OperatorRegistration, letInBy: string | null): Promise<Operator> {
    const operator =
      registration.class === 'passkey'
        ? await this.#passkey(nonce, registration, letInBy)
        : readOperator(copyJson({ ...registration, letInBy }));
    if (operator.class === 'user-id') readUserKey(operator.publicKey);
    if (operator.class === 'user-id' && operator.uid === this.#parts.uid) {
      throw invalid('user-id is for another user id than the one this keeper runs under');
    }
    if (operator.name === 'local' || this.#operators.has(operator.name)) throw invalid('the name is taken');
    if (this.#operators.size >= MAX_OPERATORS) throw new SallyportError('KEEPER_BUSY', 'there are too many operators');
    const mark = fingerprintOf(operator);
    if (this.#toolSide.has(mark)) throw invalid('this credential was used on the tool side');
    if (this.list().some((other) => fingerprintOf(other) === mark))
      throw invalid('this credential is registered already');
    return operator;
  }

  #passkey(
    nonce: string,
    registration: OperatorRegistration & { class: 'passkey' },
    letInBy: string | null,
  ): Promise<Operator> {
    const { response, class: _class, ...said } = registration;
    const challenge = registrationChallenge(nonce, passkeyClaims(registration));
    return registerPasskey({ ...said, letInBy, response, challenge });
  }

  async #keep(operator: Operator): Promise<void> {
    const kept = readOperator(operatorAsJson(operator));
    this.#operators.set(kept.name, kept);
    await this.#table.put(kept.name, operatorAsJson(kept));
  }

  #isUsable(operator: Operator): boolean {
    return !this.#toolSide.has(fingerprintOf(operator));
  }
}

/** What the challenge of a passkey's registration is made from, besides the offer: everything but what the browser adds. */
function passkeyClaims({ name, user, groups, rpId, origin }: OperatorRegistration & { class: 'passkey' }): JsonObject {
  return { class: 'passkey', name, user, groups: [...groups], rpId, origin };
}

/** The challenge for the browser that makes a passkey, base64url. */
export const passkeyChallenge = (
  nonce: string,
  claims: Omit<OperatorRegistration & { class: 'passkey' }, 'response'>,
): string => registrationChallenge(nonce, passkeyClaims({ ...claims, response: {} }));

/** Which peer used the powers of a gate: as a mark of the tool side. */
export const peerMark = (peer: string): string => canonicalCopy(['peer', peer]);

const refused = (message: string): SallyportError => new SallyportError('APPROVER_REFUSED', message);
const invalid = (message: string): SallyportError => new SallyportError('OPERATOR_INVALID', message);
