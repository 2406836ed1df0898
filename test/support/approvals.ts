import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  type Answer,
  type Binding,
  challengeOf,
  type OperatorProof,
  type Scope,
  userIdMessage,
} from '../../src/approvals/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import { type ApprovalQuestionDraft, type IntentDraft, type Keeper, whoIs } from '../../src/keeper/index.ts';
import { DIGEST } from './keeper-contract.ts';

/** A call of `pay` by an agent of ann, as a gate would describe it. */
export const bindingOf = (more: Partial<Binding> = {}): Binding => ({
  principal: { tenant: 't', user: 'ann', agent: 'a', chain: [] },
  tool: 'pay',
  server: null,
  arguments: { amount: 1, to: 'bob' },
  facts: { runs: 'remote', paths: {}, requests: {}, programs: [] },
  definition: 'd'.repeat(64),
  obligations: { isolation: ['none'], timeoutMs: 60_000 },
  secrets: [],
  destination: ['bank.example'],
  policy: DIGEST,
  why: { rule: 'tools.pay.requiresConfirmation', code: 'CONFIRMATION_REQUIRED', reason: 'it asks for every call' },
  approvers: { groups: [], people: 1, ownUser: true },
  ...more,
});

/** A session of ann's agent, and a way to ask for calls in it. */
export async function asker(
  keeper: Keeper,
): Promise<(more?: Partial<Binding>) => ApprovalQuestionDraft & { readonly intent: IntentDraft }> {
  const principal = await keeper.openSession({ tenant: 't', user: 'ann', agent: 'a', proof: 'local' }, 'library');
  const epoch = await keeper.policyLoaded({ scope: 'p', digest: DIGEST, source: 'x', rules: 1, mode: 'enforce' });
  return (more = {}) => {
    const binding = bindingOf(more);
    const { user, agent } = binding.principal;
    const intent: IntentDraft = {
      ...whoIs({ ...principal, user, agent }),
      ...{ tool: binding.tool, epoch, decision: 'confirm', policyDigest: binding.policy },
      ...(binding.server === null ? {} : { server: binding.server }),
      payloads: { arguments: binding.arguments },
    };
    return { intent, binding };
  };
}

export const ONCE: Answer = { kind: 'approve', scope: { kind: 'once' }, full: false };
export const yesTo = (scope: Scope): Answer => ({ kind: 'approve', scope, full: false });
export const NO: Answer = { kind: 'deny', reason: 'no' };
export const LOCAL: OperatorProof = { class: 'local' };

/** Asks, and returns the name of the request that waits. */
export async function askFor(keeper: Keeper, question: ApprovalQuestionDraft): Promise<string> {
  const status = await keeper.ask(question);
  if (status.kind !== 'waiting') throw new Error(`expected a request that waits, got ${JSON.stringify(status)}`);
  return status.id;
}

/** Asks, has a person say yes, and returns the grant. */
export async function grantFor(
  { gate, operator }: { gate: Keeper; operator: Keeper },
  question: ApprovalQuestionDraft,
  answer: Answer = ONCE,
): Promise<string> {
  const receipt = await operator.answer(await askFor(gate, question), answer, LOCAL);
  if (receipt.kind !== 'granted') throw new Error(`expected a grant, got ${JSON.stringify(receipt)}`);
  return receipt.grant;
}

/** Admits a call with a grant, and settles it. */
export async function run(keeper: Keeper, { intent, binding }: ApprovalQuestionDraft, id: string): Promise<void> {
  const admission = await keeper.admit(intent, {}, { id, binding });
  await keeper.settle(admission, { outcome: 'delivered' });
}

/** A key of another user id. */
export class UserKey {
  readonly #privateKey: KeyObject;
  readonly registration: JsonObject & { readonly class: 'user-id' };
  readonly name: string;

  constructor(name: string, { user = name, groups = [] }: { user?: string; groups?: readonly string[] } = {}) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    this.name = name;
    const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64url');
    this.registration = { class: 'user-id', name, user, groups: [...groups], publicKey: key, uid: 54_321 };
  }

  /** The private key, as `--key` takes it. */
  get pem(): string {
    return String(this.#privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }

  proof(challenge: string): OperatorProof {
    const signature = sign(null, userIdMessage(challenge), this.#privateKey).toString('base64url');
    return { class: 'user-id', operator: this.name, signature };
  }

  async answer(keeper: Keeper, id: string, answer: Answer): Promise<ReturnType<Keeper['answer']>> {
    const { request } = await keeper.approval(id);
    return keeper.answer(id, answer, this.proof(challengeOf(request, answer)));
  }
}
