import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveHttp, serveStdio } from '../../src/gateway/index.ts';
import { makeWorkspace } from '../support/workspace.ts';
import { type ListeningServer, listeningServer, serverScript } from './stand.ts';
import { openTestGate, type TestGate, verifiedRecords } from './test-gate.ts';

const npmServer = (name: string): string =>
  fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`, import.meta.url));

let stand: TestGate;
const remote: ListeningServer[] = [];
beforeAll(async () => {
  const workspace = makeWorkspace('version: 1\n', { 'files/hello.txt': 'hello from a file' });
  remote.push(await listeningServer('modern.mjs', 'http'), await listeningServer('everything-http.mjs'));
  const [modern, everything] = remote.map(({ url }) => url);
  stand = await openTestGate({
    workspace,
    policy: `tools:
  mcp__files__read_text_file: {}
  mcp__files__list_directory: {}
  mcp__everything__*: {}
  mcp__remote__get-sum: { arguments: { a: { maximum: 10 }, b: {} } }
  mcp__modern__echo: {}
  mcp__web__echo: {}
`,
    servers: {
      files: { command: [process.execPath, npmServer('filesystem'), 'files'], protocol: '2025-06-18' },
      everything: { command: [process.execPath, npmServer('everything')], protocol: 'auto' },
      remote: { url: everything, protocol: '2025-11-25' },
      modern: { command: [process.execPath, serverScript('modern.mjs'), 'stdio'], protocol: '2026-07-28' },
      web: { url: modern, protocol: 'auto' },
    },
  });
});
afterAll(async () => {
  await stand.close();
  await Promise.all(remote.map((server) => server.close()));
});

type Mode = 'legacy' | { pin: string };
const MODES: readonly [string, Mode][] = [
  ['2025-11-25', 'legacy'],
  ['2026-07-28', { pin: '2026-07-28' }],
];

/** Runs `use` with an official client in front of the gateway. */
async function withClient(
  surface: 'http' | 'stdio',
  mode: Mode,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const client = new Client({ name: 'test', version: '0' }, { versionNegotiation: { mode } });
  const { gate } = stand;
  if (surface === 'http') {
    const front = await serveHttp({ gate, port: 0, authenticate: 'none' });
    await client.connect(new StreamableHTTPClientTransport(new URL(front.url)));
    await use(client).finally(() => client.close().then(() => front.close(100)));
  } else {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const front = await serveStdio({ gate, user: 'alice', agent: 'test', input, output });
    await client.connect(new StdioServerTransport(output, input));
    await use(client).finally(() => client.close().then(() => front.close()));
  }
}

const textOf = async (client: Client, name: string, args: Record<string, unknown>): Promise<string> => {
  const result = await client.callTool({ name, arguments: args });
  const [first] = result.content;
  return first?.type === 'text' ? first.text : JSON.stringify(result);
};

const matrix = (['http', 'stdio'] as const).flatMap((surface) =>
  MODES.map(([version, mode]) => [surface, version, mode] as const),
);

describe.each(matrix)('over %s in revision %s', (surface, version, mode) => {
  it('serves servers of every revision, and denies with the rule', async () => {
    await withClient(surface, mode, async (client) => {
      expect(client.getNegotiatedProtocolVersion()).toBe(version);
      const { tools } = await client.listTools();
      const names = tools.map(({ name }) => name);
      expect(names).toContain('files__read_text_file');
      expect(names).toContain('everything__echo');
      expect(names).not.toContain('files__write_file');

      expect(await textOf(client, 'files__read_text_file', { path: 'hello.txt' })).toBe('hello from a file');
      expect(await textOf(client, 'everything__echo', { message: 'hi' })).toBe('Echo: hi');
      expect(await textOf(client, 'remote__get-sum', { a: 2, b: 3 })).toBe('The sum of 2 and 3 is 5.');
      expect(await textOf(client, 'modern__echo', { a: 1 })).toBe('{"a":1}');
      expect(await textOf(client, 'web__echo', { a: 1 })).toBe('{"a":1}');

      const structured = await client.callTool({
        name: 'everything__get-structured-content',
        arguments: { location: 'Chicago' },
      });
      expect(structured.structuredContent).toMatchObject({ temperature: expect.any(Number) });
      const image = await client.callTool({ name: 'everything__get-tiny-image', arguments: {} });
      expect(image.content.map(({ type }) => type)).toContain('image');

      const tooMuch = await textOf(client, 'remote__get-sum', { a: 11, b: 3 });
      expect(tooMuch).toContain('Denied: mcp__remote__get-sum (ARGUMENT_VALUE)');
      expect(tooMuch).toContain('Rule: tools.mcp__remote__get-sum.arguments.a');
      const unlisted = await client.callTool({
        name: 'files__write_file',
        arguments: { path: 'files/x', content: 'x' },
      });
      expect(unlisted).toMatchObject({ isError: true });
      expect(unlisted._meta?.['dev.sallyport/decision']).toMatchObject({
        outcome: 'denied',
        code: 'TOOL_NOT_ALLOWED',
        record: expect.any(Number),
      });
    });
  });
});

describe('a server behind the gateway', () => {
  it('gets no environment of ours, no roots and nothing of a client’s _meta', async () => {
    process.env['SALLYPORT_TEST_SECRET'] = 'not for servers';
    await withClient('http', 'legacy', async (client) => {
      const environment = await textOf(client, 'everything__get-env', {});
      expect(environment).toContain('PATH');
      expect(environment).not.toContain('not for servers');
    });
    Reflect.deleteProperty(process.env, 'SALLYPORT_TEST_SECRET');
  });
});

describe('the log', () => {
  it('has three records for every call that ran, one for every denial, and verifies', async () => {
    await stand.upstreams.close();
    await stand.gate.close();
    const counts = await verifiedRecords(stand.gate, stand.workspace);
    // Four combinations of seven calls that ran and two that were denied, and one call more.
    expect(counts).toMatchObject({ intent: 4 * 9 + 1, admitted: 4 * 7 + 1, outcome: 4 * 7 + 1 });
  });
});
