import { requestAsJson } from '../approvals/index.ts';
import { type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { ActReceipt } from './act-messages.ts';
import type { ApprovalSummary } from './approval-messages.ts';
import type { EmbeddedKeeper } from './embedded-keeper.ts';
import { readAct } from './operator-acts.ts';
import type { Answers, PeerHolder } from './peer-requests.ts';
import { REQUESTS } from './requests.ts';

/** What only the connection of an operator is for. */
type OperatorRequest =
  | 'approvals'
  | 'approval'
  | 'answer'
  | 'offerRegistration'
  | 'registerOperator'
  | 'removeOperator'
  | 'offerAct'
  | 'perform'
  | 'proposeAct'
  | 'proposedActs'
  | 'proposedAct'
  | 'actOutcome'
  | 'proveAct'
  | 'declineAct'
  | 'operators';

/**
 * The operator's side of the keeper over the socket. ATTACKER-CONTROLLED: every input.
 * INVARIANT: a gate sees no request of others and answers none, whatever it says: its role stands in the keeper's folder.
 */
export function operatorAnswers({
  keeper,
  holder: { peer, role },
}: {
  readonly keeper: EmbeddedKeeper;
  readonly holder: PeerHolder;
}): Pick<Answers, OperatorRequest> {
  const guarded =
    (answer: (input: JsonValue) => Promise<JsonValue>) =>
    async (input: JsonValue): Promise<JsonValue> => {
      if (role !== 'operator') throw new SallyportError('PEER_REFUSED', 'only an operator sees and answers requests');
      return answer(input);
    };
  return {
    approvals: guarded(async (input) => {
      REQUESTS.approvals(input, 'approvals');
      return (await keeper.approvals()).map(asJson);
    }),
    approval: guarded(async (input) => {
      const { request, last, advisory } = await keeper.approval(REQUESTS.approval(input, 'approval').id);
      return { request: requestAsJson(request), last: last === null ? null : { ...last }, advisory };
    }),
    answer: guarded(async (input) => {
      const { id, answer, proof } = REQUESTS.answer(input, 'answer');
      return { ...(await keeper.answer(id, answer, proof, peer)) };
    }),
    offerRegistration: guarded(async (input) => {
      REQUESTS.offerRegistration(input, 'offer');
      return keeper.offerRegistration();
    }),
    registerOperator: guarded(async (input) => {
      const { offer, registration, authority } = REQUESTS.registerOperator(input, 'registration');
      await keeper.registerOperator(offer, registration, authority, peer);
      return null;
    }),
    removeOperator: guarded(async (input) => {
      const { offer, operator, authority } = REQUESTS.removeOperator(input, 'removal');
      return { ...(await keeper.removeOperator(offer, operator, authority, peer)) };
    }),
    offerAct: guarded(async (input) => {
      REQUESTS.offerAct(input, 'offer');
      return { ...(await keeper.offerAct()) };
    }),
    perform: guarded(async (input) => {
      const { act, authority } = REQUESTS.perform(input, 'perform');
      return receiptJson(await keeper.perform(readAct(act), authority, peer));
    }),
    ...proposedAnswers(keeper, peer, guarded),
    operators: guarded(async (input) => {
      REQUESTS.operators(input, 'operators');
      return (await keeper.operators()).map((operator) => ({ ...operator, groups: [...operator.groups] }));
    }),
  };
}

type Guarded = (answer: (input: JsonValue) => Promise<JsonValue>) => (input: JsonValue) => Promise<JsonValue>;
type ProposalRequest = 'proposeAct' | 'proposedActs' | 'proposedAct' | 'actOutcome' | 'proveAct' | 'declineAct';

/** Acts that wait for an operator. */
function proposedAnswers(keeper: EmbeddedKeeper, peer: string, guarded: Guarded): Pick<Answers, ProposalRequest> {
  return {
    proposeAct: guarded(async (input) => {
      const { act, waitMs } = REQUESTS.proposeAct(input, 'proposal');
      return { ...(await keeper.proposeAct(readAct(act), waitMs, peer)) };
    }),
    proposedActs: guarded(async (input) => {
      REQUESTS.proposedActs(input, 'acts');
      return (await keeper.proposedActs()).map((summary) => ({ ...summary }));
    }),
    proposedAct: guarded(async (input) => {
      const { act, about, ...rest } = await keeper.proposedAct(REQUESTS.proposedAct(input, 'act').id);
      return { ...rest, act: { ...act }, about: { ...about } };
    }),
    actOutcome: guarded(async (input) => {
      const outcome = await keeper.actOutcome(REQUESTS.actOutcome(input, 'outcome').id, peer);
      return outcome.kind === 'done' ? { kind: 'done', receipt: receiptJson(outcome.receipt) } : { ...outcome };
    }),
    proveAct: guarded(async (input) => {
      const { id, proof } = REQUESTS.proveAct(input, 'proof');
      return receiptJson(await keeper.proveAct(id, proof, peer));
    }),
    declineAct: guarded(async (input) => {
      await keeper.declineAct(REQUESTS.declineAct(input, 'act').id, peer);
      return null;
    }),
  };
}

const receiptJson = ({ by, advisory }: ActReceipt): JsonObject => ({ by: { ...by }, advisory });

const asJson = (summary: ApprovalSummary): JsonObject => ({
  ...summary,
  yes: summary.yes.map((approver) => ({ ...approver })),
  scope: summary.scope === null ? null : { ...summary.scope },
});
