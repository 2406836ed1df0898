import { PassThrough } from 'node:stream';
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpFront, listenHttp } from '../../src/gateway/http-front.ts';
import { servePipe } from '../../src/gateway/stdio-front.ts';
import {
  answerAll,
  FORM,
  LISTED_TOOL,
  requestsFor,
  SAMPLE,
  type ScriptedSession,
  scriptedSession,
} from '../support/scripted-session.ts';
import { streamTransport } from '../support/stream-transport.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Mode = 'legacy' | { pin: string };
const MODERN: Mode = { pin: '2026-07-28' };
/** Each client, each revision, each transport. */
const STANDS: readonly [string, Mode, 'http' | 'stdio'][] = [
  ['2025-11-25 over http', 'legacy', 'http'],
  ['2025-11-25 over stdio', 'legacy', 'stdio'],
  ['2026-07-28 over http', MODERN, 'http'],
  ['2026-07-28 over stdio', MODERN, 'stdio'],
];

async function listenTo(session: ScriptedSession): Promise<HttpFront> {
  const front = await listenHttp({ port: 0, authenticate: 'none', onError: () => undefined }, async () => session);
  closing.push(() => front.close(100));
  return front;
}

async function connect(
  session: ScriptedSession,
  [, mode, over]: (typeof STANDS)[number],
  options: ClientOptions = {},
): Promise<Client> {
  const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
  const client = new Client({ name: 't', version: '0' }, { capabilities, ...options, versionNegotiation: { mode } });
  answerQuestions(client);
  if (over === 'http') {
    const front = await listenTo(session);
    await client.connect(new StreamableHTTPClientTransport(new URL(front.url)));
  } else {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const front = servePipe(session, { input, output });
    closing.push(() => front.close());
    await client.connect(streamTransport(output, input));
  }
  closing.push(() => client.close());
  return client;
}

