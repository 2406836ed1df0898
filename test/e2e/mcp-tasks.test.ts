import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Client as NewClient } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolResultSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  type Task,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import { anyParams } from '../../src/gateway/client-params.ts';
import { serveHttp, serveStdio } from '../../src/gateway/index.ts';
import { streamTransport } from '../support/stream-transport.ts';
import { serverScript } from './stand.ts';
import { openTestGate, type TestGate, verifiedRecords } from './test-gate.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const SERVER = { command: [process.execPath, serverScript('tasks-v1.mjs')], protocol: '2025-11-25' };
const RULES = `tools:
  mcp__slow__research: { arguments: { topic: { maxLength: 20 } }, output: { maxLength: 200 } }
  mcp__slow__plain: {}
  mcp__slow__end: {}
`;

async function stand(server: object = { tasks: true }, policy: string = RULES): Promise<TestGate> {
  const opened = await openTestGate({ policy, servers: { slow: { ...SERVER, ...server } } });
  closing.push(opened.close);
  return opened;
}

async function pipeTo({ gate, upstreams }: TestGate, agent: string): Promise<Transport> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const front = await serveStdio({ gate, upstreams, user: 'alice', agent, input, output });
  closing.push(() => front.close());
  return streamTransport(output, input) as Transport;
}

/** A client of the first SDK in a session of its own. */
async function clientOf(opened: TestGate, agent = 'test', transport?: Transport): Promise<Client> {
  const client = new Client({ name: 'v1', version: '0' }, { capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { name: 'ada' } }));
  await client.connect(transport ?? (await pipeTo(opened, agent)));
  closing.push(() => client.close());
  return client;
}

const begin = async (client: Client, topic: string, task: object = { ttl: 60_000 }): Promise<Task> => {
  const params = { name: 'slow__research', arguments: { topic }, task };
  return (await client.request({ method: 'tools/call', params }, CreateTaskResultSchema)).task;
};
const end = (client: Client, status: string, result: object = {}): Promise<unknown> =>
  client.callTool({ name: 'slow__end', arguments: { status, result: JSON.stringify(result) } });
const resultOf = async (client: Client, taskId: string): Promise<JsonObject> =>
  (await client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema)) as JsonObject;
const answerFor = (topic: string): JsonObject => ({
  content: [
    { type: 'text', text: JSON.stringify({ topic }) },
    { type: 'resource_link', uri: 'docs://a', name: 'a' },
  ],
  structuredContent: { topic },
});

/** The outcomes of a tool or an action, in order, once the gate is closed and its log verified. */
async function outcomesOf({ gate, workspace }: TestGate, ...tools: readonly string[]): Promise<unknown[]> {
  await gate.close();
  await verifiedRecords(gate, workspace);
  const names = new Map<number, string>();
  const outcomes: unknown[] = [];
  for await (const { record } of readRecords(workspace.state)) {
    if (record.type === 'intent' && record.tool !== undefined) names.set(record.seq, record.tool);
    const tool = names.get(record.intentSeq ?? -1);
    if (record.type === 'outcome' && tool !== undefined && tools.includes(tool)) outcomes.push(record.outcome);
  }
  return outcomes;
}

