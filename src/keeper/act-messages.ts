import type { Approver, OperatorProof } from '../approvals/index.ts';
import type { ErrorCode } from '../core/index.ts';
import type { StopFlag } from './keeper.ts';

/**
 * What only an operator does, besides answering requests and letting operators in: it widens what calls may do, or settles what
 * nobody else may. Every field of it is proven over.
 */
export type OperatorAct =
  /** Takes a stop back. */
  | { readonly act: 'resume'; readonly flag: StopFlag }
  /** Lets the text of a policy file in, exactly as it was shown. The paths are those of `PolicyNames`. */
  | {
      readonly act: 'policy-approve';
      readonly file: string;
      readonly real: string;
      /** As `Policy.digest`. */
      readonly digest: string;
      readonly text: string;
      readonly rules: number;
      readonly mode: string;
    }
  /** Lets definitions of a server in. The lock lies beside the policy, and whoever asks writes it afterwards. */
  | {
      readonly act: 'server-approve';
      readonly server: string;
      /** Of the definitions, as `definitionsDigest`. */
      readonly digest: string;
      /** Absolute path of the lock file. */
      readonly lock: string;
    }
  /** Takes a call off the list of those of which nobody knows how they ended. `record`: the number of its admission. */
  | { readonly act: 'unknown-settle'; readonly record: number }
  /**
   * Lets a result through that the guard withheld, by the number of its record: the same result again, of the same tool and for the
   * same user and agent, within 24 hours.
   */
  | { readonly act: 'result-release'; readonly record: number };

/** What an operator proves over, once: named by the keeper, for a minute. */
export interface ActOffer {
  readonly offer: string;
  /** No credential of an operator is registered: the act is done without a proof, and an agent of the same user could do it. */
  readonly advisory: boolean;
}

/** A proof over `actChallenge(offer, act)`. */
export interface ActAuthority {
  readonly offer: string;
  readonly proof: OperatorProof;
}

/** Who did it, as the record says. */
export interface ActReceipt {
  readonly by: Approver;
  /** As in `ActOffer`: nobody proved anything. */
  readonly advisory: boolean;
}

/** An act that waits for an operator to prove it, in a list. */
export interface ActSummary {
  /** Names it, and is part of what is proven. */
  readonly id: string;
  readonly act: OperatorAct['act'];
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A waiting act with everything that a screen shows. A proof is over `actChallenge(id, act)`. */
export interface ProposedAct extends Omit<ActSummary, 'act'> {
  readonly act: OperatorAct;
  /** What the keeper knows of what it names: which tool a record is about. ATTACKER-CONTROLLED: values */
  readonly about: Readonly<Record<string, string>>;
  /** As in `ActOffer`. */
  readonly advisory: boolean;
}

/** What became of a proposed act. */
export type ActOutcome =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'done'; readonly receipt: ActReceipt }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string };
