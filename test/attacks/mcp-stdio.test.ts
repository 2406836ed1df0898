import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClientLimits } from '../../src/gateway/client-limits.ts';
import { type StdioFront, servePipe } from '../../src/gateway/stdio-front.ts';
import { modern, rpc, until } from '../support/raw-mcp.ts';
import { answerAll, requestsFor, type ScriptedSession, scriptedSession } from '../support/scripted-session.ts';

interface Pipe {
  readonly session: ScriptedSession;
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly front: StdioFront;
  /** Messages that the gateway wrote; empty while the output is not read. */
  readonly heard: Record<string, unknown>[];
  say(message: object): void;
}

const open: Pipe[] = [];
afterEach(async () => {
  for (const { front } of open.splice(0)) await front.close();
});

function openPipe(clientLimits: Partial<ClientLimits> = {}, reads = true, resultBinaryBytes = 262_144): Pipe {
  const [session, input, output] = [scriptedSession(answerAll), new PassThrough(), new PassThrough()];
  const heard: Record<string, unknown>[] = [];
  let rest = '';
  if (reads) {
    output.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      heard.push(...lines.map((line) => JSON.parse(line)));
    });
  }
  const front = servePipe(session, { input, output, clientLimits, limits: { resultBinaryBytes } });
  const say = (message: object): void => void input.write(`${JSON.stringify(message)}\n`);
  const pipe = { session, input, output, front, heard, say };
  open.push(pipe);
  return pipe;
}

const answerTo = ({ heard }: Pipe, id: unknown): Record<string, unknown> | undefined =>
  heard.find((message) => message['id'] === id && message['method'] === undefined);

