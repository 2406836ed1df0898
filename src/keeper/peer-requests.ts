import { type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Holder } from './calls.ts';
import type { EmbeddedKeeper } from './embedded-keeper.ts';
import { operatorAnswers } from './operator-requests.ts';
import { peerMark } from './operators.ts';
import type { PeerAccounts } from './peer-accounts.ts';
import type { PeerRole } from './peer-folder.ts';
import type { ApprovedPolicy } from './policy-approval.ts';
import { REQUESTS, type RequestName } from './requests.ts';

/** Scopes that one connection may load policies for: one gate has one, and a gateway a few. */
const MAX_SCOPES = 64;
/** Characters of an approval as JSON. */
const MAX_APPROVAL = 2_621_440;
/** How far ahead a claim may end, in milliseconds: 400 days. */
const MAX_CLAIM_MS = 34_560_000_000;

/** One connection of a peer, as far as the powers of the keeper go. */
export interface PeerHolder extends Holder {
  readonly peer: string;
  readonly role: PeerRole;
}

export type Answers = { readonly [Name in RequestName]: (input: JsonValue) => Promise<JsonValue> };

export interface PeerPowers {
  readonly keeper: EmbeddedKeeper;
  readonly accounts: PeerAccounts;
  readonly holder: PeerHolder;
  /** The peer says that it does not come back. */
  readonly leave: () => void;
}

/**
 * What a peer can have, by the name of the question. ATTACKER-CONTROLLED: every input; it is read by `REQUESTS`, and no
 * input says whose calls it is about: that is the connection.
 * INVARIANT: every record that a peer causes names it in `detail.peer`, whatever the peer says stands there.
 */
export function answersFor({ keeper, accounts, holder, leave }: PeerPowers): Answers {
  const { peer, role } = holder;
  const signed = (detail: JsonObject | undefined): JsonObject => ({ ...detail, peer });
  /** INVARIANT: an operator's connection that is used as a gate answers nothing from then on. */
  const markTool = async (): Promise<void> => {
    if (role === 'operator') await keeper.usedByTool(peerMark(peer));
  };
  const scopes = new Set<string>();
  return {
    policyLoaded: async (input) => {
      const notice = REQUESTS.policyLoaded(input, 'policy');
      scopes.add(notice.scope);
      if (scopes.size > MAX_SCOPES) throw new SallyportError('KEEPER_BUSY', `a peer has at most ${MAX_SCOPES} scopes`);
      return keeper.policyLoaded({ ...notice, detail: signed(withoutOperatorWords(notice.detail)) }, peer);
    },
    approvalOf: async (input) => {
      accounts.checkApprovalOf(peer);
      const approved = await keeper.approvalOf(REQUESTS.approvalOf(input, 'policy'));
      return approved === null ? null : asAnswer(approved);
    },
    approveFirst: async (input) => {
      accounts.checkApproveFirst(peer);
      await keeper.approveFirst(REQUESTS.approveFirst(input, 'policy'), peer);
      return null;
    },
    authenticate: async (input) => {
      const found = await keeper.authenticate(REQUESTS.authenticate(input, 'authenticate').token);
      return found === null ? null : { ...found };
    },
    openSession: async (input) => {
      const { caller, surface, detail } = REQUESTS.openSession(input, 'session');
      await markTool();
      return { ...(await keeper.openSession(caller, surface, signed(detail))) };
    },
    endSession: async (input) => {
      const { principal, surface, end } = REQUESTS.endSession(input, 'session');
      await keeper.endSession(principal, surface, { ...end, detail: signed(end.detail) });
      return null;
    },
    ...callAnswers({ keeper, accounts, holder, signed, markTool }),
    ...resultAnswers({ keeper, holder }),
    ...operatorAnswers({ keeper, holder }),
    stop: async (input) => {
      const { flag, reason } = REQUESTS.stop(input, 'stop');
      await keeper.stop(flag, reason, peer);
      return null;
    },
    resume: async (input) => {
      const { flag } = REQUESTS.resume(input, 'resume');
      if (role !== 'operator') throw new SallyportError('PEER_REFUSED', 'only an operator takes a stop back');
      await keeper.resume(flag, peer);
      return null;
    },
    stops: async (input) => {
      REQUESTS.stops(input, 'stops');
      return (await keeper.stops()).map((flag) => ({ ...flag }));
    },
    claim: async (input) => {
      const { space, key, expiresAt } = REQUESTS.claim(input, 'claim');
      if (expiresAt > Date.now() + MAX_CLAIM_MS) {
        throw new SallyportError('STORE_REQUEST', 'a peer claims a key for at most 400 days');
      }
      accounts.checkClaim(peer);
      return keeper.claim(space, key, expiresAt);
    },
    leave: async (input) => {
      REQUESTS.leave(input, 'leave');
      leave();
      return null;
    },
  };
}

