import { SallyportError } from '../core/index.ts';
import type { PeerCredential, PeerFolder } from './peer-folder.ts';
import { RateMeter } from './rate-meter.ts';

/** Connections that have proven who they are: all of them, those that are left for operators, and those of one name. */
const MAX_PROVEN = 256;
const KEPT_FOR_OPERATORS = 32;
const MAX_PER_PEER = 8;
/** Bytes of questions that one peer may have half sent, or without answer, over all its connections. */
export const MAX_PEER_BYTES = 67_108_864;
/** Keys that one peer may claim: at once, and from then on. */
const CLAIMS = { burst: 1_200, perSecond: 20 };

/** How often one peer may ask what was approved, and take a policy as approved for the first time: both are long texts. */
const APPROVAL_QUESTIONS = { burst: 120, perSecond: 10 };
const FIRST_APPROVALS = { burst: 16, perSecond: 1 / 15 };

/** How often one peer may ask for a yes, or what became of it. */
const ASKS = { burst: 400, perSecond: 20 };

/** What an account needs to know of a connection. */
export interface Member {
  /** Cuts it. */
  close(): void;
  /** There is room again for its questions. */
  wake(): void;
}

/** What the connections of one peer share. */
export interface PeerAccount {
  readonly credential: PeerCredential;
  /** Tells the token file that the peer proved itself with from every other one. */
  readonly mark: string | null;
  readonly members: Set<Member>;
  /** Bytes of questions without answer. */
  asked: number;
  /** Bytes of questions that are not whole yet. */
  buffered: number;
}

/** The peers that are connected, by name. INVARIANT: one peer takes no more than its share, whatever number of connections it opens. */
export class PeerAccounts {
  readonly #peers: PeerFolder;
  readonly #accounts = new Map<string, PeerAccount>();
  readonly #claims = new RateMeter(CLAIMS);
  readonly #approvalQuestions = new RateMeter(APPROVAL_QUESTIONS);
  readonly #firstApprovals = new RateMeter(FIRST_APPROVALS);
  readonly #asks = new RateMeter(ASKS);

  constructor(peers: PeerFolder) {
    this.#peers = peers;
  }

  /** Takes in a connection that has proven itself. @throws SallyportError KEEPER_BUSY */
  enter(credential: PeerCredential, mark: string | null, member: Member): PeerAccount {
    const { name, role } = credential;
    const known = this.#accounts.get(name);
    // A name whose token was made anew: who came with the old one is somebody else.
    if (known !== undefined && known.credential.token !== credential.token) this.#cut(known);
    const account = this.#accounts.get(name) ?? { credential, mark, members: new Set(), asked: 0, buffered: 0 };
    if (account.members.size >= MAX_PER_PEER) {
      throw new SallyportError('KEEPER_BUSY', `a peer has at most ${MAX_PER_PEER} connections`);
    }
    if (
      this.#proven(null) >= MAX_PROVEN ||
      (role === 'gate' && this.#proven(role) >= MAX_PROVEN - KEPT_FOR_OPERATORS)
    ) {
      throw new SallyportError('KEEPER_BUSY', 'too many gates are connected');
    }
    account.members.add(member);
    this.#accounts.set(name, account);
    return account;
  }

  leave(account: PeerAccount, member: Member): void {
    account.members.delete(member);
    const { name } = account.credential;
    if (account.members.size === 0 && this.#accounts.get(name) === account) this.#accounts.delete(name);
  }

  /** Cuts the connections of peers whose token is gone, or another one. */
  cutRevoked(): void {
    for (const account of [...this.#accounts.values()]) {
      if (account.mark === null || this.#peers.markOf(account.credential.name) !== account.mark) this.#cut(account);
    }
  }

  /** @throws SallyportError KEEPER_BUSY when a peer claims more keys than it may */
  checkClaim(name: string): void {
    if (!this.#claims.take(name)) throw new SallyportError('KEEPER_BUSY', 'this peer claims keys too fast');
  }

  /** @throws SallyportError KEEPER_BUSY when a peer asks too often what was approved */
  checkApprovalOf(name: string): void {
    if (this.#approvalQuestions.take(name)) return;
    throw new SallyportError('KEEPER_BUSY', 'this peer asks too often what was approved');
  }

  /** @throws SallyportError KEEPER_BUSY when a peer has too many policies taken as approved */
  checkApproveFirst(name: string): void {
    if (this.#firstApprovals.take(name)) return;
    throw new SallyportError('KEEPER_BUSY', 'this peer has too many new policies');
  }

  /** @throws SallyportError KEEPER_BUSY when a peer asks too often for a yes */
  checkAsk(name: string): void {
    if (!this.#asks.take(name)) throw new SallyportError('KEEPER_BUSY', 'this peer asks too often for a yes');
  }

  #cut(account: PeerAccount): void {
    this.#accounts.delete(account.credential.name);
    for (const member of account.members) member.close();
  }

  #proven(role: 'gate' | null): number {
    let count = 0;
    for (const { credential, members } of this.#accounts.values()) {
      if (role === null || credential.role === role) count += members.size;
    }
    return count;
  }
}
