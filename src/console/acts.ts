import { type JsonObject, shape } from '../core/index.ts';
import { type ActSummary, actChallenge, actScreen, type OperatorProof, plain, readProof } from '../keeper/index.ts';
import type { Handler } from './context.ts';

/** The acts that wait for an operator. */
export const listActs: Handler = async ({ keeper }) => ({ acts: (await keeper.proposedActs()).map(summaryJson) });

/**
 * The whole of one, and what a credential proves for it.
 * INVARIANT: what is shown and what is proven are made from one copy, which the keeper holds; nothing of it is cut.
 */
export const showAct: Handler = async ({ keeper }, { name }) => {
  const proposed = await keeper.proposedAct(name);
  const { id, act, createdAt, expiresAt, advisory } = proposed;
  const { title, lines } = actScreen(proposed);
  const summary = { id, act: act.act, createdAt, expiresAt };
  return { ...summary, advisory, title, lines: [...lines], challenge: actChallenge(id, act) };
};

const readProving = shape<{ proof: OperatorProof }>({ proof: readProof });

/** Does it. INVARIANT: the keeper wants a proof once a credential is registered; the token of the console is none. */
export const proveAct: Handler = async ({ keeper }, { name, body }) => {
  const { by, advisory } = await keeper.proveAct(name, readProving(body, 'body').proof);
  return { done: plain(name), by: { operator: by.operator, user: plain(by.user) }, advisory };
};

const readNothing = shape<Record<never, never>>({});

/** Says no to it. */
export const declineAct: Handler = async ({ keeper }, { name, body }) => {
  readNothing(body, 'body');
  await keeper.declineAct(name);
  return { declined: plain(name) };
};

const summaryJson = ({ id, act, createdAt, expiresAt }: ActSummary): JsonObject => ({ id, act, createdAt, expiresAt });