describe('a call as a task', () => {
  it('is polled, ends and gives its result, each step through the gate', async () => {
    const opened = await stand();
    const client = await clientOf(opened);
    expect(client.getServerCapabilities()?.tasks).toEqual({ list: {}, cancel: {}, requests: { tools: { call: {} } } });
    const { tools } = await client.listTools();
    expect(Object.fromEntries(tools.map(({ name, execution }) => [name, execution?.taskSupport]))).toMatchObject({
      slow__research: 'optional',
      slow__plain: undefined,
    });
    const task = await begin(client, 'tides');
    expect(task).toMatchObject({ status: 'working', ttl: 60_000, pollInterval: 500 });
    expect(task.taskId).toMatch(/^task_/);
    expect(await client.experimental.tasks.getTask(task.taskId)).toMatchObject({
      ...{ taskId: task.taskId, status: 'working' },
    });
    const waiting = resultOf(client, task.taskId);
    await end(client, 'completed', answerFor('tides'));
    expect(await waiting).toMatchObject({
      content: [{ type: 'text' }, { type: 'resource_link', uri: 'sallyport.slow:docs://a' }],
      structuredContent: { topic: 'tides' },
      _meta: { 'io.modelcontextprotocol/related-task': { taskId: task.taskId } },
    });
    expect(await client.experimental.tasks.listTasks()).toMatchObject({
      tasks: [{ taskId: task.taskId, status: 'completed' }],
    });
    expect(await outcomesOf(opened, 'mcp__slow__research', 'mcp__slow:tasks/result')).toEqual([
      ...['task', 'delivered', 'delivered'],
    ]);
  });

  it('is cancelled, and has no result then', async () => {
    const opened = await stand();
    const client = await clientOf(opened);
    const { taskId } = await begin(client, 'tides');
    expect(await client.experimental.tasks.cancelTask(taskId)).toMatchObject({ taskId, status: 'cancelled' });
    expect(await resultOf(client, taskId)).toMatchObject({ isError: true });
    await expect(client.experimental.tasks.cancelTask(taskId)).rejects.toMatchObject({ code: -32_602 });
    expect(await outcomesOf(opened, 'mcp__slow:tasks/cancel')).toEqual(['delivered', 'delivered']);
  });

  it.each(['stdio', 'http'])('is the task of one session over %s: no other can name it, or sees it', async (over) => {
    const opened = await stand();
    const front = await serveHttp({ ...opened, port: 0, authenticate: 'none' });
    closing.push(() => front.close(100));
    const http = (): Transport => new StreamableHTTPClientTransport(new URL(front.url)) as Transport;
    const connect = (): Promise<Client> => clientOf(opened, 'test', over === 'http' ? http() : undefined);
    const [mine, other] = [await connect(), await connect()];
    const { taskId } = await begin(mine, 'tides');
    for (const id of [taskId, 'task_none', '']) {
      await expect(other.experimental.tasks.getTask(id)).rejects.toMatchObject({ code: -32_602 });
      await expect(other.experimental.tasks.cancelTask(id)).rejects.toMatchObject({ code: -32_602 });
      await expect(resultOf(other, id)).rejects.toMatchObject({ code: -32_602 });
    }
    expect((await other.experimental.tasks.listTasks()).tasks).toEqual([]);
    const { taskId: theirs } = await begin(other, 'moon');
    expect((await other.experimental.tasks.listTasks()).tasks).toMatchObject([{ taskId: theirs }]);
    expect((await mine.experimental.tasks.listTasks()).tasks).toMatchObject([{ taskId, status: 'working' }]);
    await expect(mine.experimental.tasks.listTasks('task_none')).rejects.toMatchObject({ code: -32_602 });
  });

  it('is held to the rule of its tool when it begins and when it ends', async () => {
    const opened = await stand();
    const client = await clientOf(opened);
    const refused = { name: 'slow__research', arguments: { topic: 'x'.repeat(21) }, task: {} };
    const denied = await client.request({ method: 'tools/call', params: refused }, CallToolResultSchema);
    expect(denied).toMatchObject({ isError: true, _meta: { 'dev.sallyport/decision': { outcome: 'denied' } } });
    const results = [
      { content: [{ type: 'text', text: '{"topic":"one"}' }], structuredContent: { topic: 'two' } },
      { content: [{ type: 'text', text: 'no structure' }] },
      { content: [{ type: 'text', text: 'wrong structure' }], structuredContent: { topic: 7 } },
      { content: [], structuredContent: { topic: 'x' }, isError: 'yes' },
    ];
    for (const result of results) {
      const { taskId } = await begin(client, 'tides');
      await end(client, 'completed', result);
      expect(await resultOf(client, taskId)).toMatchObject({
        isError: true,
        _meta: { 'dev.sallyport/decision': { code: 'RESULT_MALFORMED' } },
      });
    }
    const { taskId } = await begin(client, 'tides');
    await end(client, 'completed', {
      content: [{ type: 'text', text: 'long '.repeat(1_000) }],
      structuredContent: { topic: 'x' },
    });
    expect(JSON.stringify(await resultOf(client, taskId)).length).toBeLessThan(1_000);
  });

  it('is decided again when it ends', async () => {
    const rules = 'tools:\n  mcp__slow__end: {}\n  mcp__slow__research: { rateLimit: { maxCallsPerMinute: 1 } }\n';
    const opened = await stand({ tasks: true }, rules);
    const client = await clientOf(opened);
    const { taskId } = await begin(client, 'tides');
    await end(client, 'completed', answerFor('tides'));
    expect(await resultOf(client, taskId)).toMatchObject({
      isError: true,
      _meta: { 'dev.sallyport/decision': { outcome: 'denied', code: 'RATE_LIMITED' } },
    });
    expect(await outcomesOf(opened, 'mcp__slow__research')).toEqual(['task']);
  });

  it('has a time to live within bounds, which must be a number', async () => {
    const client = await clientOf(await stand());
    for (const [task, ttl] of [
      [{}, 600_000],
      [{ ttl: 1 }, 1_000],
      [{ ttl: 86_400_000 }, 3_600_000],
    ] as const) {
      expect(await begin(client, 'tides', task)).toMatchObject({ ttl });
    }
    for (const task of [{ ttl: '1' }, { ttl: 1.5 }]) {
      await expect(begin(client, 'tides', task)).rejects.toMatchObject({ code: -32_602 });
    }
  });

  it('ends with an error while it waits for input', async () => {
    const client = await clientOf(await stand());
    const { taskId } = await begin(client, 'tides');
    await end(client, 'input_required');
    await expect(resultOf(client, taskId)).rejects.toMatchObject({ code: -32_000 });
    expect(await client.experimental.tasks.cancelTask(taskId)).toMatchObject({ status: 'cancelled' });
  });
});