function answerQuestions(client: Client): void {
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    expect(params).toMatchObject({ message: FORM['message'] });
    return { action: 'accept', content: { name: 'ada' } };
  });
  client.setRequestHandler('sampling/createMessage', async ({ params }) => {
    expect(params.maxTokens).toBe(SAMPLE['maxTokens']);
    return { role: 'assistant', content: { type: 'text', text: 'hello' }, model: 'm' };
  });
  client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///r' }] }));
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let turns = 0; !condition(); turns++) {
    if (turns > 800) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe.each(STANDS)('a client of revision %s', (...stand) => {
  const isModern = stand[1] !== 'legacy';

  it('reaches every method that the session offers, and its results whole', async () => {
    const client = await connect(scriptedSession(answerAll), stand);
    const listed = await client.request({ method: 'tools/list' });
    expect(listed.tools).toEqual([LISTED_TOOL]);
    expect(listed.nextCursor).toBe('next');
    const { ttlMs, cacheScope } = { ttlMs: undefined, cacheScope: undefined, ...listed };
    expect([ttlMs, cacheScope]).toEqual(isModern ? [0, 'private'] : [undefined, undefined]);
    expect((await client.listResources()).resources).toEqual([{ uri: 'file:///a', name: 'a' }]);
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    expect((await client.readResource({ uri: 'file:///a' })).contents).toEqual([{ uri: 'file:///a', text: 'A' }]);
    expect((await client.listPrompts()).prompts).toEqual([{ name: 'p' }]);
    expect((await client.getPrompt({ name: 'p', arguments: { x: 'y' } })).messages).toHaveLength(1);
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'p' },
      argument: { name: 'x', value: 'o' },
    });
    expect(completed.completion.values).toEqual(['one']);
    expect((await client.callTool({ name: 'echo', arguments: { a: 1 } })).content).toEqual([
      { type: 'text', text: '{"a":1}' },
    ]);
  });

  it('is asked, in two rounds, and each answer comes back with the state it was asked with', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const { content } = await client.callTool({ name: 'ask', arguments: {} });
    const accepted = { action: 'accept', content: { name: 'ada' } };
    const [first, second, third] = requestsFor(session, 'tools/call');
    expect(first).toMatchObject({ answers: null, state: null, params: { name: 'ask', arguments: {} } });
    expect(first?.abilities).toEqual({ sampling: true, elicitation: { form: true, url: false }, roots: true });
    expect(second).toMatchObject({ state: 'sealed-1', params: { name: 'ask', arguments: {} } });
    expect(second?.answers).toEqual({
      form: accepted,
      sample: { role: 'assistant', content: { type: 'text', text: 'hello' }, model: 'm' },
      roots: { roots: [{ uri: 'file:///r' }] },
    });
    expect(third?.answers).toEqual({ again: accepted });
    expect(content).toEqual([{ type: 'text', text: `${third?.state} ${JSON.stringify({ again: accepted })}` }]);
    expect(session.abandoned).toEqual([]);
  });

  it('that answers a question with an error gives the request up', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    client.setRequestHandler('elicitation/create', () => Promise.reject(new Error('no')));
    await client.callTool({ name: 'ask', arguments: {} }).catch(() => undefined); // each era tells its user in its own way
    expect(requestsFor(session, 'tools/call')).toHaveLength(1);
    // Without sessions nobody is told: the state stays open until its time is over.
    expect(session.abandoned).toEqual(isModern ? [] : ['sealed-1']);
  });

  it('that can answer nothing is not asked', async () => {
    const session = scriptedSession(answerAll);
    const capabilities = {};
    const plain = new Client({ name: 't', version: '0' }, { capabilities, versionNegotiation: { mode: stand[1] } });
    const front = await listenTo(session);
    await plain.connect(new StreamableHTTPClientTransport(new URL(front.url)));
    closing.push(() => plain.close());
    const asked = plain.callTool({ name: 'ask', arguments: {} });
    if (isModern) await expect(asked).rejects.toMatchObject({ code: -32_021 });
    else expect(await asked).toMatchObject({ isError: true });
    expect(requestsFor(session, 'tools/call')).toHaveLength(1);
    expect(requestsFor(session, 'tools/call')[0]?.abilities).toEqual({
      ...{ sampling: false, elicitation: { form: false, url: false }, roots: false },
    });
  });

  it('hears of progress when it asked to, at a pace, and the last of it', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
    await client.callTool({ name: 'progress', arguments: {} }, { onprogress });
    await client.callTool({ name: 'progress', arguments: {} });
    expect(heard.length).toBeLessThan(250);
    expect(heard.length).toBeGreaterThan(50);
    expect(heard.at(-1)).toBe(500);
    expect(requestsFor(session, 'tools/call').map(({ progress }) => progress === null)).toEqual([false, true]);
  });

  it('cancels what it asked for', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const stop = new AbortController();
    const call = client.callTool({ name: 'wait', arguments: {} }, { signal: stop.signal });
    await until(() => requestsFor(session, 'tools/call').length === 1);
    stop.abort();
    await expect(call).rejects.toThrow();
    await until(() => requestsFor(session, 'tools/call')[0]?.signal.aborted === true);
  });

  it('learns nothing of what went wrong within the gateway', async () => {
    const client = await connect(scriptedSession(answerAll), stand);
    const broken = client.callTool({ name: 'broken', arguments: {} });
    await expect(broken).rejects.toMatchObject({ code: -32_603, message: expect.not.stringContaining('secret') });
  });

  it('is offered what the session has features for, and nothing else', async () => {
    const none = { resources: false, subscriptions: false, prompts: false };
    const session = scriptedSession(answerAll, { ...none, completion: false, logging: false, tasks: false });
    const client = await connect(session, stand, { enforceStrictCapabilities: false });
    expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
    const asked = client.request({ method: 'resources/read', params: { uri: 'file:///a' } });
    await expect(asked).rejects.toThrow(/Method not found/);
    expect(session.requests).toEqual([]);
    const all = await connect(scriptedSession(answerAll), stand);
    expect(all.getServerCapabilities()).toEqual({
      ...{ tools: { listChanged: true }, prompts: { listChanged: true }, completions: {}, logging: {} },
      resources: { listChanged: true, subscribe: true },
      ...(isModern ? {} : { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }),
    });
  });
});

