import { requestAsJson } from '../approvals/index.ts';
import { type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
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
      const { by, advisory } = await keeper.perform(readAct(act), authority, peer);
      return { by: { ...by }, advisory };
    }),
    operators: guarded(async (input) => {
      REQUESTS.operators(input, 'operators');
      return (await keeper.operators()).map((operator) => ({ ...operator, groups: [...operator.groups] }));
    }),
  };
}

const asJson = (summary: ApprovalSummary): JsonObject => ({
  ...summary,
  yes: summary.yes.map((approver) => ({ ...approver })),
  scope: summary.scope === null ? null : { ...summary.scope },
});
