import type { ServerResponse } from 'node:http';
import { newId } from '../core/index.ts';
import type { Caller } from './caller.ts';
import { callerKey, credentialKey } from './caller.ts';
import { tellEvent } from './client-events.ts';
import type { ClientLimits } from './client-limits.ts';
import { type ClientStream, openStream } from './client-stream.ts';
import { type EventRelay, relayEvents } from './event-relay.ts';
import type { ServedSession } from './exchange.ts';
import { type HttpAnswer, plainAnswer } from './http-answer.ts';
import { admitMessage, INVALID_REQUEST, type Message, protocolError, SERVER_ERROR } from './json-rpc.ts';
import { type LegacyTransport, legacyTransport } from './legacy-transport.ts';
import type { ClientServer } from './mcp-server.ts';
import { pendingQuestions, type Questions } from './questions.ts';
import { isWithinRate, makeRoom, type Room, type RoomOptions } from './session-room.ts';

interface LegacySession {
  readonly id: string;
  readonly owner: string;
  /** The token that opened it: another one of the same name is another client. */
  readonly credential: string;
  readonly client: ClientServer;
  readonly served: ServedSession;
  readonly wire: LegacyTransport;
  readonly questions: Questions;
  /** Null before the session is used: a handshake alone opens nothing behind it. */
  events: EventRelay | null;
  lastUse: number;
}

interface SessionMap extends Room<LegacySession> {
  readonly open: Map<string, LegacySession>;
  readonly opening: string[];
  readonly onError: (error: unknown) => void;
}

export interface LegacySessionsOptions extends RoomOptions {
  readonly clientLimits: ClientLimits;
  /** A gate session, and the server over it, for a session that begins. */
  readonly open: (caller: Caller) => Promise<OpenedSession>;
  readonly onError: (error: unknown) => void;
}

/** What a session of a client consists of. */
interface OpenedSession {
  readonly served: ServedSession;
  readonly client: ClientServer;
}

/** The response to a request, and whether its client takes an event stream in it. */
export interface Reply {
  readonly response: ServerResponse;
  readonly takesStream: boolean;
  /** The client names event streams before JSON: also an answer alone comes as one. */
  readonly prefersStream: boolean;
}

/** The 2025-era sessions of an HTTP front: one transport and one gate session each, bound to the token that opened it. */
export interface LegacySessions {
  /** Answers a POST; null when the answer was written as a stream. */
  post(caller: Caller, sessionId: string | undefined, message: Message, reply: Reply): Promise<HttpAnswer | null>;
  /** Answers a GET with the stream for what belongs to no request, one per session; null once it is open. */
  stream(caller: Caller, sessionId: string | undefined, reply: Reply): HttpAnswer | null;
  end(caller: Caller, sessionId: string | undefined): Promise<HttpAnswer>;
  /** Ends every session of a credential that is not valid any more. */
  revoke(caller: Caller): void;
  /** Ends the streams that would never end by themselves. */
  endStreams(): void;
  size(): number;
  closeAll(): Promise<void>;
}

export function legacySessions(options: LegacySessionsOptions): LegacySessions {
  const sessions: SessionMap = { open: new Map(), opening: [], begun: new Map(), onError: options.onError };
  const find = (caller: Caller, id: string | undefined): LegacySession | null => {
    const session = id === undefined ? undefined : sessions.open.get(id);
    // The session of another token does not exist for this one.
    return session === undefined || session.credential !== credentialKey(caller) ? null : session;
  };
  return {
    post: async (caller, id, message, reply) => {
      if (id === undefined) return begin(options, sessions, caller, { message, reply });
      const session = find(caller, id);
      if (session === null) return SESSION_NOT_FOUND;
      const again = message.kind === 'request' && message.method === 'initialize';
      return again
        ? plainAnswer(400, 'The session is initialized already')
        : postTo(options, session, { message, reply });
    },
    stream: (caller, id, reply) => {
      if (id === undefined) return plainAnswer(400, 'Bad Request: Mcp-Session-Id header is required');
      const session = find(caller, id);
      return session === null ? SESSION_NOT_FOUND : openOwnStream(options, session, reply);
    },
    end: async (caller, id) => {
      const session = find(caller, id);
      if (session === null) return SESSION_NOT_FOUND;
      await close(sessions, session);
      return { status: 200 };
    },
    revoke: (caller) => {
      const credential = credentialKey(caller);
      for (const session of sessions.open.values()) {
        if (session.credential === credential) void close(sessions, session);
      }
    },
    endStreams: () => {
      for (const { wire } of sessions.open.values()) wire.stream()?.end();
    },
    size: () => sessions.open.size,
    closeAll: async () => {
      await Promise.all([...sessions.open.values()].map((session) => close(sessions, session)));
    },
  };
}

/** A message and where its answer goes. */
interface Posted {
  readonly message: Message;
  readonly reply: Reply;
}

const SESSION_NOT_FOUND = plainAnswer(404, 'Session not found');