describe('a call that cannot go on as a task', () => {
  const call = async (client: Client, name: string): Promise<unknown> =>
    client.request(
      { method: 'tools/call', params: { name, arguments: { topic: 'x' }, task: {} } },
      CallToolResultSchema,
    );

  it('has its result at once where its tool was approved without tasks', async () => {
    const client = await clientOf(await stand());
    expect(await call(client, 'slow__plain')).toMatchObject({ content: [{ text: 'plain at once' }] });
    expect(await call(client, 'slow__none')).toMatchObject({ isError: true });
  });

  it('is a plain call where the policy opens no tasks, and they are not advertised', async () => {
    const client = await clientOf(await stand({}));
    expect(client.getServerCapabilities()?.tasks).toBeUndefined();
    expect((await client.listTools()).tools.every(({ execution }) => execution === undefined)).toBe(true);
    expect(await call(client, 'slow__research')).toMatchObject({ content: [{ text: 'research at once' }] });
    const get = { method: 'tasks/get', params: { taskId: 'task_none' } } as const;
    await expect(client.request(get, CallToolResultSchema)).rejects.toMatchObject({ code: -32_601 });
  });

  it.each(['2025-06-18', '2026-07-28'])('is a plain call for a client of %s, which has no tasks', async (version) => {
    const modern = { versionNegotiation: { mode: { pin: version } } };
    const options = version === '2026-07-28' ? modern : { supportedProtocolVersions: [version] };
    const client = new NewClient({ name: 'v2', version: '0' }, options);
    await client.connect(await pipeTo(await stand(), 'test'));
    closing.push(() => client.close());
    expect((await client.listTools()).tools.every((tool) => !('execution' in tool))).toBe(true);
    const params = { name: 'slow__plain', arguments: { topic: 'x' }, task: {} };
    expect(await client.request({ method: 'tools/call', params })).toMatchObject({
      content: [{ text: 'plain at once' }],
    });
    const get = { method: 'tasks/get', params: { taskId: 'task_none' } };
    await expect(client.request(get, anyParams)).rejects.toMatchObject({ code: -32_601 });
  });

  it('is a plain call where principals keep tasks from this agent', async () => {
    const principals = `${RULES}principals:\n  some: { match: { agent: other }, tools: ["mcp__slow:*", "mcp__slow__*"] }
  rest: { match: { agent: test }, tools: ["mcp__slow__*"] }\n`;
    const opened = await stand({ tasks: true }, principals);
    const client = await clientOf(opened, 'test');
    expect(client.getServerCapabilities()?.tasks).toBeUndefined();
    expect(await call(client, 'slow__research')).toMatchObject({ content: [{ text: 'research at once' }] });
    expect((await clientOf(opened, 'other')).getServerCapabilities()?.tasks).toBeDefined();
  });
});

