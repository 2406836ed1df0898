import { type JsonObject, optional, shape, text } from '../core/index.ts';
import {
  type ActAuthority,
  actChallenge,
  plain,
  readActAuthority,
  readStopFlag,
  type StopFlag,
} from '../keeper/index.ts';
import type { Handler } from './context.ts';

/** A stop as it may be shown. */
export function flagJson(flag: StopFlag): JsonObject {
  if (flag.kind === 'agent') return { kind: 'agent', name: plain(flag.name) };
  return flag.kind === 'session' ? { kind: 'session', id: plain(flag.id) } : { kind: 'all' };
}

export const listStops: Handler = async ({ keeper }) => ({ stops: (await keeper.stops()).map(flagJson) });

const readStop = shape<{ flag: StopFlag; reason: string }>({ flag: readStopFlag, reason: text(1_024) });

/** Stops calls in every process. */
export const stop: Handler = async ({ keeper }, { body }) => {
  const { flag, reason } = readStop(body, 'body');
  await keeper.stop(flag, reason);
  return { stopped: flagJson(flag) };
};

const readResume = shape<{ flag: StopFlag; authority?: ActAuthority }>({
  ...{ flag: readStopFlag, authority: optional(readActAuthority) },
});

/** What an operator proves to take a stop back, once, within a minute. */
export const challengeResume: Handler = async ({ keeper }, { body }) => {
  const { flag } = readStopOnly(body, 'body');
  const { offer, advisory } = await keeper.offerAct();
  return { offer, challenge: actChallenge(offer, { act: 'resume', flag }), advisory };
};

const readStopOnly = shape<{ flag: StopFlag }>({ flag: readStopFlag });

/** Takes a stop back. INVARIANT: the keeper wants a proof once a credential is registered; the token of the console is none. */
export const resume: Handler = async ({ keeper }, { body }) => {
  const { flag, authority } = readResume(body, 'body');
  const { by, advisory } = await keeper.perform({ act: 'resume', flag }, authority);
  return { resumed: flagJson(flag), by: { operator: by.operator, user: plain(by.user) }, advisory };
};