async function initialize(pipe: Pipe): Promise<void> {
  const capabilities = { elicitation: {}, sampling: {}, roots: {} };
  const clientInfo = { name: 't', version: '0' };
  pipe.say(rpc('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo }, 'init'));
  await until(() => answerTo(pipe, 'init') !== undefined);
}

const listen = (id: number | string, uris: readonly unknown[]): object => ({
  ...modern('subscriptions/listen', { notifications: { resourceSubscriptions: uris } }).body,
  id,
});

describe('a client on stdio', () => {
  it('cannot answer what it was not asked, nor twice', async () => {
    const pipe = openPipe();
    await initialize(pipe);
    pipe.say(rpc('tools/call', { name: 'ask', arguments: {} }, 'call'));
    await until(() => pipe.heard.filter(({ method }) => method !== undefined).length === 3);
    const id = pipe.heard.find(({ method }) => method === 'elicitation/create')?.['id'];
    const answer = (to: unknown, name: string): object => ({
      ...{ jsonrpc: '2.0', id: to, result: { action: 'accept', content: { name } } },
    });
    for (const guess of [`${id}`, '', -1, 99]) pipe.say(answer(guess, 'guessed'));
    pipe.say(answer(id, 'first'));
    pipe.say(answer(id, 'second'));
    const other = (method: string): unknown => pipe.heard.find((message) => message['method'] === method)?.['id'];
    pipe.say({ jsonrpc: '2.0', id: other('roots/list'), result: { roots: [] } });
    const content = { type: 'text', text: 'hello' };
    pipe.say({
      jsonrpc: '2.0',
      id: other('sampling/createMessage'),
      result: { role: 'assistant', content, model: 'm' },
    });
    await until(() => requestsFor(pipe.session, 'tools/call').length === 2);
    const [, round] = requestsFor(pipe.session, 'tools/call');
    expect(round?.answers?.['form']).toEqual({ action: 'accept', content: { name: 'first' } });
  });

  it('that asks without end is refused beyond what may wait', async () => {
    const pipe = openPipe({ pending: 4 });
    await initialize(pipe);
    for (let id = 0; id < 10; id++) pipe.say(rpc('tools/call', { name: 'wait', arguments: {} }, id));
    await until(() => answerTo(pipe, 9) !== undefined && requestsFor(pipe.session, 'tools/call').length === 4);
    expect([0, 1, 2, 3, 4].map((id) => answerTo(pipe, id) === undefined)).toEqual([true, true, true, true, false]);
    expect(answerTo(pipe, 9)).toMatchObject({ error: { code: -32_000 } });
  });

  it('that says without end that its roots changed causes one message, and one for the rest', async () => {
    const pipe = openPipe({ tellMs: 50 });
    await initialize(pipe);
    for (let count = 0; count < 5_000; count++) {
      pipe.say({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' });
    }
    pipe.say(rpc('ping', {}, 'ping'));
    await until(() => answerTo(pipe, 'ping') !== undefined);
    expect(pipe.session.told.length).toBeGreaterThan(0);
    expect(pipe.session.told.length).toBeLessThan(200);
  });

  it('that never reads fills no memory', async () => {
    const pipe = openPipe({}, false);
    const clientInfo = { name: 't', version: '0' };
    pipe.say(rpc('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }, 'init'));
    const text = 'x'.repeat(60_000);
    for (let id = 0; id < 400; id++) {
      pipe.say(rpc('tools/call', { name: 'echo', arguments: { text } }, id));
      pipe.session.emit({ kind: 'log', message: { level: 'error', data: text } });
      if (id % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => requestsFor(pipe.session, 'tools/call').length >= 4);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pipe.output.writableLength + pipe.output.readableLength).toBeLessThan(600_000); // of 48 million
  });

  it('of the stateless revision is told of no URI that the session refused, and of few', async () => {
    const pipe = openPipe({ streams: 2, uris: 5 });
    pipe.say(listen('many', ['a', 'b', 'c', 'd', 'e', 'f']));
    pipe.say(listen('one', ['a', 'b']));
    await until(() => pipe.heard.length === 2);
    expect(answerTo(pipe, 'many')).toMatchObject({ error: { code: -32_602 } });
    expect(requestsFor(pipe.session, 'resources/subscribe').map(({ params }) => params['uri'])).toEqual(['a', 'b']);
    pipe.say(listen('one', ['c']));
    pipe.say(listen('two', ['c']));
    pipe.say(listen('three', ['d']));
    await until(() => pipe.heard.length === 5);
    expect(answerTo(pipe, 'one')).toMatchObject({ error: { code: -32_600 } });
    expect(answerTo(pipe, 'three')).toMatchObject({ error: { code: -32_603 } });
    expect(requestsFor(pipe.session, 'resources/subscribe')).toHaveLength(3);
    pipe.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'one' } });
    await until(() => requestsFor(pipe.session, 'resources/unsubscribe').length === 2);
    pipe.session.emit({ kind: 'updated', uri: 'a' });
    pipe.session.emit({ kind: 'updated', uri: 'c' });
    await until(() => pipe.heard.length === 6);
    expect(pipe.heard.at(-1)).toMatchObject({ method: 'notifications/resources/updated', params: { uri: 'c' } });
  });

  it('of the older revisions gets no stream of the stateless one', async () => {
    const pipe = openPipe();
    await initialize(pipe);
    pipe.say(listen('l', ['a']));
    await until(() => answerTo(pipe, 'l') !== undefined);
    expect(answerTo(pipe, 'l')).toMatchObject({ error: { code: -32_601 } });
    await until(
      () =>
        requestsFor(pipe.session, 'resources/subscribe').length ===
        requestsFor(pipe.session, 'resources/unsubscribe').length,
    );
  });

  it('that leaves ends its session', async () => {
    const pipe = openPipe();
    pipe.say(listen('l', ['a']));
    await until(() => pipe.heard.length === 1);
    pipe.input.end();
    await pipe.front.closed;
    expect(pipe.session.closed()).toBe(1);
    expect(pipe.session.listeners()).toBe(0);
  });
});
