import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { type HttpFront, serveHttp } from '../../src/gateway/index.ts';
import { serverScript } from '../e2e/stand.ts';
import { openTestGate, type TestGate } from '../e2e/test-gate.ts';
import { type EraClient, eraClient, type Revision } from '../support/era-client.ts';
import { modern, type RawReply, rawMcp, until } from '../support/raw-mcp.ts';

const PROTOCOLS = { old: '2025-11-25', new: '2026-07-28' } as const;
type ServerName = keyof typeof PROTOCOLS;

let stand: TestGate;
const clients: EraClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await stand.close();
});

async function open(...names: readonly ServerName[]): Promise<void> {
  const rights = {
    ...{ resources: ['hm://**'], prompts: ['*'], completion: true, subscriptions: true },
    ...{ elicitation: true, logging: true },
  };
  const script = serverScript('hostile-middle.mjs');
  const servers = names.map((name) => [
    name,
    {
      ...{ command: [process.execPath, script, name === 'old' ? 'legacy' : 'modern'], protocol: PROTOCOLS[name] },
      ...rights,
    },
  ]);
  stand = await openTestGate({ allow: ['mcp__*'], servers: Object.fromEntries(servers) });
}

async function connect(revision: Revision): Promise<EraClient> {
  const client = await eraClient(stand, { surface: 'http', revision });
  clients.push(client);
  return client;
}

/** Text of a call's result, or the error's code and data in its place. */
async function call({ client }: EraClient, name: string, args: object = {}): Promise<string> {
  try {
    const result = await client.callTool({ name, arguments: { ...args } });
    return result.content.map((piece) => (piece.type === 'text' ? piece.text : JSON.stringify(piece))).join('\n');
  } catch (error) {
    return error instanceof Error ? `${error.message} ${JSON.stringify(Object({ ...error }))}` : String(error);
  }
}

const PAIRS = (['old', 'new'] as const).flatMap((server) =>
  (['2025-11-25', '2026-07-28'] as const).map((revision) => [server, revision] as const),
);

describe.each(PAIRS)('questions of a hostile server (%s) to a client of %s [T1.10]', (server, revision) => {
  let client: EraClient;
  beforeEach(async () => {
    await open(server);
    client = await connect(revision);
  });
  const ask = (kind: string): Promise<string> => call(client, `${server}__ask`, { kind });
  /** The session goes on as if nothing had been. */
  const isWell = async (): Promise<void> => expect(await call(client, `${server}__set`, {})).toBe('set');

  it.each(['sampling', 'roots', 'unknown'])('of a kind that is not opened (%s) reach nobody', async (kind) => {
    const told = await ask(kind);
    expect(told).toMatch(server === 'old' ? /"answers":\[-32601\]/ : /ACTION_NOT_ALLOWED|RESULT_MALFORMED/);
    expect(client.asked).toEqual([]);
    await isWell();
  });

  it.each(['script', 'disguised', 'nested', 'huge'])('that no person should see (%s) end the call', async (kind) => {
    expect(await ask(kind)).toContain('RESULT_MALFORMED');
    expect(client.asked).toEqual([]);
    await isWell();
  });

  it('are at most 16 at once', async () => {
    const told = await ask('seventeen');
    if (server === 'new') expect(told).toContain('RESULT_MALFORMED');
    expect(client.asked.length).toBeLessThanOrEqual(server === 'new' ? 0 : 16);
    if (server === 'new') await isWell();
  });

  it('two at once are both answered', async () => {
    const told = await ask('two');
    expect(told.match(/"action":"accept"/g)).toHaveLength(2);
    expect(client.asked.map(({ params }) => params['message'])).toEqual([
      `The server "${server}" asks: First?`,
      `The server "${server}" asks: Second?`,
    ]);
  });
});