/** What a gate asks about what goes out with a call, and what came back. */
function resultAnswers({
  keeper,
  holder,
}: Pick<PeerPowers, 'keeper' | 'holder'>): Pick<Answers, 'secret' | 'redact' | 'isReleased'> {
  return {
    secret: async (input) => {
      const { call, use } = REQUESTS.secret(input, 'secret');
      return keeper.secretFor(holder, call, use);
    },
    redact: async (input) => {
      const { value, reader } = REQUESTS.redact(input, 'redact');
      return { ...(await keeper.redact(value, reader)) };
    },
    isReleased: async (input) => keeper.isReleased(REQUESTS.isReleased(input, 'result')),
  };
}

interface CallPowers extends Pick<PeerPowers, 'keeper' | 'accounts' | 'holder'> {
  readonly signed: (detail: JsonObject | undefined) => JsonObject;
  readonly markTool: () => Promise<void>;
}
type CallRequest = 'isUncertain' | 'reserve' | 'giveBack' | 'refuse' | 'admit' | 'ask' | 'settle' | 'adopt';

/** What a gate asks about calls. */
function callAnswers({ keeper, accounts, holder, signed, markTool }: CallPowers): Pick<Answers, CallRequest> {
  const { peer } = holder;
  return {
    isUncertain: async (input) => keeper.isUncertain(REQUESTS.isUncertain(input, 'call')),
    reserve: async (input) => ({ ...(await keeper.reserve(REQUESTS.reserve(input, 'reserve'), holder)) }),
    giveBack: async (input) => {
      await keeper.giveBack(REQUESTS.giveBack(input, 'lease').lease, holder);
      return null;
    },
    refuse: async (input) => {
      const { intent } = REQUESTS.refuse(input, 'refuse');
      // How many refusals have no record is the keeper's to say.
      const { suppressedRefusals: _said, ...detail } = intent.detail ?? {};
      return { ...(await keeper.refuse({ ...intent, detail: signed(detail) }, peer)) };
    },
    admit: async (input) => {
      const { call, intent, admitted, grant, lease } = REQUESTS.admit(input, 'admit');
      await markTool();
      // Which places a call has is the keeper's to say.
      const { slots: _said, ...detail } = admitted.detail ?? {};
      const draft = {
        intent: { ...intent, detail: signed(intent.detail) },
        admitted: { ...admitted, detail },
        grant,
        lease,
      };
      return { ...(await keeper.admitFor(holder, call, draft)) };
    },
    ask: async (input) => {
      accounts.checkAsk(peer);
      const { intent, binding, after } = REQUESTS.ask(input, 'ask');
      await markTool();
      const question = { intent: { ...intent, detail: signed(intent.detail) }, binding, after };
      return { ...(await keeper.ask(question, peer)) };
    },
    settle: async (input) => {
      const { call, outcome, use } = REQUESTS.settle(input, 'settle');
      return { ...(await keeper.settleFor(holder, call, { ...outcome, detail: signed(outcome.detail) }, use)) };
    },
    adopt: async (input) => keeper.adopt(holder, REQUESTS.adopt(input, 'adopt').call),
  };
}

/** INVARIANT: an answer is no longer than what a peer may leave unread; a YAML text grows at most to twice its length. */
function asAnswer(approved: ApprovedPolicy): JsonObject {
  const answer: JsonObject = { ...approved };
  if (JSON.stringify(answer).length <= MAX_APPROVAL) return answer;
  throw new SallyportError('POLICY_APPROVAL', 'what was approved is too long to be sent');
}

/** What only the keeper says of a policy: that it was approved, and by whom. */
function withoutOperatorWords(detail: JsonObject | undefined): JsonObject {
  const { approved: _approved, by: _by, firstUse: _firstUse, ...rest } = detail ?? {};
  return rest;
}
