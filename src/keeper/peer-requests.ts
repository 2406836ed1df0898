import { type JsonValue, SallyportError } from '../core/index.ts';
import type { Holder } from './calls.ts';
import type { EmbeddedKeeper } from './embedded-keeper.ts';
import type { PeerRole } from './peer-folder.ts';
import { REQUESTS, type RequestName } from './requests.ts';

/** Scopes that one connection may load policies for: one gate has one, and a gateway a few. */
const MAX_SCOPES = 64;

/** One connection of a peer, as far as the powers of the keeper go. */
export interface PeerHolder extends Holder {
  readonly peer: string;
  readonly role: PeerRole;
}

export type Answers = { readonly [Name in RequestName]: (input: JsonValue) => Promise<JsonValue> };

/**
 * What a peer can have, by the name of the question. ATTACKER-CONTROLLED: every input; it is read by `REQUESTS`, and no
 * input says whose calls it is about: that is the connection.
 */
export function answersFor(keeper: EmbeddedKeeper, holder: PeerHolder, leave: () => void): Answers {
  const scopes = new Set<string>();
  return {
    policyLoaded: async (input) => {
      const notice = REQUESTS.policyLoaded(input, 'policy');
      scopes.add(notice.scope);
      if (scopes.size > MAX_SCOPES) throw new SallyportError('KEEPER_BUSY', `a peer has at most ${MAX_SCOPES} scopes`);
      return keeper.policyLoaded(notice);
    },
    authenticate: async (input) => {
      const found = await keeper.authenticate(REQUESTS.authenticate(input, 'authenticate').token);
      return found === null ? null : { ...found };
    },
    openSession: async (input) => {
      const { caller, surface, detail } = REQUESTS.openSession(input, 'session');
      return { ...(await keeper.openSession(caller, surface, { ...detail, peer: holder.peer })) };
    },
    isUncertain: async (input) => keeper.isUncertain(REQUESTS.isUncertain(input, 'call')),
    refuse: async (input) => {
      const { intent } = REQUESTS.refuse(input, 'refuse');
      return { ...(await keeper.refuse(intent)) };
    },
    admit: async (input) => {
      const { call, intent, admitted } = REQUESTS.admit(input, 'admit');
      return { ...(await keeper.admitFor(holder, call, intent, admitted)) };
    },
    settle: async (input) => {
      const { call, outcome } = REQUESTS.settle(input, 'settle');
      return { ...(await keeper.settleFor(holder, call, outcome)) };
    },
    adopt: async (input) => keeper.adopt(holder, REQUESTS.adopt(input, 'adopt').call),
    stop: async (input) => {
      const { flag, reason } = REQUESTS.stop(input, 'stop');
      await keeper.stop(flag, reason);
      return null;
    },
    resume: async (input) => {
      const { flag } = REQUESTS.resume(input, 'resume');
      if (holder.role !== 'operator') throw new SallyportError('PEER_REFUSED', 'only an operator takes a stop back');
      await keeper.resume(flag);
      return null;
    },
    stops: async (input) => {
      REQUESTS.stops(input, 'stops');
      return (await keeper.stops()).map((flag) => ({ ...flag }));
    },
    claim: async (input) => {
      const { space, key, expiresAt } = REQUESTS.claim(input, 'claim');
      return keeper.claim(space, key, expiresAt);
    },
    leave: async (input) => {
      REQUESTS.leave(input, 'leave');
      leave();
      return null;
    },
  };
}
