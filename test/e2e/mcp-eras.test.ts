import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogRecord, readRecords } from '../../src/audit/index.ts';
import { type EraClient, eraClient, type Revision, type Surface } from '../support/era-client.ts';
import { until } from '../support/raw-mcp.ts';
import { type ListeningServer, listeningServer, serverScript } from './stand.ts';
import { openTestGate, type TestGate, verifiedRecords } from './test-gate.ts';

const SURFACES: readonly Surface[] = ['http', 'stdio'];
const REVISIONS: readonly Revision[] = ['2025-11-25', '2026-07-28'];
const EVERYTHING = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url),
);
const OPEN = {
  ...{ completion: true, subscriptions: true, elicitation: true, sampling: true, roots: true, logging: true },
  prompts: ['greet', 'completable-prompt'],
};

/** One gate with one server, and one client in front of it. */
interface Stand {
  readonly gate: TestGate;
  readonly client: EraClient;
  close(): Promise<void>;
}

async function openStand(
  server: { readonly command: readonly string[] } | 'listening',
  protocol: string,
  [surface, revision]: readonly [Surface, Revision],
  rights: object = { ...OPEN, resources: ['demo://one'] },
): Promise<Stand> {
  const listening: ListeningServer | null =
    server === 'listening' ? await listeningServer('full.mjs', 'http', 'more') : null;
  const reached = listening === null ? server : { url: listening.url };
  const gate = await openTestGate({
    policy: 'tools: { mcp__full__*: {} }\n',
    servers: { full: { ...(typeof reached === 'string' ? {} : reached), protocol, ...rights } },
  });
  const client = await eraClient(gate, { surface, revision });
  return {
    ...{ gate, client },
    close: async () => {
      await client.close();
      await gate.close();
      await listening?.close();
    },
  };
}

async function recordsOf({ workspace }: TestGate): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) records.push(record);
  return records;
}

async function textOf({ client }: EraClient, name: string, args: object = {}, options: object = {}): Promise<string> {
  const result = await client.callTool({ name: `full__${name}`, arguments: { ...args } }, { ...options });
  const [first] = result.content;
  return first?.type === 'text' ? first.text : JSON.stringify(result);
}

/** Lets a client hear of a URI, in the way of its revision; the result ends it. */
async function watch({ client, revision }: EraClient, uri: string): Promise<() => Promise<unknown>> {
  if (revision === '2025-11-25') {
    await client.subscribeResource({ uri });
    return () => client.unsubscribeResource({ uri });
  }
  const stream = await client.listen({ resourceSubscriptions: [uri], toolsListChanged: true });
  return () => stream.close();
}

const updatesOf = ({ heard }: EraClient): readonly unknown[] =>
  heard.filter(({ method }) => method === 'notifications/resources/updated').map(({ params }) => params['uri']);
const questionsOf = ({ asked }: EraClient, method: string) => asked.filter((question) => question.method === method);

const CLIENTS = SURFACES.flatMap((surface) => REVISIONS.map((revision) => [surface, revision] as const));
const PIPE = { command: [process.execPath, serverScript('full.mjs'), 'stdio', 'more'] };
const STANDS = (
  [
    ['2025-11-25', 'stdio', PIPE],
    ['2025-11-25', 'http', 'listening'],
    ['2026-07-28', 'stdio', PIPE],
    ['2026-07-28', 'http', 'listening'],
  ] as const
).flatMap(([protocol, over, server]) =>
  CLIENTS.map(([surface, revision]) => [protocol, over, revision, surface, server] as const),
);

