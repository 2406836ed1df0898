import { PassThrough } from 'node:stream';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { serveHttp, serveStdio } from '../../src/gateway/index.ts';
import { streamTransport } from '../support/stream-transport.ts';
import { serverScript } from './stand.ts';
import { openTestGate, type TestGate } from './test-gate.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server with sessions on a pipe, which asks in the middle of a call. */
async function openGate(): Promise<TestGate> {
  const full = {
    ...{ command: [process.execPath, serverScript('full.mjs'), 'stdio'], protocol: '2025-11-25' },
    elicitation: true,
  };
  const stand = await openTestGate({ allow: ['mcp__*'], servers: { full } });
  closing.push(stand.close);
  return stand;
}

const connections = ({ upstreams }: TestGate): number | undefined => upstreams.status()[0]?.health.connections;

const until = async (condition: () => boolean): Promise<void> => {
  for (let turns = 0; !condition(); turns++) {
    if (turns > 2_000) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

async function statelessClient({ gate, upstreams }: TestGate): Promise<Client> {
  const front = await serveHttp({
    ...{ gate, upstreams, authenticate: 'none', port: 0 },
    local: { user: 'ann', agent: 'tester' },
  });
  closing.push(() => front.close(0));
  const options = {
    ...{ capabilities: { elicitation: { form: {} } }, inputRequired: { autoFulfill: false } },
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  };
  const client = new Client({ name: 't', version: '0' }, options);
  await client.connect(new StreamableHTTPClientTransport(new URL(front.url)));
  closing.push(() => client.close());
  return client;
}

interface Asked {
  readonly inputRequests: Readonly<Record<string, unknown>>;
  readonly requestState: string;
}

async function call(client: Client, name: string, more: object = {}): Promise<unknown> {
  const params = { name, arguments: {}, ...more };
  return client.request({ method: 'tools/call', params }, { allowInputRequired: true });
}

async function ask(client: Client): Promise<Asked> {
  const asked = await call(client, 'full__ask');
  expect(asked).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
  return asked as Asked;
}

const answer = (client: Client, { inputRequests, requestState }: Asked, field: string, value: string) => {
  const given = { action: 'accept', content: { [field]: value } };
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, given]));
  return call(client, 'full__ask', { inputResponses, requestState });
};

describe('a stateless client in front of a server with sessions', () => {
  it('is answered while a question of another call stays open, and that call goes on', async () => {
    const stand = await openGate();
    const client = await statelessClient(stand);
    const first = await ask(client);
    expect(await call(client, 'full__echo', { arguments: { n: 1 } })).toMatchObject({ content: [{ text: '{"n":1}' }] });
    expect(await call(client, 'full__echo', { arguments: { n: 2 } })).toMatchObject({ content: [{ text: '{"n":2}' }] });
    const second = await ask(client);
    const asked = (await answer(client, first, 'name', 'ada')) as Asked;
    expect(asked).toMatchObject({ resultType: 'input_required' });
    const other = (await answer(client, second, 'name', 'bob')) as Asked;
    // Each question is answered to the call that asked it.
    expect(await answer(client, asked, 'color', 'blue')).toMatchObject({ content: [{ text: 'ada likes blue' }] });
    expect(await answer(client, other, 'color', 'red')).toMatchObject({ content: [{ text: 'bob likes red' }] });
    expect(connections(stand)).toBe(2);
  });

  it('that leaves questions unanswered is answered all the same: the oldest is given up', async () => {
    const stand = await openGate();
    const client = await statelessClient(stand);
    const asked: Asked[] = [];
    for (let count = 0; count < 5; count++) asked.push(await ask(client));
    expect(await call(client, 'full__echo')).toMatchObject({ content: [{ text: '{}' }] });
    expect(connections(stand)).toBe(4);
    const [oldest, , , , latest] = asked;
    if (oldest === undefined || latest === undefined) throw new TypeError('five were asked');
    expect(await answer(client, oldest, 'name', 'ada')).toMatchObject({ isError: true });
    expect(await answer(client, latest, 'name', 'ada')).toMatchObject({ resultType: 'input_required' });
  });
});

/** A client with sessions on a pipe, which answers questions by `answerQuestion`. */
async function sessionClient(
  { gate, upstreams }: TestGate,
  answerQuestion: () => Promise<{ action: 'accept'; content: Record<string, string> }>,
): Promise<Client> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const front = await serveStdio({ gate, upstreams, user: 'ann', agent: 'tester', input, output });
  closing.push(() => front.close());
  const client = new Client({ name: 't', version: '0' }, { capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler('elicitation/create', answerQuestion);
  await client.connect(streamTransport(output, input));
  closing.push(() => client.close());
  return client;
}

describe('a client with sessions', () => {
  it.each([
    ['answers with an error', () => Promise.reject(new Error('no'))],
    ['answers what does not fit', () => Promise.resolve({ action: 'accept' as const, content: { other: 'x' } })],
  ])('that %s leaves nothing parked', async (_name, handler) => {
    const stand = await openGate();
    const client = await sessionClient(stand, handler);
    for (let round = 0; round < 6; round++) {
      expect(await client.callTool({ name: 'full__ask', arguments: {} })).toMatchObject({ isError: true });
    }
    await until(() => connections(stand) === 1);
    expect((await client.callTool({ name: 'full__echo', arguments: {} })).isError).toBeUndefined();
  });

  it('that cancels a call with an open question leaves nothing parked, and its lanes end with it', async () => {
    const stand = await openGate();
    let isAsked = false;
    const client = await sessionClient(stand, () => {
      isAsked = true;
      return new Promise(() => undefined);
    });
    for (let round = 0; round < 6; round++) {
      isAsked = false;
      const stop = new AbortController();
      const called = client.callTool({ name: 'full__ask', arguments: {} }, { signal: stop.signal });
      await until(() => isAsked);
      stop.abort('enough');
      await expect(called).rejects.toThrow();
    }
    const open = client.callTool({ name: 'full__ask', arguments: {} });
    open.catch(() => undefined); // it ends with the connection
    expect((await client.callTool({ name: 'full__echo', arguments: {} })).isError).toBeUndefined();
    expect(connections(stand)).toBe(2);
    await client.close();
    await until(() => connections(stand) === 0);
  });
});
