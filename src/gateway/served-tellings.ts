import { escapeForTerminal, type JsonObject } from '../core/index.ts';
import type { CallExchange } from '../gate/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import type { ClientRequest } from './exchange.ts';
import { latestPace } from './latest-pace.ts';
import { type ServedContext, tellingAction } from './served-context.ts';

/** Log messages of one round that are told, and of these that wait for the gate; the rest is dropped. */
const MAX_LOGS = 1_000;
const MAX_WAITING_LOGS = 100;

/** Reports of progress of one round that cross the gate within a second: the newest, and the last one in any case. */
const PROGRESS_PER_SECOND = 20;

/** Longest text beside a progress, in UTF-16 code units before it is escaped. */
const MAX_PROGRESS_MESSAGE = 1_000;

/** What a server says about a call that runs, on its way to the client. */
interface Tellings {
  readonly tell: CallExchange['tell'];
  /** Resolves when all of it was told, and nothing more will be. */
  readonly settled: () => Promise<void>;
}

/** Passes notifications about a call on, each through the gate, before the call is answered. */
export function tellInOrder({ session }: ServedContext, server: ApprovedServer, request: ClientRequest): Tellings {
  const pass = async (method: string, params: JsonObject): Promise<void> => {
    const way = method === 'notifications/progress' ? request.progress : request.log;
    if (way === null) return;
    // Read by the guard as it was written: what is escaped before says the same to a model, and something else to the guard.
    const isProgress = method === 'notifications/progress';
    const tell = (clean: JsonObject): Promise<void> => way(isProgress ? readable(clean) : clean);
    await session.act(tellingAction(server, method, params, tell)).catch(() => undefined); // a client that is gone hears nothing
  };
  const progress = latestPace<JsonObject>((params) => pass('notifications/progress', params), PROGRESS_PER_SECOND);
  const logs = logsInOrder((params) => pass('notifications/message', params));
  return {
    tell: (method, params) => {
      if (method === 'notifications/progress') {
        const read = request.progress === null ? null : readProgress(server, params);
        if (read !== null) progress.push(read);
      } else if (request.log !== null) {
        const read = readLog(params);
        if (read !== null) logs.push(read);
      }
    },
    settled: async () => void (await Promise.all([progress.finish(), logs.finish()])),
  };
}

/** One after the other; what comes faster than it can be judged is dropped. */
function logsInOrder(pass: (params: JsonObject) => Promise<void>): {
  readonly push: (params: JsonObject) => void;
  readonly finish: () => Promise<void>;
} {
  let [told, waiting] = [0, 0];
  let last: Promise<void> = Promise.resolve();
  return {
    push: (params) => {
      if (told >= MAX_LOGS || waiting >= MAX_WAITING_LOGS) return;
      told += 1;
      waiting += 1;
      last = last
        .then(() => pass(params))
        .finally(() => {
          waiting -= 1;
        });
    },
    finish: () => last,
  };
}

/**
 * Numbers, which say nothing; words only of a server whose log messages the policy lets pass, and these short and without
 * anything that hides or moves. Null for what is no progress. ATTACKER-CONTROLLED: `params`.
 */
function readProgress(
  { rule }: Pick<ApprovedServer, 'rule'>,
  { progress, total, message }: JsonObject,
): JsonObject | null {
  if (!Number.isFinite(progress) || progress === undefined) return null;
  const words = rule.actions.logging !== null && typeof message === 'string' ? message : null;
  return {
    progress,
    ...(Number.isFinite(total) && total !== undefined ? { total } : {}),
    ...(words === null ? {} : { message: words.slice(0, MAX_PROGRESS_MESSAGE).toWellFormed() }),
  };
}

/** The words beside a progress, on one line. */
const readable = (params: JsonObject): JsonObject =>
  typeof params['message'] === 'string' ? { ...params, message: escapeForTerminal(params['message']) } : params;

/** Largest log message, in bytes of JSON: a larger one is told nobody, so the guard does not read it and no record holds it. */
const MAX_LOG_BYTES = 65_536;

/** The known fields of a log message; null for one that is too large. ATTACKER-CONTROLLED: `params`. */
export function readLog(params: JsonObject): JsonObject | null {
  const log = Object.fromEntries(
    ['level', 'logger', 'data']
      .filter((field) => params[field] !== undefined)
      .map((field) => [field, params[field] ?? null]),
  );
  return Buffer.byteLength(JSON.stringify(log)) > MAX_LOG_BYTES ? null : log;
}
