import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpFront, listenHttp } from '../../src/gateway/http-front.ts';
import { beginSession, modern, type RawReply, type RawRequest, rawMcp, rpc, until } from '../support/raw-mcp.ts';
import { answerAll, requestsFor, type ScriptedSession, scriptedSession } from '../support/scripted-session.ts';

let front: HttpFront;
let sessions: ScriptedSession[];
/** Tokens that are valid now. */
let valid: Set<string>;
beforeEach(async () => {
  sessions = [];
  valid = new Set(['one', 'two']);
  front = await listenHttp(
    {
      port: 0,
      authenticate: async (token) => (valid.has(token) ? { id: token, name: token, user: token } : null),
      clientLimits: { recheckMs: 50, streams: 3, uris: 20, eventMs: 20 },
    },
    async () => {
      const session = scriptedSession(answerAll);
      sessions.push(session);
      return session;
    },
  );
});
afterEach(() => front.close(0));

const first = (): ScriptedSession => {
  const [session] = sessions;
  if (session === undefined) throw new Error('no session');
  return session;
};
const get = (session: string, more: Partial<RawRequest> = {}): Promise<RawReply> =>
  rawMcp({ port: front.port, method: 'GET', headers: { 'mcp-session-id': session }, ...more });
const listen = (uris: readonly unknown[], token = 'one', headers = {}): Promise<RawReply> => {
  const notifications = { toolsListChanged: true, resourceSubscriptions: uris };
  return rawMcp({ port: front.port, token, ...modern('subscriptions/listen', { notifications }, headers) });
};
const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `file:///${from + index}`);