describe.each(['2025-11-25', '2026-07-28'] as const)('a server before a client of %s', (revision) => {
  beforeEach(() => open('old', 'new'));

  it('cannot hide a question under a key that objects have already', async () => {
    const client = await connect(revision);
    expect(await call(client, 'new__ask', { kind: 'proto' })).toContain('RESULT_MALFORMED');
    expect(client.asked).toEqual([]);
  });

  it('that answers while its question is open, or crashes, ends that call and no other', async () => {
    const client = await connect(revision);
    expect(await call(client, 'old__early')).toBe('early');
    expect(await call(client, 'old__set')).toBe('set');
    expect(await call(client, 'old__crash')).toMatch(/SERVER_UNAVAILABLE|TOOL_CANCELLED/);
    expect(await call(client, 'old__set')).toBe('set');
    expect(await call(client, 'new__set')).toBe('set');
  });

  it('cannot slip in links, decisions, or what disagrees', async () => {
    const { client } = await connect(revision);
    for (const server of ['old', 'new']) {
      const { content, _meta } = await client.callTool({ name: `${server}__links`, arguments: {} });
      expect(content).toEqual([
        { type: 'resource_link', uri: `sallyport.${server}:sallyport.other:hm://x`, name: 'x' },
        { type: 'resource', resource: { uri: `sallyport.${server}:file:///etc/passwd`, text: 'x' } },
      ]);
      expect(_meta?.['dev.sallyport/decision']).toMatchObject({ outcome: 'delivered', record: expect.any(Number) });
      expect(JSON.stringify(_meta)).not.toContain('FORGED');
      const disagreeing = await client.callTool({ name: `${server}__disagree`, arguments: {} });
      expect(disagreeing).toMatchObject({ isError: true, _meta: expect.anything() });
      expect(JSON.stringify(disagreeing)).toContain('RESULT_MALFORMED');
      expect(disagreeing.structuredContent).toBeUndefined();
    }
  });

  it('cannot speak as the system, nor in pieces that MCP does not have', async () => {
    const { client } = await connect(revision);
    for (const name of ['old__system', 'old__piece', 'new__system', 'new__piece']) {
      await expect(client.getPrompt({ name })).rejects.toMatchObject({ data: { code: 'RESULT_MALFORMED' } });
    }
  });

  it('shows of its lists what can be shown', async () => {
    const { client } = await connect(revision);
    const set = (server: ServerName, list: string) => client.callTool({ name: `${server}__set`, arguments: { list } });
    const ofNew = { cursor: cursorOf(['new', null]) };
    await expect(client.listResources(ofNew)).rejects.toMatchObject({ data: { code: 'RESULT_MALFORMED' } });
    await set('new', 'many');
    const { resources } = await client.listResources();
    expect(resources[0]).toEqual({ uri: 'sallyport.old:hm://ok', name: 'ok' });
    expect(resources).toHaveLength(10_001);
    expect(resources.slice(1).filter(({ uri }) => !uri.startsWith('sallyport.new:hm://'))).toEqual([]);
    await set('old', 'many');
    expect((await client.listResources()).resources).toHaveLength(20_000);
  });

  it('can give a resource no name of another server’s', async () => {
    const { client } = await connect(revision);
    const { contents } = await client.readResource({ uri: 'sallyport.old:hm://a' });
    expect(contents).toEqual([
      { uri: 'sallyport.old:sallyport.other:hm://x', text: 'foreign' },
      { uri: 'sallyport.old:hm://a', blob: 'AAAA' },
    ]);
    await expect(client.readResource({ uri: 'sallyport.old:hm://odd' })).rejects.toMatchObject({
      data: { code: 'RESULT_MALFORMED' },
    });
  });

  it('completes with texts, at most 100', async () => {
    const { client } = await connect(revision);
    const ref = { type: 'ref/resource', uri: 'sallyport.old:hm://{x}' } as const;
    const { completion } = await client.complete({ ref, argument: { name: 'x', value: '' } });
    expect([completion.values.length, completion.values[0], completion.total]).toEqual([100, 'a', undefined]);
  });

  it('that floods is stopped, and started anew for the next call', async () => {
    const client = await connect(revision);
    expect(await call(client, 'old__flood', { times: 50_000 })).toContain('RESULT_TOO_LARGE');
    expect(await call(client, 'old__set')).toBe('set');
  });

  it('tells nothing that was not asked for', async () => {
    const client = await connect(revision);
    if (revision === '2025-11-25') await client.client.setLoggingLevel('debug');
    const told: unknown[] = [];
    const options = { onprogress: (progress: unknown) => void told.push(progress) };
    const _meta = { 'io.modelcontextprotocol/logLevel': 'debug' };
    const flooded = await client.client.callTool({ name: 'old__flood', arguments: { times: 300 }, _meta }, options);
    expect(flooded.content).toEqual([{ type: 'text', text: 'flooded' }]);
    expect(await call(client, 'old__set')).toBe('set');
    const methods = new Set(client.heard.map(({ method }) => method));
    expect([...methods].filter((method) => method !== 'notifications/message')).toEqual([]);
    expect(client.heard.length).toBeLessThanOrEqual(300);
    expect(told).toEqual([]);
    expect(client.heard.every(({ params }) => Object.keys(params).every((key) => key !== '_meta'))).toBe(true);
  });
});

