import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, isJsonObject, type JsonObject } from '../../src/core/index.ts';
import { connectUpstream, type UpstreamConnection } from '../../src/gateway/upstream-connection.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { listeningServer, NO_ACTIONS, serverRule, serverScript, startIn } from './stand.ts';

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

const ALLOWED = { id: 'servers.full' };
const EVERYTHING = { sampling: ALLOWED, elicitation: ALLOWED, roots: ALLOWED };

/** A connection to the server with all of MCP, which the policy lets ask whatever it likes. */
async function connect(
  kind: string,
  protocol: ServerRule['protocol'],
  actions: Partial<ServerRule['actions']> = EVERYTHING,
): Promise<UpstreamConnection> {
  const where =
    kind === 'http' ? await listening() : { command: [process.execPath, serverScript('full.mjs'), 'stdio'] };
  const rule = serverRule('full', { ...where, protocol, actions: { ...NO_ACTIONS, ...actions } });
  const connection = await connectUpstream(rule, {
    start: startIn(tmpdir()),
    version: '0',
    limits: DEFAULT_LIMITS,
  });
  ended.push(() => connection.close());
  return connection;
}

async function listening(): Promise<Partial<ServerRule>> {
  const server = await listeningServer('full.mjs', 'http');
  ended.push(() => server.close());
  return { url: server.url };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 1_000 && !isSo(); round++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isSo()).toBe(true);
}

const callParams = (name: string, args: JsonObject = {}): JsonObject => ({ name, arguments: args });

function textOf(raw: unknown): string {
  const content = isJsonObject(raw) && Array.isArray(raw['content']) ? raw['content'][0] : null;
  return isJsonObject(content ?? null) ? String((content as JsonObject)['text']) : JSON.stringify(raw);
}

const call = async (connection: UpstreamConnection, name: string, args: JsonObject = {}): Promise<string> =>
  textOf(await connection.request('tools/call', callParams(name, args)));

const KINDS = [
  ['stdio', '2025-06-18'],
  ['stdio', '2025-11-25'],
  ['stdio', '2026-07-28'],
  ['http', '2025-06-18'],
  ['http', '2025-11-25'],
  ['http', '2026-07-28'],
] as const;