describe.each(STANDS.filter(([, mode]) => mode === 'legacy'))('a session of revision %s', (...stand) => {
  it('is told of changes, of a URI only while it subscribed to it, and each at a pace', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const heard: string[] = [];
    client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
    client.setNotificationHandler('notifications/prompts/list_changed', () => void heard.push('prompts'));
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
    await client.subscribeResource({ uri: 'file:///a' });
    session.emit({ kind: 'prompts' });
    await until(() => heard.length === 1); // the stream is open
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (let count = 0; count < 1_000; count++) {
      session.emit({ kind: 'tools' });
      session.emit({ kind: 'updated', uri: 'file:///a' });
      session.emit({ kind: 'updated', uri: `file:///${count}` });
    }
    await until(() => heard.length >= 4);
    await client.unsubscribeResource({ uri: 'file:///a' });
    session.emit({ kind: 'updated', uri: 'file:///a' });
    session.emit({ kind: 'prompts' });
    await until(() => heard.length >= 5);
    expect([...heard].sort()).toEqual(['file:///a', 'prompts', 'prompts', 'tools', 'tools']);
  });

  it('gets log messages at the level it set', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const heard: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => void heard.push(params.data));
    await client.callTool({ name: 'log', arguments: {} });
    await client.setLoggingLevel('warning');
    await client.callTool({ name: 'log', arguments: {} });
    session.emit({ kind: 'log', message: { level: 'info', data: 'unheard' } });
    session.emit({ kind: 'log', message: { level: 'error', data: 'heard' } });
    await until(() => heard.includes('heard'));
    expect(heard).toEqual(['debug', 'warning', 'warning', 'heard']);
  });

  it('has tasks', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const anything = {
      '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) },
    };
    const ask = (method: string, params: object): Promise<unknown> =>
      client.request({ method, params: { ...params } }, anything);
    const created = await ask('tools/call', { name: 'echo', arguments: {}, task: { ttl: 60_000 } });
    expect(created).toEqual({ task: expect.objectContaining({ taskId: 't1', status: 'working' }) });
    expect(await ask('tasks/get', { taskId: 't1' })).toMatchObject({ taskId: 't1' });
    expect(await ask('tasks/list', {})).toMatchObject({ tasks: [{ taskId: 't1' }] });
    expect(await ask('tasks/result', { taskId: 't1' })).toEqual({ content: [{ type: 'text', text: 'done' }] });
    expect(await ask('tasks/cancel', { taskId: 't1' })).toMatchObject({ status: 'cancelled' });
    expect(requestsFor(session, 'tools/call')[0]?.params).toEqual({
      ...{ name: 'echo', arguments: {}, task: { ttl: 60_000 } },
    });
  });

  it('that has no tasks answers a call as if none had been asked for', async () => {
    const session = scriptedSession(answerAll, { tasks: false });
    const client = await connect(session, stand);
    const params = { name: 'echo', arguments: {}, task: { ttl: 1 } };
    expect(await client.request({ method: 'tools/call', params })).toMatchObject({ content: [{ text: '{}' }] });
    expect(requestsFor(session, 'tools/call')[0]?.params).toEqual({ name: 'echo', arguments: {} });
  });

  it('says that its roots changed', async () => {
    const session = scriptedSession(answerAll);
    const capabilities = { elicitation: {}, sampling: {}, roots: { listChanged: true } };
    const client = await connect(session, stand, { capabilities });
    await client.sendRootsListChanged();
    await until(() => session.told.length === 1);
    expect(session.told).toEqual(['notifications/roots/list_changed']);
  });
});

describe.each(STANDS.filter(([, mode]) => mode !== 'legacy'))('a stream of revision %s', (...stand) => {
  it('carries what the client named and the session granted, and gives it back when it ends', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const heard: string[] = [];
    client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
    client.setNotificationHandler('notifications/prompts/list_changed', () => void heard.push('prompts'));
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
    const stream = await client.listen({ toolsListChanged: true, resourceSubscriptions: ['file:///a', 'file:///b'] });
    expect(requestsFor(session, 'resources/subscribe').map(({ params }) => params)).toEqual([
      { uri: 'file:///a' },
      { uri: 'file:///b' },
    ]);
    session.emit({ kind: 'prompts' });
    session.emit({ kind: 'updated', uri: 'file:///c' });
    session.emit({ kind: 'updated', uri: 'file:///b' });
    session.emit({ kind: 'tools' });
    await until(() => heard.length >= 2);
    expect([...heard].sort()).toEqual(['file:///b', 'tools']);
    await stream.close();
    await until(() => requestsFor(session, 'resources/unsubscribe').length === 2);
  });

  it('leaves out the URIs that the session refuses', async () => {
    const session = scriptedSession(async (request) => {
      if (request.method === 'resources/subscribe' && request.params['uri'] === 'file:///secret') {
        return answerAll({ ...request, method: 'unknown' });
      }
      return answerAll(request);
    });
    const client = await connect(session, stand);
    const heard: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
    const stream = await client.listen({ resourceSubscriptions: ['file:///secret', 'file:///a'] });
    expect(stream.honoredFilter).toEqual({ resourceSubscriptions: ['file:///a'] });
    session.emit({ kind: 'updated', uri: 'file:///secret' });
    session.emit({ kind: 'updated', uri: 'file:///a' });
    await until(() => heard.length === 1);
    expect(heard).toEqual(['file:///a']);
    await stream.close();
  });

  it('gives log messages only to a request that asked for a level', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, stand);
    const heard: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => void heard.push(params.data));
    await client.callTool({ name: 'log', arguments: {} });
    const _meta = { 'io.modelcontextprotocol/logLevel': 'warning' };
    await client.callTool({ name: 'log', arguments: {}, _meta });
    expect(heard).toEqual(['warning']);
  });
});
