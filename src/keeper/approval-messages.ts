import type {
  ApprovalRequest,
  Approver,
  Binding,
  LastApproved,
  Operator,
  OperatorProof,
  Scope,
} from '../approvals/index.ts';
import type { ErrorCode, JsonObject } from '../core/index.ts';
import type { IntentDraft } from './keeper.ts';

/** What a gate asks: the intent of a call that the policy wants a yes for, and everything that the yes would cover. */
export interface ApprovalQuestionDraft {
  readonly intent: IntentDraft;
  readonly binding: Binding;
  /**
   * The request that the call waited for. Where that is over and left no yes for the call as it is now, the answer says so, and
   * nobody is asked anew: whoever answered once is not asked again for the same call.
   */
  readonly after?: string | undefined;
}

/** What became of the question. `retryAt`: milliseconds since the epoch, when asking again may help. */
export type ApprovalStatus =
  | { readonly kind: 'granted'; readonly grant: string }
  | {
      readonly kind: 'waiting';
      readonly id: string;
      readonly expiresAt: number;
      /** Agent and person share a user id and no stronger credential is set up: say so wherever a person is asked. */
      readonly advisory: boolean;
    }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string; readonly retryAt: number };

/** A waiting request in a list. ATTACKER-CONTROLLED: its names. */
export interface ApprovalSummary {
  readonly id: string;
  readonly tool: string;
  readonly user: string;
  readonly agent: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** People who have to say yes, and who did. */
  readonly people: number;
  readonly yes: readonly Approver[];
  /** The scope that the first of them chose. */
  readonly scope: Scope | null;
}

/** A waiting request as it is shown: `screenOf(request.binding, last)`, and `challengeOf(request, answer)` to prove an answer. */
export interface ApprovalView {
  readonly request: ApprovalRequest;
  readonly last: LastApproved | null;
  readonly advisory: boolean;
}

/** What an answer came to. */
export type AnswerReceipt =
  | { readonly kind: 'granted'; readonly grant: string }
  | { readonly kind: 'waiting'; readonly people: number; readonly yes: number }
  | { readonly kind: 'denied' };

/** The use of a grant: which, and for what. The keeper compares it with the intent. */
export interface GrantUse {
  readonly id: string;
  readonly binding: Binding;
}

/** A credential that is to be let in. A passkey comes as the browser made it. */
export type OperatorRegistration =
  | Omit<Operator & { readonly class: 'user-id' }, 'letInBy'>
  | Omit<Operator & { readonly class: 'webhook' }, 'letInBy'>
  | {
      readonly class: 'passkey';
      readonly name: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly rpId: string;
      readonly origin: string;
      /** RegistrationResponseJSON of WebAuthn. */
      readonly response: JsonObject;
    };

/** What is left when a credential was taken away. */
export interface OperatorRemoval {
  /** True when it was the last one: from now on a yes is good without a credential, and every screen says "advisory". */
  readonly advisory: boolean;
}

/**
 * Who lets it in, or takes it away: a one-time code that the keeper's process printed, or an operator who proves it over the
 * registration or the removal.
 */
export type RegistrationAuthority = { readonly code: string } | { readonly proof: OperatorProof };