describe('the stream of a session [T6.1]', () => {
  it('is for its own token, its own id, and a client that takes streams', async () => {
    const session = await beginSession(front.port);
    const port = front.port;
    const statuses = [
      await get(session, { token: null }),
      await get(session, { token: 'three' }),
      await get(session, { token: 'two' }),
      await get('mcp_guess'),
      await rawMcp({ port, method: 'GET' }),
      await get(session, { headers: { 'mcp-session-id': session, accept: 'application/json' } }),
      await get(session, { headers: { 'mcp-session-id': session, 'mcp-protocol-version': '2026-07-28' } }),
      await get(session, { headers: { 'mcp-session-id': session, host: 'evil.example' } }),
      await get(session, { headers: { 'mcp-session-id': session, origin: 'http://evil.example' } }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 404, 404, 400, 406, 400, 403, 403]);
  });

  it('is one: a second is refused while the first is open, and not after', async () => {
    const session = await beginSession(front.port);
    const own = await get(session);
    expect([own.status, own.response.headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect((await get(session)).status).toBe(409);
    first().emit({ kind: 'tools' });
    await until(() => own.messages().length === 1);
    expect(own.messages()).toEqual([{ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }]);
    own.sent.destroy();
    let again = await get(session);
    for (let tries = 0; again.status === 409 && tries < 100; tries++) again = await get(session);
    expect(again.status).toBe(200);
  });

  it('ends with its session, and with its token', async () => {
    const session = await beginSession(front.port);
    const own = await get(session);
    await rawMcp({ port: front.port, method: 'DELETE', headers: { 'mcp-session-id': session } });
    await own.ended;
    expect(first().closed()).toBe(1);
    expect(first().listeners()).toBe(0);
    const second = await get(await beginSession(front.port));
    valid.delete('one');
    await second.ended;
    await until(() => sessions[1]?.closed() === 1);
  });

  it('does not fill the memory for a client that never reads', async () => {
    const session = await beginSession(front.port);
    const own = await get(session, { unread: true });
    const data = 'x'.repeat(60_000);
    for (let count = 0; count < 2_000; count++) {
      first().emit({ kind: 'log', message: { level: 'error', data } });
      if (count % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const chunks: Buffer[] = [];
    own.response.on('data', (chunk) => void chunks.push(chunk));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(Buffer.concat(chunks).length).toBeGreaterThan(0);
    expect(Buffer.concat(chunks).length).toBeLessThan(16 * 1_048_576); // of 120 million; most of it lay in the kernel's buffers
  });

  it('disconnects a client that never reads, and makes room for one that does', async () => {
    const quick = await listenHttp({ port: 0, authenticate: 'none', clientLimits: { keepAliveMs: 20 } }, async () => {
      const session = scriptedSession(answerAll);
      sessions.push(session);
      return session;
    });
    const session = await beginSession(quick.port, null);
    const headers = { 'mcp-session-id': session };
    const open = (): Promise<RawReply> => rawMcp({ port: quick.port, method: 'GET', headers, unread: true });
    await open();
    expect((await open()).status).toBe(409);
    const data = 'x'.repeat(60_000);
    let status = 409;
    for (let count = 0; status === 409 && count < 2_000; count++) {
      first().emit({ kind: 'log', message: { level: 'error', data } });
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (count % 50 === 49) status = (await open()).status;
    }
    expect(status).toBe(200);
    await quick.close(0);
  });

  it('of a call disconnects a client that never reads what belongs to the call', async () => {
    const session = await beginSession(front.port);
    const call = await rawMcp({
      ...{ port: front.port, unread: true, headers: { 'mcp-session-id': session } },
      body: rpc('tools/call', { name: 'loud', arguments: {}, _meta: { progressToken: 1 } }),
    });
    expect(call.status).toBe(200);
    const chunks: Buffer[] = [];
    call.response.on('data', (chunk) => void chunks.push(chunk));
    await call.ended;
    expect(Buffer.concat(chunks).length).toBeLessThan(4 * 1_048_576); // of 30 million
  });
});

describe('a stream of changes', () => {
  it.each([
    ['10,000 URIs', numbered(10_000)],
    ['a URI too many', numbered(21)],
    ['a URI too long', [`file:///${'x'.repeat(9_000)}`]],
    ['something that is no URI', [{}]],
    ['a number', [7]],
  ])('that names %s is refused before a server hears of any', async (_, uris) => {
    const reply = await listen(uris);
    await reply.ended;
    expect(reply.messages()).toMatchObject([{ id: 1, error: { code: -32_602 } }]);
    expect(requestsFor(first(), 'resources/subscribe')).toEqual([]);
  });

  it('shares the number of URIs with the others of its caller, and gives them back', async () => {
    const streams = [await listen(numbered(12)), await listen(numbered(12, 6))];
    await until(() => streams.every((stream) => stream.messages().length === 1));
    expect(requestsFor(first(), 'resources/subscribe')).toHaveLength(18);
    const third = await listen(numbered(10, 100));
    await until(() => third.messages().length === 1);
    expect(requestsFor(first(), 'resources/subscribe')).toHaveLength(20);
    for (const stream of [...streams, third]) stream.sent.destroy();
    await until(() => requestsFor(first(), 'resources/unsubscribe').length === 20);
    await until(() => first().listeners() === 0);
  });

  it('is one of few, and belongs to its caller', async () => {
    const streams = [await listen([]), await listen([]), await listen([])];
    const more = await listen([]);
    await more.ended;
    expect(more.messages()).toMatchObject([{ error: { code: -32_603 } }]);
    const other = await listen(['file:///0'], 'two');
    await until(() => [...streams, other].every((stream) => stream.messages().length === 1));
    first().emit({ kind: 'tools' });
    first().emit({ kind: 'updated', uri: 'file:///0' });
    await until(() => streams.every((stream) => stream.messages().length === 2));
    expect(other.messages()).toHaveLength(1);
  });

  it('ends with its token, and so does the session behind it', async () => {
    const stream = await listen(['file:///a']);
    await until(() => stream.messages().length === 1);
    valid.delete('one');
    await stream.ended;
    await until(() => first().closed() === 1);
    expect((await listen([])).status).toBe(401);
  });

  it.each([
    ['no method', { 'mcp-method': [] }],
    ['another method', { 'mcp-method': 'tools/list' }],
    ['two methods', { 'mcp-method': ['subscriptions/listen', 'subscriptions/listen'] }],
    ['no revision', { 'mcp-protocol-version': [] }],
    ['another revision', { 'mcp-protocol-version': '2025-11-25' }],
  ])('with %s in its headers is refused before a server hears of its URIs', async (_, headers) => {
    const reply = await listen(['file:///a'], 'one', headers);
    await reply.ended;
    expect(reply.status).toBe(400);
    expect(sessions.flatMap((session) => session.requests)).toEqual([]);
  });
});