describe.each(STANDS)(
  'a server of %s over %s before a client of %s over %s',
  (protocol, _, revision, surface, server) => {
    let stand: Stand;
    beforeAll(async () => {
      stand = await openStand(server, protocol, [surface, revision]);
    });
    afterAll(() => stand.close());

    it('shows and reads the resources that the policy opens, and records who asked for others', async () => {
      const { client } = stand.client;
      const listed = await client.listResources();
      expect(listed.resources).toEqual([{ uri: 'sallyport.full:demo://one', name: 'one' }]);
      const { resourceTemplates } = await client.listResourceTemplates();
      expect(resourceTemplates).toEqual([{ uriTemplate: 'sallyport.full:demo://{name}', name: 'demo' }]);
      const { contents } = await client.readResource({ uri: 'sallyport.full:demo://one' });
      expect(contents).toEqual([{ uri: 'sallyport.full:demo://one', text: 'content of demo://one' }]);
      await expect(client.readResource({ uri: 'sallyport.full:demo://secret' })).rejects.toMatchObject({
        code: -32_000,
        data: { code: 'RESOURCE_NOT_ALLOWED', rule: 'servers.full.resources', record: expect.any(Number) },
      });
    });

    it('gives the prompts that the policy opens, and completes their arguments', async () => {
      const { client } = stand.client;
      expect((await client.listPrompts()).prompts).toEqual([
        { name: 'full__greet', title: 'Greets', arguments: [{ name: 'who', required: true }] },
      ]);
      const { messages } = await client.getPrompt({ name: 'full__greet', arguments: { who: 'ada' } });
      expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Greet ada' } }]);
      await expect(client.getPrompt({ name: 'full__betray' })).rejects.toMatchObject({
        data: { code: 'PROMPT_NOT_ALLOWED', record: expect.any(Number) },
      });
      const completed = await client.complete({
        ref: { type: 'ref/prompt', name: 'full__greet' },
        argument: { name: 'who', value: 'a' },
      });
      expect(completed.completion.values).toEqual(['a!']);
      const denied = client.complete({
        ref: { type: 'ref/prompt', name: 'full__betray' },
        argument: { name: 'who', value: 'a' },
      });
      await expect(denied).rejects.toMatchObject({ data: { code: 'PROMPT_NOT_ALLOWED' } });
    });

    it('tells of a resource that is watched, and of no other', async () => {
      const stop = await watch(stand.client, 'sallyport.full:demo://one');
      await textOf(stand.client, 'touch', { uri: 'demo://secret' });
      await textOf(stand.client, 'touch', { uri: 'demo://one' });
      await until(() => updatesOf(stand.client).length > 0);
      await stop();
      await textOf(stand.client, 'touch', { uri: 'demo://one' });
      await textOf(stand.client, 'echo');
      expect(updatesOf(stand.client)).toEqual(['sallyport.full:demo://one']);
    });

    it('tells its progress before the answer, and its log at the level asked for', async () => {
      const told: number[] = [];
      const onprogress = ({ progress }: { progress: number }): void => void told.push(progress);
      expect(await textOf(stand.client, 'progress', {}, { onprogress })).toBe('done');
      expect(told.at(-1)).toBe(3);
      const { client, heard } = stand.client;
      if (revision === '2025-11-25') await client.setLoggingLevel('error');
      const _meta = revision === '2025-11-25' ? {} : { 'io.modelcontextprotocol/logLevel': 'error' };
      await client.callTool({ name: 'full__log', arguments: {}, _meta });
      const logs = heard.filter(({ method }) => method === 'notifications/message');
      expect(logs.map(({ params }) => [params['level'], params['data']])).toEqual([
        ['error', 'a message of the level error'],
      ]);
    });

    it('asks the person in two rounds, and takes a no', async () => {
      stand.client.forms = [
        { action: 'accept', content: { name: 'ada' } },
        { action: 'accept', content: { color: 'blue' } },
        { action: 'decline' },
      ];
      expect(await textOf(stand.client, 'ask')).toBe('ada likes blue');
      expect(questionsOf(stand.client, 'elicitation/create').map(({ params }) => params['message'])).toEqual([
        'The server "full" asks: Name?',
        'The server "full" asks: Color?',
      ]);
      expect(await textOf(stand.client, 'ask')).toBe('nobody answers');
    });

    it('asks the model and for the folders', async () => {
      expect(await textOf(stand.client, 'sample')).toContain('as the model says');
      expect(questionsOf(stand.client, 'sampling/createMessage')).toHaveLength(1);
      expect(await textOf(stand.client, 'roots')).toContain('file:///project');
      expect(questionsOf(stand.client, 'roots/list')).toHaveLength(1);
    });

    it('cannot ask a client that does not offer it', async () => {
      const mute = await eraClient(stand.gate, { surface, revision, mute: true });
      const asked = mute.client.callTool({ name: 'full__ask', arguments: {} });
      const answer = await asked.catch((error: unknown) => error);
      if (answer instanceof Error) expect(answer).toMatchObject({ code: -32_021 });
      else expect(answer).toMatchObject({ isError: true });
      expect(await textOf(mute, 'echo', { a: 1 })).toBe('{"a":1}');
      await mute.close();
    });

    it('is told when a call is cancelled, and serves the next one', async () => {
      const stop = new AbortController();
      const slow = textOf(stand.client, 'slow', {}, { signal: stop.signal });
      setTimeout(() => stop.abort(), 100);
      await expect(slow).rejects.toThrow();
      expect(await textOf(stand.client, 'echo', { a: 2 })).toBe('{"a":2}');
    });

    it('says that its tools changed, and is not used any more until they are approved', async () => {
      const { heard } = stand.client;
      const stop = revision === '2025-11-25' ? null : await watch(stand.client, 'sallyport.full:demo://one');
      await textOf(stand.client, 'change');
      await until(() => heard.some(({ method }) => method === 'notifications/tools/list_changed'));
      // A process that is started anew offers again what was approved: the next use alone is refused.
      expect(await textOf(stand.client, 'echo')).toContain('SERVER_CHANGED');
      await stop?.();
    });

    it('leaves three records of each action under its name, in a log that verifies', async () => {
      await stand.client.close();
      await stand.gate.upstreams.close();
      await stand.gate.gate.close();
      await verifiedRecords(stand.gate.gate, stand.gate.workspace);
      const records = await recordsOf(stand.gate);
      const namesOf = (type: string, decision?: string): ReadonlySet<string> =>
        new Set(
          records
            .filter((record) => record.type === type && (decision === undefined || record.decision === decision))
            .map(({ tool }) => String(tool)),
        );
      for (const method of CROSSED) {
        expect(namesOf('intent', 'allow')).toContain(`mcp__full:${method}`);
      }
      const admitted = records.filter(({ type }) => type === 'admitted');
      const outcomes = new Map(
        records.filter(({ type }) => type === 'outcome').map((each) => [each.admittedSeq, each]),
      );
      expect(admitted.filter(({ seq }) => outcomes.get(seq) === undefined)).toEqual([]);
      expect(admitted.map(({ intentSeq }) => intentSeq)).toEqual(
        records.filter(({ type, decision }) => type === 'intent' && decision === 'allow').map(({ seq }) => seq),
      );
      const denied = records.filter(({ type, decision }) => type === 'intent' && decision === 'deny');
      expect(denied.map(({ tool, code }) => [tool, code])).toEqual(
        expect.arrayContaining([
          ['mcp__full:resources/read', 'RESOURCE_NOT_ALLOWED'],
          ['mcp__full:prompts/get', 'PROMPT_NOT_ALLOWED'],
          ['mcp__full:completion/complete', 'PROMPT_NOT_ALLOWED'],
        ]),
      );
      // A listening that the end of its session cut off is cancelled too.
      const outcomesOfSlow = records.filter(
        ({ type, tool, outcome }) => type === 'outcome' && tool === 'mcp__full__slow' && outcome === 'cancelled',
      );
      expect(outcomesOfSlow).toHaveLength(1);
    });
  },
);