async function begin(
  options: LegacySessionsOptions,
  sessions: SessionMap,
  caller: Caller,
  posted: Posted,
): Promise<HttpAnswer | null> {
  const { message } = posted;
  if (message.kind !== 'request' || message.method !== 'initialize') {
    return plainAnswer(400, 'Bad Request: Mcp-Session-Id header is required');
  }
  const owner = callerKey(caller);
  closeInherited(sessions, owner, credentialKey(caller));
  const end = (session: LegacySession): void => void close(sessions, session);
  const hasRoom = isWithinRate(options, sessions, owner) && makeRoom(options, sessions, owner, end);
  if (!hasRoom) return plainAnswer(503, 'Too many sessions are open');
  const session = await open(options, sessions, caller);
  const answer = await postTo(options, session, posted).catch((error: unknown) => {
    end(session);
    throw error;
  });
  const accepted = answer !== null && answer.status === 200 && isResult(answer.body);
  if (!accepted) await close(sessions, session);
  return accepted ? { ...answer, headers: { 'mcp-session-id': session.id } } : answer;
}

async function open(options: LegacySessionsOptions, sessions: SessionMap, caller: Caller): Promise<LegacySession> {
  const owner = callerKey(caller);
  sessions.opening.push(owner);
  try {
    const { served, client } = await options.open(caller);
    const questions = pendingQuestions(options.clientLimits);
    const wire = legacyTransport(questions, client.adapt);
    const session: LegacySession = {
      ...{ id: newId('mcp'), owner, credential: credentialKey(caller), lastUse: options.now() },
      ...{ client, served, wire, questions, events: null },
    };
    await client.server.connect(wire.transport);
    sessions.open.set(session.id, session);
    return session;
  } finally {
    sessions.opening.splice(sessions.opening.indexOf(owner), 1);
  }
}

/** The events of a session that is used: they are listened to from then on. */
function eventsOf({ clientLimits, onError }: LegacySessionsOptions, session: LegacySession): EventRelay {
  const { served, client, wire } = session;
  const state = (): 'ready' | 'busy' | 'absent' => {
    const stream = wire.stream();
    if (stream === null) return 'absent';
    return stream.isBusy() ? 'busy' : 'ready';
  };
  const deliver = (event: Parameters<typeof tellEvent>[1]): void => void tellEvent(client.server, event).catch(onError);
  return relayEvents(
    (listener) => served.listen(listener),
    { wants: client.wants, state, deliver },
    clientLimits.eventMs,
  );
}

function openOwnStream(options: LegacySessionsOptions, session: LegacySession, reply: Reply): HttpAnswer | null {
  if (!reply.takesStream) return plainAnswer(406, 'Not Acceptable: the client must accept text/event-stream');
  if (session.wire.stream() !== null) return plainAnswer(409, 'Conflict: the session has a stream already');
  session.lastUse = options.now();
  const stream = openStream(reply.response, options.clientLimits);
  session.wire.attach(stream);
  session.events ??= eventsOf(options, session);
  session.events.flush();
  return null;
}

async function postTo(
  options: LegacySessionsOptions,
  session: LegacySession,
  { message, reply }: Posted,
): Promise<HttpAnswer | null> {
  session.lastUse = options.now();
  const response = session.questions.take(message);
  const verdict = response === null ? admitMessage(message) : 'take';
  if (verdict === 'drop') return { status: 202 };
  if (verdict !== 'take') return { status: 200, body: verdict };
  const trouble = message.kind === 'request' ? pendingTrouble(options, session, message.id) : null;
  if (trouble !== null) return trouble;
  if (isUse(message)) session.events ??= eventsOf(options, session);
  const open = (): ClientStream => openStream(reply.response, options.clientLimits);
  const answer = await session.wire.post(response ?? message, reply.takesStream ? open : null);
  session.lastUse = options.now();
  if (answer === 'streamed') return null;
  if (answer !== null && reply.prefersStream && message.kind === 'request' && message.method !== 'initialize') {
    open().end(answer);
    return null;
  }
  if (answer !== null) return { status: 200, body: answer };
  // A cancelled request: an event stream that ends without a response is how MCP says "none will come".
  return message.kind === 'request'
    ? { status: 200, headers: { 'content-type': 'text/event-stream' } }
    : { status: 202 };
}

const isUse = (message: Message): boolean =>
  message.kind === 'request' && message.method !== 'initialize' && message.method !== 'ping';

function pendingTrouble(
  options: LegacySessionsOptions,
  session: LegacySession,
  id: string | number,
): HttpAnswer | null {
  const refuse = (code: number, text: string): HttpAnswer => ({
    status: 400,
    body: protocolError(code, text, id),
  });
  if (session.wire.isPending(id)) return refuse(INVALID_REQUEST, 'a request with this id is still waiting');
  const full = session.wire.pending() >= options.limits.pendingPerSession;
  return full ? refuse(SERVER_ERROR, 'too many requests are waiting') : null;
}

/** A name has one token at a time: what an earlier one opened is over when a later one comes. */
function closeInherited(sessions: SessionMap, owner: string, credential: string): void {
  for (const session of sessions.open.values()) {
    if (session.owner === owner && session.credential !== credential) void close(sessions, session);
  }
}

async function close(sessions: SessionMap, session: LegacySession): Promise<void> {
  if (!sessions.open.delete(session.id)) return;
  session.events?.end();
  try {
    await session.client.server.close();
    await session.served.close();
  } catch (error) {
    sessions.onError(error);
  }
}

const isResult = (body: unknown): boolean => typeof body === 'object' && body !== null && 'result' in body;
