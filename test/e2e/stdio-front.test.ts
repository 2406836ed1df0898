import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/client';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { afterEach, describe, expect, it } from 'vitest';
import type { Tool } from '../../src/gate/index.ts';
import { type StdioFront, type StdioFrontOptions, serveStdio } from '../../src/gateway/index.ts';
import { openTestGate, type TestGate } from './test-gate.ts';

const running = new Set<() => void>();
const tools: Tool[] = [
  { name: 'echo', schema: { type: 'object' }, execute: async (args) => JSON.stringify(args) },
  {
    name: 'wait',
    schema: { type: 'object' },
    execute: (_, { signal }) =>
      new Promise((resolve, reject) => {
        running.add(() => resolve('waited'));
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      }),
  },
];

interface Pipe {
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly front: StdioFront;
  readonly stand: TestGate;
}

const pipes: Pipe[] = [];
afterEach(async () => {
  running.clear();
  for (const { front, stand } of pipes.splice(0)) {
    await front.close();
    await stand.close();
  }
});

async function openPipe(options: Partial<StdioFrontOptions> = {}): Promise<Pipe> {
  const stand = await openTestGate({ allow: ['echo', 'wait'], tools });
  const [input, output] = [new PassThrough(), new PassThrough()];
  const front = await serveStdio({ gate: stand.gate, user: 'alice', agent: 'test', input, output, ...options });
  const pipe = { input, output, front, stand };
  pipes.push(pipe);
  return pipe;
}

const readers = new WeakMap<PassThrough, AsyncIterator<string>>();

/** The next line that the gateway writes. */
async function nextLine({ output }: Pipe): Promise<{ id: unknown; error: { code: number; data?: { code: string } } }> {
  const lines = readers.get(output) ?? createInterface({ input: output })[Symbol.asyncIterator]();
  readers.set(output, lines);
  return JSON.parse((await lines.next()).value);
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

describe('a line on stdio [T1.2]', () => {
  it.each([
    ['no JSON', '{', -32_700, 'INPUT_NOT_JSON'],
    ['a key twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32_600, 'INPUT_DUPLICATE_KEY'],
    [
      'an integer beyond 2^53',
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
      -32_600,
      'INPUT_NUMBER_RANGE',
    ],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32_600, 'INPUT_NOT_JSON'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), -32_700, 'INPUT_NOT_JSON'],
    ['another method', '{"jsonrpc":"2.0","id":1,"method":"resources/list"}', -32_601, undefined],
    ['a subscription', '{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}', -32_601, undefined],
  ])('with %s is refused, and the next one is read', async (_, line, code, name) => {
    const pipe = await openPipe();
    pipe.input.write(Buffer.concat([Buffer.from(line), Buffer.from('\n')]));
    const { error } = await nextLine(pipe);
    expect([error.code, error.data?.code]).toEqual([code, name]);
    pipe.input.write('\n\n{"jsonrpc":"2.0","id":"next","method":"ping"}\r\n');
    expect(await nextLine(pipe)).toEqual({ jsonrpc: '2.0', id: 'next', result: {} });
  });

  it('beyond the limit is skipped, however long it is, and the next one is read', async () => {
    const pipe = await openPipe({ limits: { requestBytes: 1_000 } });
    for (let count = 0; count < 1_024; count++) pipe.input.write('x'.repeat(65_536));
    pipe.input.write('\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
    expect((await nextLine(pipe)).error.data?.code).toBe('INPUT_TOO_LARGE');
    expect((await nextLine(pipe)).id).toBe(1);
  });

  it('may not reuse an id that waits', async () => {
    const pipe = await openPipe();
    const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{}}}\n';
    pipe.input.write(call);
    await until(() => running.size === 1);
    pipe.input.write(call);
    expect((await nextLine(pipe)).error.code).toBe(-32_600);
    for (const finish of running) finish();
    expect(await nextLine(pipe)).toMatchObject({ id: 1, result: { content: [{ text: 'waited' }] } });
  });
});

describe('the end of the input', () => {
  it('lets a call that runs be answered, then closes', async () => {
    const pipe = await openPipe();
    pipe.input.end('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{}}}\n');
    await until(() => running.size === 1);
    for (const finish of running) finish();
    expect(await nextLine(pipe)).toMatchObject({ id: 1, result: { content: [{ text: 'waited' }] } });
    await pipe.front.closed;
  });
});

describe('the official client on stdio', () => {
  it.each([
    ['2025-11-25', 'legacy' as const],
    ['2026-07-28', { pin: '2026-07-28' }],
    ['2026-07-28', 'auto' as const],
  ])('works in revision %s (%o)', async (version, mode) => {
    const pipe = await openPipe();
    const client = new Client({ name: 'test', version: '0' }, { versionNegotiation: { mode } });
    await client.connect(new StdioServerTransport(pipe.output, pipe.input));
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect((await client.listTools()).tools.map(({ name }) => name).sort()).toEqual(['echo', 'wait']);
    const allowed = await client.callTool({ name: 'echo', arguments: { a: 1 } });
    expect(allowed.content).toEqual([{ type: 'text', text: '{"a":1}' }]);
    const denied = await client.callTool({ name: 'rm', arguments: {} });
    expect(denied).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('TOOL_NOT_ALLOWED') }] });
    await client.close();
  });
});