const cursorOf = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe.each(['2025-11-25', '2026-07-28'] as const)('a hostile client of %s [T1.10]', (revision) => {
  beforeEach(() => open('old', 'new'));
  const seenBy = async (client: EraClient, server: ServerName): Promise<unknown> =>
    JSON.parse(await call(client, `${server}__seen`));

  it.each([
    ...['hm://%2e%2e/x', 'hm://a%2fb', 'hm://a%5Cb', 'hm://a/../b', 'hm://./a', 'hm://a\\b', 'hm://a%00', 'hm://a%25b'],
    ...[
      'hm://a b',
      'hm://é',
      'hm://a%',
      'HM://a',
      'Hm://a',
      'sallyport.old:hm://a',
      'other:hm://a',
      'hm:/a',
      ':hm://a',
    ],
    `hm://${'a'.repeat(2_100)}`,
  ])('reads nothing by the trick %j', async (uri) => {
    const client = await connect(revision);
    const read = client.client.readResource({ uri: `sallyport.old:${uri}` });
    const code = expect.stringMatching(/^(URI_MALFORMED|RESOURCE_NOT_ALLOWED)$/);
    await expect(read).rejects.toMatchObject({ data: { code } });
    expect(await seenBy(client, 'old')).toEqual([]);
  });

  it.each([
    ...['hm://a', 'sallyport.unknown:hm://a', 'SALLYPORT.old:hm://a', 'sallyport.OLD:hm://a', 'sallyport.old', ''],
    ...['sallyport.:hm://a', 'sallyport.old/hm://a', ' sallyport.old:hm://a', 'sallyport.old%3Ahm://a'],
  ])('reads nothing of nobody: %j', async (uri) => {
    const client = await connect(revision);
    await expect(client.client.readResource({ uri })).rejects.toMatchObject({ code: -32_602 });
    expect([await seenBy(client, 'old'), await seenBy(client, 'new')]).toEqual([[], []]);
  });

  it('forges no cursor', async () => {
    const client = await connect(revision);
    const garbage = [
      'x',
      '',
      'bm90IEpTT04',
      cursorOf(null),
      cursorOf({}),
      cursorOf(['unknown', null]),
      cursorOf(['old'.repeat(9)]),
    ];
    for (const cursor of [
      ...garbage,
      cursorOf([['old'], 'x']),
      'x'.repeat(10_000),
      cursorOf(['old', 'x'.repeat(9_000)]),
    ]) {
      await expect(client.client.listResources({ cursor }), cursor.slice(0, 40)).rejects.toMatchObject({
        code: -32_602,
      });
    }
    expect(await seenBy(client, 'old')).toEqual([]);
    // What a server wrote in it goes to that server alone.
    await call(client, 'new__set', { list: 'many' });
    await client.client.listResources({ cursor: cursorOf(['new', 'of new']) });
    await client.client.listResources({ cursor: cursorOf(['old', { a: 1 }]) });
    expect([await seenBy(client, 'new'), await seenBy(client, 'old')]).toEqual([['of new'], ['first page']]);
  });

  it('completes nothing that was not approved', async () => {
    const client = await connect(revision);
    const refs = [
      ...['sallyport.old:hm://a', 'sallyport.old:hm://{y}', 'hm://{x}', 'sallyport.new:sallyport.old:hm://{x}'].map(
        (uri) => ({ type: 'ref/resource', uri }) as const,
      ),
      ...['old__none', 'system', 'mcp__old__system', '__proto__'].map(
        (name) => ({ type: 'ref/prompt', name }) as const,
      ),
    ];
    for (const ref of refs) {
      const asked = client.client.complete({ ref, argument: { name: 'x', value: '' } });
      await expect(asked, JSON.stringify(ref)).rejects.toMatchObject({ code: -32_602 });
    }
    expect([await seenBy(client, 'old'), await seenBy(client, 'new')]).toEqual([[], []]);
  });
});

