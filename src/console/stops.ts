import { type JsonObject, shape, text } from '../core/index.ts';
import { plain, readStopFlag, type StopFlag } from '../keeper/index.ts';
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

const readResume = shape<{ flag: StopFlag }>({ flag: readStopFlag });

/** Takes a stop back. */
export const resume: Handler = async ({ keeper }, { body }) => {
  const { flag } = readResume(body, 'body');
  await keeper.resume(flag);
  return { resumed: flagJson(flag) };
};