/** Actions that every combination has. */
const CROSSED = [
  ...['resources/list', 'resources/read', 'resources/subscribe', 'resources/unsubscribe', 'prompts/get'],
  ...['notifications/resources/updated', 'completion/complete', 'elicitation/create', 'sampling/createMessage'],
  ...['roots/list', 'notifications/progress', 'notifications/message', 'notifications/tools/list_changed'],
];

describe.each(CLIENTS)('the public server with everything before a client over %s of %s', (surface, revision) => {
  it('passes what the policy opens of it', async () => {
    const stand = await openStand({ command: [process.execPath, EVERYTHING, 'stdio'] }, 'auto', [surface, revision], {
      ...{ ...OPEN, roots: false, resources: ['demo://resource/static/document/*'] },
    });
    const { client } = stand.client;
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain('sallyport.full:demo://resource/static/document/features.md');
    const { contents } = await client.readResource({ uri: resources[0]?.uri ?? '' });
    expect(contents[0]).toMatchObject({ uri: resources[0]?.uri, mimeType: 'text/markdown', text: expect.any(String) });
    await expect(client.readResource({ uri: 'sallyport.full:demo://resource/dynamic/text/1' })).rejects.toMatchObject({
      data: { code: 'RESOURCE_NOT_ALLOWED' },
    });
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['full__completable-prompt']);
    const ref = { type: 'ref/prompt', name: 'full__completable-prompt' } as const;
    const completed = await client.complete({
      ...{ ref, argument: { name: 'name', value: 'A' } },
      context: { arguments: { department: 'Engineering' } },
    });
    expect(completed.completion.values).toEqual(['Alice']);
    const told: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void told.push(progress);
    await textOf(stand.client, 'trigger-long-running-operation', { duration: 0.2, steps: 2 }, { onprogress });
    expect(told.at(-1)).toBe(2);
    stand.client.forms = [{ action: 'decline' }];
    expect(await textOf(stand.client, 'trigger-elicitation-request')).toContain('declined');
    const prompt = { prompt: 'hello', maxTokens: 5 };
    expect(await textOf(stand.client, 'trigger-sampling-request', prompt)).toContain('as the model says');
    const stop = await watch(stand.client, resources[0]?.uri ?? '');
    await textOf(stand.client, 'toggle-subscriber-updates');
    await until(() => updatesOf(stand.client).includes(resources[0]?.uri));
    await textOf(stand.client, 'toggle-subscriber-updates');
    await stop();
    await stand.close();
  });
});