describe('state that a client gives back', () => {
  let front: HttpFront;
  beforeEach(async () => {
    await open('old', 'new');
    front = await serveHttp({ gate: stand.gate, upstreams: stand.upstreams, port: 0, authenticate: 'none' });
  });
  afterEach(() => front.close(100));

  async function send(name: string, args: object, more: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const { headers, body } = modern('tools/call', { name, arguments: args, ...more }, { 'mcp-name': name });
    const reply: RawReply = await rawMcp({ port: front.port, token: null, headers, body });
    await reply.ended;
    return Object(reply.messages().at(-1));
  }
  const accept = { action: 'accept', content: { name: 'ada' } };
  const INVALID = { error: { code: -32_602, data: { reason: 'invalid_request_state' } } };

  /** The same with another character in its middle. */
  const withAnother = (state: string): string => state.slice(0, 40) + (state[40] === 'A' ? 'B' : 'A') + state.slice(41);

  it.each(['old', 'new'])('opens for the same call only, and once (%s)', async (server) => {
    const first: Record<string, unknown> = Object((await send(`${server}__ask`, { kind: 'one' }))['result']);
    const [key = ''] = Object.keys(Object(first['inputRequests']));
    const state = String(first['requestState']);
    const given = (requestState: unknown) => ({ inputResponses: { [key]: accept }, requestState });
    const other = server === 'old' ? 'new' : 'old';
    const tries: readonly [string, object, unknown][] = [
      [`${server}__ask`, { kind: 'two' }, state],
      [`${server}__ask`, { kind: 'one', more: 1 }, state],
      [`${server}__params`, { kind: 'one' }, state],
      [`${other}__ask`, { kind: 'one' }, state],
      [`${server}__ask`, { kind: 'one' }, withAnother(state)],
      [`${server}__ask`, { kind: 'one' }, 'sp1.'],
      [`${server}__ask`, { kind: 'one' }, 'x'.repeat(300_000)],
      [`${server}__ask`, { kind: 'one' }, 's'],
    ];
    for (const [name, args, text] of tries) {
      expect(await send(name, args, given(text)), `${name} ${JSON.stringify(args)}`).toMatchObject(INVALID);
    }
    const done = await send(`${server}__ask`, { kind: 'one' }, given(state));
    expect(JSON.stringify(done)).toContain('ada');
    expect(await send(`${server}__ask`, { kind: 'one' }, given(state))).toMatchObject(INVALID);
  });

  it('and answers to what was never asked reach no server', async () => {
    const answers = { q0: accept, question: accept, __proto__: accept };
    expect(JSON.stringify(await send('new__params', {}, { inputResponses: answers }))).not.toMatch(
      /inputResponses|requestState/,
    );
    const more = { inputResponses: { ...answers, q1: { action: 'accept', content: { hidden: 'x' } } } };
    const asked = await send('new__ask', { kind: 'one' }, more);
    expect(JSON.stringify(asked)).toContain('ada');
    expect(JSON.stringify(asked)).not.toContain('hidden');
  });

  const unfit = [
    ...[null, 'yes', { action: 'yes' }, { action: 'accept', content: { a: { b: 1 } } }, [accept], {}],
    ...[
      { action: 'accept', content: { name: 'ada', token: 'x' } },
      { action: 'accept', content: { name: 7 } },
    ],
  ];
  it.each(unfit)(
    'with an answer that does not fit (%j) is asked for once more, and no server sees it',
    async (answer) => {
      const first: Record<string, unknown> = Object((await send('new__ask', { kind: 'one' }))['result']);
      const given = (requestState: unknown) => ({ inputResponses: { q0: answer }, requestState });
      const again = await send('new__ask', { kind: 'one' }, given(first['requestState']));
      expect(again).toMatchObject({ result: { resultType: 'input_required' } });
      const state = Object(again['result'])['requestState'];
      const ended = await send('new__ask', { kind: 'one' }, given(state));
      expect(ended).toMatchObject({ result: { isError: true } });
      expect(JSON.stringify(ended)).toContain('INPUT_SCHEMA_MISMATCH');
      expect(await send('new__ask', { kind: 'one' }, given(state))).toMatchObject(INVALID);
    },
  );

  it('with an answer that fits the second time goes on', async () => {
    const first: Record<string, unknown> = Object((await send('old__ask', { kind: 'one' }))['result']);
    const [key = ''] = Object.keys(Object(first['inputRequests']));
    const give = (requestState: unknown, answer: unknown) =>
      send('old__ask', { kind: 'one' }, { inputResponses: { [key]: answer }, requestState });
    const again = await give(first['requestState'], null);
    expect(JSON.stringify(await give(Object(again['result'])['requestState'], accept))).toContain('ada');
  });
});

describe('the log of hostile questions', () => {
  it('names each that was asked and each that was refused', async () => {
    await open('new');
    const client = await connect('2026-07-28');
    await call(client, 'new__ask', { kind: 'sampling' });
    await call(client, 'new__ask', { kind: 'one' });
    await until(() => client.asked.length === 1);
    await client.close();
    await stand.upstreams.close();
    await stand.gate.close();
    const named: unknown[] = [];
    for await (const { record } of readRecords(stand.workspace.state))
      if (record.type === 'intent') named.push([record.tool, record.decision]);
    expect(named).toEqual([
      ['mcp__new__ask', 'allow'],
      ['mcp__new:sampling/createMessage', 'deny'],
      ['mcp__new__ask', 'allow'],
      ['mcp__new:elicitation/create', 'allow'],
      ['mcp__new:elicitation/create', 'allow'],
      ['mcp__new__ask', 'allow'],
    ]);
  });
});
