import {
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject } from '../core/index.ts';
import type { ClientLimits } from './client-limits.ts';
import { LOG_LEVELS } from './client-params.ts';
import type { ClientAbilities, ClientRequest } from './exchange.ts';
import { type Notices, pacedNotices } from './notices.ts';

/** The two eras of MCP: with an `initialize` handshake (2025), or without any session (2026). */
export type Era = 'legacy' | 'modern';

/** What a request is read with, besides its own message. */
export interface RequestSetting {
  readonly era: Era;
  readonly server: Server;
  readonly limits: ClientLimits;
  /** The session offers log messages. */
  readonly logging: boolean;
  /** The level that the client of a 2025-era session asked for; null for none yet, which lets every level pass. */
  readonly level: string | null;
  /** The client was asked something in this request: only then are answers and state taken from the round before. */
  readonly again: boolean;
}

/** A request as the session reads it, and what has to be called once it is answered. */
export interface OpenRequest {
  readonly request: ClientRequest;
  finish(): Promise<void>;
}

/** Reads one request out of its frame. ATTACKER-CONTROLLED: `given` and everything in `context` but its signal. */
export function openRequest(
  method: string,
  given: JsonObject,
  context: ServerContext,
  setting: RequestSetting,
): OpenRequest {
  const progress = progressOf(context, setting);
  const log = logOf(context, setting);
  const params = Object.fromEntries(Object.entries(given).filter(([name]) => !FRAME_KEYS.has(name)));
  const { inputResponses } = context.mcpReq;
  const state = context.mcpReq.requestState();
  const request: ClientRequest = {
    method,
    params,
    abilities: abilitiesOf(capabilitiesOf(context, setting)),
    answers: setting.again && isJsonObject(inputResponses) ? inputResponses : null,
    state: setting.again && typeof state === 'string' ? state : null,
    signal: context.mcpReq.signal,
    progress: progress === null ? null : (message) => progress.push(message),
    log: log === null ? null : log.push,
  };
  return {
    request,
    finish: async () => {
      await Promise.all([progress?.finish(), log?.finish()]);
    },
  };
}

/** Members of `params` that belong to the frame of a request. `task` is handed on only where tasks are offered. */
const FRAME_KEYS: ReadonlySet<string> = new Set(['_meta', 'inputResponses', 'requestState']);

function capabilitiesOf(context: ServerContext, { era, server }: RequestSetting): unknown {
  return era === 'modern' ? envelopeOf(context)[CLIENT_CAPABILITIES_META_KEY] : server.getClientCapabilities();
}

function envelopeOf({ mcpReq }: ServerContext): JsonObject {
  const envelope: unknown = mcpReq.envelope;
  return isJsonObject(envelope) ? envelope : {};
}

/** What a client says that it can be asked for. An `elicitation` without modes means forms (MCP 2025-11-25). */
function abilitiesOf(capabilities: unknown): ClientAbilities {
  const declared = isJsonObject(capabilities) ? capabilities : {};
  const elicitation = declared['elicitation'];
  const modes = isJsonObject(elicitation) ? elicitation : null;
  const form = modes !== null && (isJsonObject(modes['form']) || !isJsonObject(modes['url']));
  return {
    sampling: isJsonObject(declared['sampling']),
    elicitation: { form, url: modes !== null && isJsonObject(modes['url']) },
    roots: isJsonObject(declared['roots']),
  };
}

/** Longest progress token, in UTF-16 code units. */
const MAX_TOKEN_LENGTH = 256;

function progressOf(context: ServerContext, { limits }: RequestSetting): Notices | null {
  const progressToken: unknown = context.mcpReq._meta?.progressToken;
  const isToken =
    (typeof progressToken === 'string' && progressToken.length <= MAX_TOKEN_LENGTH) ||
    (typeof progressToken === 'number' && Number.isSafeInteger(progressToken));
  if (!isToken) return null;
  const send = (message: JsonObject): Promise<void> =>
    context.mcpReq.notify({ method: 'notifications/progress', params: { ...message, progressToken } });
  return pacedNotices({ send, limits, signal: context.mcpReq.signal, keepLast: true });
}

function logOf(context: ServerContext, setting: RequestSetting): Notices | null {
  const asked: unknown = setting.era === 'modern' ? envelopeOf(context)[LOG_LEVEL_META_KEY] : setting.level;
  const isWanted = setting.era === 'legacy' || (typeof asked === 'string' && LOG_LEVELS.includes(asked));
  if (!setting.logging || !isWanted) return null;
  const send = (message: JsonObject): Promise<void> =>
    context.mcpReq.notify({ method: 'notifications/message', params: { ...message } });
  const paced = pacedNotices({ send, limits: setting.limits, signal: context.mcpReq.signal, keepLast: false });
  return {
    push: async (message) => {
      if (isAtLevel(message, typeof asked === 'string' ? asked : null)) await paced.push(message);
    },
    finish: paced.finish,
  };
}

/** True for a log message at least as severe as `asked`; an unknown level passes nowhere. */
export function isAtLevel(message: JsonObject, asked: string | null): boolean {
  const { level } = message;
  if (typeof level !== 'string' || !LOG_LEVELS.includes(level)) return false;
  return asked === null || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(asked);
}