/** Methods that a client of the stateless revision can send; the rest does not leave it. */
const IN_BOTH: ReadonlySet<string> = new Set([
  ...['resources/list', 'resources/templates/list', 'resources/read', 'prompts/list', 'prompts/get'],
  'completion/complete',
]);

describe.each(CLIENTS)(
  'a server that nothing is opened of, before a client over %s of %s [T1.10]',
  (surface, revision) => {
    it('has tools and nothing else', async () => {
      const stand = await openStand(PIPE, '2025-11-25', [surface, revision], {});
      const { client, asked, heard } = stand.client;
      expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
      const methods: readonly [string, object][] = [
        ['resources/list', {}],
        ['resources/templates/list', {}],
        ['resources/read', { uri: 'sallyport.full:demo://one' }],
        ['resources/subscribe', { uri: 'sallyport.full:demo://one' }],
        ['prompts/list', {}],
        ['prompts/get', { name: 'full__greet' }],
        [
          'completion/complete',
          { ref: { type: 'ref/prompt', name: 'full__greet' }, argument: { name: 'a', value: '' } },
        ],
        ['logging/setLevel', { level: 'debug' }],
        ['tasks/list', {}],
        ['x/unknown', {}],
      ];
      const anything = {
        '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) },
      };
      for (const [method, params] of methods) {
        if (revision === '2026-07-28' && !method.startsWith('x/') && !IN_BOTH.has(method)) continue;
        const refused = client.request({ method, params: { ...params } }, anything);
        await expect(refused, method).rejects.toThrow(/Method not found|not supported|does not support/);
      }
      for (const name of ['ask', 'sample', 'roots']) {
        const answer = await client.callTool({ name: `full__${name}`, arguments: {} }).catch((error: unknown) => error);
        expect(answer instanceof Error || JSON.stringify(answer).includes('"isError":true'), name).toBe(true);
      }
      await textOf(stand.client, 'log');
      await textOf(stand.client, 'touch');
      expect([asked, heard]).toEqual([[], []]);
      await stand.close();
    });
  },
);