describe.each(KINDS)('a server over %s in %s', (kind, protocol) => {
  it('says all about itself, over all pages', async () => {
    const connection = await connect(kind, protocol);
    expect(connection.era).toBe(protocol === '2026-07-28' ? 'modern' : 'legacy');
    const definitions = await connection.definitions();
    expect(definitions).toMatchObject({
      protocol,
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
      serverInfo: { name: 'full' },
      instructions: 'All of it',
      prompts: [{ name: 'greet', title: 'Greets', arguments: [{ name: 'who', required: true }] }],
      resourceTemplates: [{ uriTemplate: 'demo://{name}', name: 'demo' }],
    });
    expect(definitions.tools).toHaveLength(11);
    expect(connection.capabilities()).toEqual(definitions.capabilities);
  });

  it('answers resources, prompts and completions', async () => {
    const connection = await connect(kind, protocol);
    expect(await connection.request('resources/list', {})).toMatchObject({ resources: [{ uri: 'demo://one' }] });
    expect(await connection.request('resources/read', { uri: 'demo://x' })).toMatchObject({
      contents: [{ text: 'content of demo://x' }],
    });
    expect(await connection.request('prompts/get', { name: 'greet', arguments: { who: 'you' } })).toMatchObject({
      messages: [{ content: { text: 'Greet you' } }],
    });
    const ref = { type: 'ref/prompt', name: 'greet' };
    expect(
      await connection.request('completion/complete', { ref, argument: { name: 'who', value: 'a' } }),
    ).toMatchObject({
      completion: { values: ['a!'] },
    });
  });

  it('reports the progress of a request to who asked for it', async () => {
    const connection = await connect(kind, protocol);
    const seen: JsonObject[] = [];
    await connection.request('tools/call', callParams('progress'), { progress: (told) => seen.push(told) });
    expect(seen.map(({ progress, total }) => [progress, total])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it('logs from the level that was asked for', async () => {
    const connection = await connect(kind, protocol);
    const levels: unknown[] = [];
    connection.onNotification((method, { level }) => method === 'notifications/message' && levels.push(level));
    await connection.request('tools/call', callParams('log'), { logLevel: 'warning' });
    await until(() => levels.length > 0);
    expect(levels).toEqual(['error']);
  });

  it('tells of changes of the resources that are watched, and of no others', async () => {
    const connection = await connect(kind, protocol);
    const uris: unknown[] = [];
    connection.onNotification((method, { uri }) => method === 'notifications/resources/updated' && uris.push(uri));
    await connection.watch(new Set(['demo://one', 'demo://two']));
    expect([...connection.watched()]).toEqual(['demo://one', 'demo://two']);
    await call(connection, 'touch', { uri: 'demo://two' });
    await until(() => uris.length === 1);
    await connection.watch(new Set(['demo://one']));
    await call(connection, 'touch', { uri: 'demo://one' });
    await until(() => uris.length === 2);
    expect(uris).toEqual(['demo://two', 'demo://one']);
    await connection.watch(new Set());
    expect(connection.watched().size).toBe(0);
  });

  it('tells of changed tools without being asked', async () => {
    const connection = await connect(kind, protocol);
    const methods: string[] = [];
    connection.onNotification((method) => methods.push(method));
    expect(connection.hearsChanges()).toBe(true);
    const before = connection.changes().definitions;
    await call(connection, 'change');
    await until(() => connection.changes().definitions === before + 1);
    expect(methods).toEqual(['notifications/tools/list_changed']);
  });

  it('is left with a call that is cancelled, and answers the next one', async () => {
    const connection = await connect(kind, protocol);
    const stop = new AbortController();
    const slow = connection.request('tools/call', callParams('slow'), { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    await expect(slow).rejects.toMatchObject({ code: 'TOOL_CANCELLED' });
    expect(await call(connection, 'echo', { a: 1 })).toBe('{"a":1}');
  });
});

describe.each([
  ['stdio', '2025-06-18'],
  ['stdio', '2025-11-25'],
  ['http', '2025-11-25'],
] as const)('a server with sessions over %s in %s', (kind, protocol) => {
  it('asks in the middle of a call, round after round', async () => {
    const connection = await connect(kind, protocol);
    const asked: string[] = [];
    connection.onQuestion(async (method, params) => {
      asked.push(`${method} ${String(params['message'] ?? '')}`.trim());
      if (method === 'sampling/createMessage')
        return { model: 'm', role: 'assistant', content: { type: 'text', text: 'something' } };
      if (method === 'roots/list') return { roots: [{ uri: 'file:///r' }] };
      const [name] = Object.keys(((params['requestedSchema'] ?? {}) as JsonObject)['properties'] ?? {});
      return { action: 'accept', content: { [name ?? '']: name === 'name' ? 'Ann' : 'blue' } };
    });
    expect(await call(connection, 'ask')).toBe('Ann likes blue');
    expect(await call(connection, 'sample')).toContain('something');
    expect(await call(connection, 'roots')).toContain('file:///r');
    expect(asked).toEqual([
      'elicitation/create Name?',
      'elicitation/create Color?',
      'sampling/createMessage',
      'roots/list',
    ]);
  });

  it('may ask only what the policy lets it ask', async () => {
    const connection = await connect(kind, protocol, { elicitation: ALLOWED });
    let asked = 0;
    connection.onQuestion(async () => {
      asked += 1;
      return {};
    });
    await connection.request('tools/call', callParams('sample')).catch(() => undefined);
    await connection.request('tools/call', callParams('roots')).catch(() => undefined);
    expect(asked).toBe(0);
  });

  it('does not learn why it gets no answer', async () => {
    const connection = await connect(kind, protocol);
    connection.onQuestion(async () => {
      throw new Error('the secret reason');
    });
    const result = await connection.request('tools/call', callParams('ask')).then(textOf, String);
    expect(result).not.toContain('secret');
    expect(await call(connection, 'echo', { a: 1 })).toBe('{"a":1}');
  });

  it('waits for an answer longer than its time limit', async () => {
    const connection = await connect(kind, protocol);
    connection.onQuestion(async () => {
      await new Promise((resolve) => setTimeout(resolve, 900));
      return { action: 'decline' };
    });
    const raw = await connection.request('tools/call', callParams('ask'), { timeoutMs: 400 }).then(textOf, String);
    expect(raw).not.toContain('TOOL_TIMEOUT');
  });
});

describe.each(['2025-11-25', '2026-07-28'] as const)('a stream of changes that breaks, in %s', (protocol) => {
  it('is opened again, and everything may have changed meanwhile', async () => {
    const connection = await connect('http', protocol);
    const uris: unknown[] = [];
    connection.onNotification((method, { uri }) => method === 'notifications/resources/updated' && uris.push(uri));
    await connection.watch(new Set(['demo://one']));
    const before = connection.changes().definitions;
    await call(connection, 'drop');
    await until(() => connection.changes().definitions > before);
    const told = uris.length;
    for (let round = 0; round < 100 && uris.length === told; round++) {
      await call(connection, 'touch');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(uris.length).toBeGreaterThan(told);
    expect(new Set(uris)).toEqual(new Set(['demo://one']));
  });
});

describe.each(['stdio', 'http'])('a server without sessions over %s', (kind) => {
  it('asks with its result, and goes on with the answers and its state', async () => {
    const connection = await connect(kind, '2026-07-28');
    const ask = callParams('ask');
    const first = await connection.request('tools/call', ask);
    expect(first).toMatchObject({
      resultType: 'input_required',
      inputRequests: { name: { method: 'elicitation/create', params: { message: 'Name?' } } },
    });
    const answers = (name: string, value: string) => ({ [name]: { action: 'accept', content: { [name]: value } } });
    const second = await connection.request('tools/call', ask, { answers: answers('name', 'Ann') });
    expect(second).toMatchObject({ resultType: 'input_required', requestState: 'Ann' });
    const third = await connection.request('tools/call', ask, { answers: answers('color', 'blue'), state: 'Ann' });
    expect(textOf(third)).toBe('Ann likes blue');
  });

  it('is told of no ability that the policy does not give it', async () => {
    const connection = await connect(kind, '2026-07-28', {});
    await expect(connection.request('tools/call', callParams('ask'))).rejects.toMatchObject({ code: -32_021 });
  });
});
