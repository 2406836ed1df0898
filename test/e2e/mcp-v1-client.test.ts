import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it } from 'vitest';
import { listenHttp } from '../../src/gateway/http-front.ts';
import { servePipe } from '../../src/gateway/stdio-front.ts';
import { until } from '../support/raw-mcp.ts';
import { answerAll, requestsFor, type ScriptedSession, scriptedSession } from '../support/scripted-session.ts';
import { streamTransport } from '../support/stream-transport.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function transportTo(session: ScriptedSession, over: 'http' | 'stdio'): Promise<Transport> {
  if (over === 'stdio') {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const front = servePipe(session, { input, output });
    closing.push(() => front.close());
    return streamTransport(output, input) as Transport;
  }
  const front = await listenHttp({ port: 0, authenticate: 'none' }, async () => session);
  closing.push(() => front.close(100));
  return new StreamableHTTPClientTransport(new URL(front.url)) as Transport;
}

async function connect(session: ScriptedSession, over: 'http' | 'stdio'): Promise<Client> {
  const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
  const client = new Client({ name: 'v1', version: '0' }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { name: 'ada' } }));
  client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///r' }] }));
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({
    ...{ role: 'assistant' as const, content: { type: 'text' as const, text: 'hello' }, model: 'm' },
  }));
  await client.connect(await transportTo(session, over));
  closing.push(() => client.close());
  return client;
}

describe.each(['http', 'stdio'] as const)('a client of the first SDK over %s', (over) => {
  it('reaches tools, resources, prompts and completion', async () => {
    const client = await connect(scriptedSession(answerAll), over);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo']);
    expect((await client.listResources()).resources).toHaveLength(1);
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    expect((await client.readResource({ uri: 'file:///a' })).contents).toHaveLength(1);
    expect((await client.listPrompts()).prompts).toHaveLength(1);
    expect((await client.getPrompt({ name: 'p' })).messages).toHaveLength(1);
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'p' },
      argument: { name: 'x', value: '' },
    });
    expect(completed.completion.values).toEqual(['one']);
    await client.ping();
  });

  it('is asked in the middle of a call, and hears of its progress', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, over);
    const answered = await client.callTool({ name: 'ask', arguments: {} });
    expect(answered.isError).toBeUndefined();
    expect(requestsFor(session, 'tools/call').map(({ state }) => state?.slice(0, 8) ?? null)).toEqual([
      ...[null, 'sealed-1', 'sealed-2'],
    ]);
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
    await client.callTool({ name: 'progress', arguments: {} }, CallToolResultSchema, { onprogress });
    expect(heard.at(-1)).toBe(500);
  });

  it('is told of changes and of log messages', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, over);
    const heard: string[] = [];
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools'));
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.level));
    await client.setLoggingLevel('error');
    await client.subscribeResource({ uri: 'file:///a' });
    session.emit({ kind: 'tools' });
    session.emit({ kind: 'updated', uri: 'file:///a' });
    await until(() => heard.length === 2);
    session.emit({ kind: 'log', message: { level: 'info', data: 1 } });
    session.emit({ kind: 'log', message: { level: 'error', data: 1 } });
    await until(() => heard.length === 3);
    expect([...heard].sort()).toEqual(['error', 'file:///a', 'tools']);
  });

  it('cancels a call, and gets no answer to it', async () => {
    const session = scriptedSession(answerAll);
    const client = await connect(session, over);
    const stop = new AbortController();
    const call = client.callTool({ name: 'wait', arguments: {} }, CallToolResultSchema, { signal: stop.signal });
    await until(() => requestsFor(session, 'tools/call').length === 1);
    stop.abort();
    await expect(call).rejects.toThrow();
    await until(() => requestsFor(session, 'tools/call')[0]?.signal.aborted === true);
  });
});
