import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpFront, listenHttp } from '../../src/gateway/http-front.ts';
import { beginSession, type RawReply, rawMcp, rpc, until } from '../support/raw-mcp.ts';
import { answerAll, requestsFor, type ScriptedSession, scriptedSession } from '../support/scripted-session.ts';

let front: HttpFront;
/** The gate session of each MCP session, in the order in which they began. */
let sessions: ScriptedSession[];
beforeEach(async () => {
  sessions = [];
  front = await listenHttp(
    {
      port: 0,
      authenticate: async (token) => ({ id: token, name: token, user: token }),
      clientLimits: { answerBytes: 1_000 },
    },
    async () => {
      const session = scriptedSession(answerAll);
      sessions.push(session);
      return session;
    },
  );
});
afterEach(() => front.close(0));

const post = (session: string, body: object, token = 'one'): Promise<RawReply> =>
  rawMcp({ port: front.port, token, headers: { 'mcp-session-id': session }, body });

interface Asked {
  readonly session: string;
  readonly call: RawReply;
  /** Ids of the questions, by their method. */
  readonly ids: ReadonlyMap<unknown, unknown>;
}

/** A session in which a call waits for three answers. */
async function askedSession(token = 'one'): Promise<Asked> {
  const session = await beginSession(front.port, token);
  const call = await post(session, rpc('tools/call', { name: 'ask', arguments: {} }, 7), token);
  await until(() => call.messages().length === 3);
  return { session, call, ids: new Map(call.messages().map(({ id, method }) => [method, id])) };
}

const FORM_ANSWER = { action: 'accept', content: { name: 'ada' } };
const SAMPLE_ANSWER = { role: 'assistant', content: { type: 'text', text: 'hello' }, model: 'm' };
const answer = (id: unknown, result: object): object => ({ jsonrpc: '2.0', id, result });

async function answerTwo({ session, ids }: Asked, token = 'one'): Promise<void> {
  await post(session, answer(ids.get('sampling/createMessage'), SAMPLE_ANSWER), token);
  await post(session, answer(ids.get('roots/list'), { roots: [] }), token);
}

describe('an answer to a question', () => {
  it('counts once, for an id that was asked, in its own form only', async () => {
    const asked = await askedSession();
    await answerTwo(asked);
    const id = asked.ids.get('elicitation/create');
    for (const guess of [99, -1, `${id}`, '', null, Number(id) + 0.5]) {
      const { status } = await post(asked.session, answer(guess, FORM_ANSWER));
      expect([202, 400]).toContain(status);
    }
    expect(requestsFor(sessions[0] ?? scriptedSession(answerAll), 'tools/call')).toHaveLength(1);
    await Promise.all([1, 2, 3].map(() => post(asked.session, answer(id, FORM_ANSWER))));
    await until(() => asked.call.messages().length === 4);
    const rounds = requestsFor(sessions[0] ?? scriptedSession(answerAll), 'tools/call');
    expect(rounds.map(({ state }) => state?.slice(0, 8) ?? null)).toEqual([null, 'sealed-1']);
    expect(rounds[1]?.answers?.['form']).toEqual(FORM_ANSWER);
  });

  it.each(['one', 'two'])('does not count from another session, of the token %s', async (token) => {
    const asked = await askedSession();
    const other = await beginSession(front.port, token);
    for (const id of asked.ids.values()) {
      expect((await post(other, answer(id, FORM_ANSWER), token)).status).toBe(202);
    }
    expect(requestsFor(sessions[0] ?? scriptedSession(answerAll), 'tools/call')).toHaveLength(1);
    const stolen = await post(asked.session, answer(asked.ids.get('roots/list'), { roots: [] }), 'two');
    expect(stolen.status).toBe(404);
  });

  it('beyond its limit ends the call, and is not taken', async () => {
    const asked = await askedSession();
    const content = { name: 'x'.repeat(2_000) };
    await post(asked.session, answer(asked.ids.get('elicitation/create'), { action: 'accept', content }));
    await until(() => asked.call.messages().some(({ id }) => id === 7));
    expect(asked.call.messages().at(-1)).toMatchObject({ id: 7, result: { isError: true } });
    expect(asked.call.text()).not.toContain('xxxx');
    expect(requestsFor(sessions[0] ?? scriptedSession(answerAll), 'tools/call')).toHaveLength(1);
  });

  it('does not count after the call was cancelled', async () => {
    const asked = await askedSession();
    await post(asked.session, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    await asked.call.ended;
    for (const id of asked.ids.values()) await post(asked.session, answer(id, FORM_ANSWER));
    expect(requestsFor(sessions[0] ?? scriptedSession(answerAll), 'tools/call')).toHaveLength(1);
    expect(asked.call.messages().some(({ id }) => id === 7)).toBe(false);
  });

  it('cannot be slipped into the request itself', async () => {
    const session = await beginSession(front.port);
    const slipped = { inputResponses: { form: FORM_ANSWER }, requestState: 'sealed-1' };
    const call = await post(session, rpc('tools/call', { name: 'echo', arguments: {}, ...slipped }));
    await call.ended;
    const [request] = requestsFor(sessions[0] ?? scriptedSession(answerAll), 'tools/call');
    expect(request).toMatchObject({ answers: null, state: null, params: { name: 'echo', arguments: {} } });
    expect(Object.keys(request?.params ?? {}).sort()).toEqual(['arguments', 'name']);
  });

  it('is not asked of a client whose response takes no stream', async () => {
    const session = await beginSession(front.port);
    const headers = { 'mcp-session-id': session, accept: 'application/json' };
    const body = rpc('tools/call', { name: 'ask', arguments: {} });
    const call = await rawMcp({ port: front.port, headers, body });
    await call.ended;
    expect(call.messages()).toMatchObject([{ id: 1, result: { isError: true } }]);
  });
});

describe('questions without end', () => {
  it('are refused beyond the number that a client may have open', async () => {
    const session = await beginSession(front.port);
    const calls: RawReply[] = [];
    for (let id = 10; id < 25; id++) {
      calls.push(await post(session, rpc('tools/call', { name: 'ask', arguments: {} }, id)));
    }
    await until(() => calls.filter((call) => call.messages().some(({ result }) => result !== undefined)).length >= 4);
    const messages = calls.flatMap((call) => call.messages());
    const taken = messages.filter(({ method }) => method === 'notifications/cancelled');
    const asked = messages.filter(({ method }) => method !== undefined);
    expect(asked.length - 2 * taken.length).toBeLessThanOrEqual(32);
    expect(messages.find(({ result }) => result !== undefined)).toMatchObject({ result: { isError: true } });
  });
});