describe('a server that breaks the rules', () => {
  const HOSTILE = { command: [process.execPath, serverScript('tasks-hostile.mjs')], tasks: true, elicitation: true };
  const call = async (client: Client, name: string, more: object = { task: {} }): Promise<JsonObject> =>
    (await client.request(
      { method: 'tools/call', params: { name: `slow__${name}`, arguments: {}, ...more } },
      CreateTaskResultSchema.or(CallToolResultSchema),
    )) as JsonObject;
  const hostile = async (): Promise<Client> => clientOf(await stand(HOSTILE, 'tools:\n  mcp__slow__*: {}\n'));
  const malformed = { isError: true, _meta: { 'dev.sallyport/decision': { code: 'RESULT_MALFORMED' } } };

  it('may answer at once', async () => {
    expect(await call(await hostile(), 'hasty')).toMatchObject({ content: [{ text: 'at once' }] });
  });

  it('shows of a task only what MCP has, within bounds', async () => {
    const { task } = await call(await hostile(), 'wordy');
    expect(task).toEqual({
      ...{ taskId: expect.stringMatching(/^task_/), status: 'working', statusMessage: 'x'.repeat(500) },
      ...{ createdAt: '2026-01-01T00:00:00Z', lastUpdatedAt: '2026-01-01T00:00:00Z', ttl: 3_600_000 },
      pollInterval: 60_000,
    });
  });

  it.each(['no-id', 'long-id', 'bad-status', 'bad-time', 'bad-ttl', 'no-task'])('begins no task: %s', async (name) => {
    const client = await hostile();
    expect(await call(client, name)).toMatchObject(malformed);
    expect((await client.experimental.tasks.listTasks()).tasks).toEqual([]);
  });

  it('gives no task to a call that did not ask for one', async () => {
    expect(await call(await hostile(), 'wordy', {})).toMatchObject(malformed);
  });

  it('cannot answer for another task', async () => {
    const client = await hostile();
    const { task } = await client.request(
      { method: 'tools/call', params: { name: 'slow__other', arguments: {}, task: {} } },
      CreateTaskResultSchema,
    );
    await expect(client.experimental.tasks.getTask(task.taskId)).rejects.toMatchObject({
      ...{ code: -32_000, data: { code: 'RESULT_MALFORMED' } },
    });
    await expect(resultOf(client, task.taskId)).rejects.toMatchObject({ code: -32_000 });
    expect((await client.experimental.tasks.listTasks()).tasks).toEqual([]);
  });

  it('cannot ask for a task what another call could be taken to ask', async () => {
    const client = await hostile();
    expect(await call(client, 'ask', {})).toMatchObject({ content: [{ text: 'refused -32601' }] });
  });
});

describe('the everything server', () => {
  it('does its research as a task', async () => {
    const script = '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js';
    const command = [process.execPath, fileURLToPath(new URL(script, import.meta.url))];
    const opened = await stand({ command, tasks: true }, 'tools:\n  mcp__slow__simulate-research-query: {}\n');
    const client = await clientOf(opened);
    const stream = client.experimental.tasks.callToolStream(
      { name: 'slow__simulate-research-query', arguments: { topic: 'tides' } },
      CallToolResultSchema,
      { task: { ttl: 60_000 } },
    );
    const seen: string[] = [];
    for await (const message of stream) {
      seen.push(message.type);
      if (message.type === 'result') expect(JSON.stringify(message.result)).toContain('Research Report: tides');
    }
    expect([seen[0], seen.at(-1)]).toEqual(['taskCreated', 'result']);
  }, 30_000);
});
