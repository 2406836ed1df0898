import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { serveHttp } from '../../src/gateway/index.ts';
import { openTestGate, type TestGate, type TestGateOptions } from '../e2e/test-gate.ts';
import { beginSession, modern, type RawReply, rawMcp, rpc, until } from '../support/raw-mcp.ts';

const command = [process.execPath, fileURLToPath(new URL('./flooding.mjs', import.meta.url))];
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Stand extends TestGate {
  readonly port: number;
}

async function open(rights: object, options: TestGateOptions = { allow: ['mcp__*'] }): Promise<Stand> {
  const fl = { command, protocol: '2025-11-25', resources: ['fl://**'], ...rights };
  const stand = await openTestGate({ ...options, servers: { fl } });
  closing.push(stand.close);
  const { gate, upstreams } = stand;
  const front = await serveHttp({ gate, upstreams, port: 0, authenticate: 'none' });
  closing.push(() => front.close(0));
  return { ...stand, port: front.port };
}

interface Client {
  start(method: string, params: object): Promise<RawReply>;
  /** The messages of the whole response. */
  call(method: string, params: object): Promise<readonly Record<string, unknown>[]>;
  tool(name: string, args?: object, meta?: object): Promise<readonly Record<string, unknown>[]>;
  answer(id: unknown, result: object): Promise<void>;
  listen(): Promise<RawReply>;
}

async function connect({ port }: Stand): Promise<Client> {
  const headers = { 'mcp-session-id': await beginSession(port, null) };
  const post = (body: object): Promise<RawReply> => rawMcp({ port, token: null, headers, body });
  let id = 10;
  const start = (method: string, params: object): Promise<RawReply> => post(rpc(method, params, id++));
  const call = async (method: string, params: object) => {
    const reply = await start(method, params);
    await reply.ended;
    return reply.messages();
  };
  return {
    ...{ start, call },
    tool: (name, args = {}, meta = {}) => call('tools/call', { name: `fl__${name}`, arguments: args, _meta: meta }),
    answer: async (asked, result) => (await post({ jsonrpc: '2.0', id: asked, result })).ended,
    listen: () => rawMcp({ port, token: null, method: 'GET', headers }),
  };
}

const recordsOf = async ({ workspace }: Stand, tool: string): Promise<number> => {
  let count = 0;
  for await (const { record } of readRecords(workspace.state)) if ('tool' in record && record.tool === tool) count += 1;
  return count;
};

const progressOf = (messages: readonly Record<string, unknown>[]): readonly unknown[] =>
  messages.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params);

const textIn = (messages: readonly Record<string, unknown>[]): unknown => {
  const { result } = messages.at(-1) as { result: { content: { text: string }[] } };
  return JSON.parse(result.content[0]?.text ?? 'null');
};

describe('a server that floods [T1.10]', () => {
  it('has few of its reports of progress judged, and the last one told before the answer', async () => {
    const stand = await open({});
    const client = await connect(stand);
    const reports = Array.from({ length: 3_000 }, (_, progress) => ({ progress }));
    const messages = await client.tool('progress', { reports }, { progressToken: 'p' });
    const told = progressOf(messages);
    expect(told.at(-1)).toEqual({ progress: 2_999, progressToken: 'p' });
    expect(messages.at(-1)).toMatchObject({ result: { content: [{ text: '"done"' }] } });
    expect(told.length).toBeLessThanOrEqual(100);
    expect(await recordsOf(stand, 'mcp__fl:notifications/progress')).toBe(told.length * 3);
  });

  it.each([
    [{}, [{ progressToken: 'p', progress: 1, total: 2 }]],
    [{ logging: true }, [{ progressToken: 'p', progress: 1, total: 2, message: 'x'.repeat(997) }]], // an escape takes a letter with it
  ])('reports numbers, and words only with the right %j', async (rights, expected) => {
    const client = await connect(await open(rights));
    const message = `\u202e\u001b${'x'.repeat(5_000)}`;
    const reports = [{ progress: 'one' }, { progress: null }, {}, { progress: 1, total: 2, message, more: 1 }];
    expect(progressOf(await client.tool('progress', { reports }, { progressToken: 'p' }))).toEqual(expected);
    const odd = [{ progress: 3, total: 'x', message: { deep: 1 } }];
    const told = progressOf(await client.tool('progress', { reports: odd }, { progressToken: 'q' }));
    expect(told).toEqual([{ progressToken: 'q', progress: 3 }]);
  });

  it('has few of its events judged, and none for a session that nobody listens to', async () => {
    const stand = await open({});
    const method = 'notifications/resources/list_changed';
    const storm = { name: 'fl__storm', arguments: { times: 3_000, method } };
    const stateless = await rawMcp({
      port: stand.port,
      token: null,
      ...modern('tools/call', storm, { 'mcp-name': storm.name }),
    });
    await stateless.ended;
    expect(stateless.text()).toContain('done');
    expect(await recordsOf(stand, `mcp__fl:${method}`)).toBe(0);
    const client = await connect(stand);
    const stream = await client.listen();
    await client.tool('storm', { times: 3_000, method });
    await until(() => stream.messages().some((message) => message['method'] === method));
    expect(await recordsOf(stand, `mcp__fl:${method}`)).toBeLessThanOrEqual(30);
    stream.sent.destroy();
  });

  it('has half a million characters of a page compared, and goes on with the next one', async () => {
    const messages = await (await connect(await open({}))).call('resources/list', {});
    expect(messages).toMatchObject([{ result: { resources: { length: 512 }, nextCursor: expect.any(String) } }]);
  });
});

describe('several subscriptions at once', () => {
  it('are all told to the server, and taken back one by one', async () => {
    const client = await connect(await open({ subscriptions: true }));
    const all = (verb: string, names: readonly string[]): Promise<unknown> =>
      Promise.all(names.map((name) => client.call(`resources/${verb}`, { uri: `sallyport.fl:fl://${name}` })));
    await all('subscribe', ['a', 'b', 'c']);
    expect(textIn(await client.tool('seen'))).toEqual(
      ['a', 'b', 'c'].map((name) => `resources/subscribe fl://${name}`),
    );
    await all('unsubscribe', ['a', 'b']);
    expect(textIn(await client.tool('seen'))).toHaveLength(5);
  });
});

describe('a call whose second round is denied', () => {
  it('is cancelled at its server', async () => {
    const policy = 'tools:\n  mcp__fl__ask: { rateLimit: { maxCallsPerMinute: 1 } }\n  mcp__fl__seen: {}';
    const client = await connect(await open({ elicitation: true }, { policy }));
    const reply = await client.start('tools/call', { name: 'fl__ask', arguments: {} });
    await until(() => reply.messages().length > 0);
    await client.answer(reply.messages()[0]?.['id'], { action: 'accept', content: {} });
    await reply.ended;
    expect(reply.messages().at(-1)).toMatchObject({ result: { isError: true } });
    let seen: unknown = [];
    for (let turn = 0; turn < 20 && JSON.stringify(seen) === '[]'; turn++) seen = textIn(await client.tool('seen'));
    expect(seen).toEqual(['notifications/cancelled']);
  });
});
