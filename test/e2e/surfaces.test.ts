import { PassThrough } from 'node:stream';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gate, openGate } from '../../src/gate/index.ts';
import { type HttpFront, type StdioFront, serveHttp, serveStdio } from '../../src/gateway/index.ts';
import { builtInTools } from '../../src/tools/index.ts';
import { SURFACE_CASES, SURFACE_FILES, SURFACE_POLICY, type SurfaceCase } from '../cases/surface-cases.ts';
import { addTool } from '../support/add-tool.ts';
import { streamTransport } from '../support/stream-transport.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** What every surface must agree on. */
interface Answer {
  readonly kind: string;
  readonly code?: string;
  readonly rule?: string;
  readonly reason?: string;
  readonly text: string;
}

let workspace: Workspace;
let gate: Gate;
let http: HttpFront;
let stdio: StdioFront;
const clients: Record<string, Client> = {};
const modern = { versionNegotiation: { mode: { pin: '2026-07-28' as const } } };

beforeAll(async () => {
  workspace = makeWorkspace(SURFACE_POLICY, SURFACE_FILES);
  gate = await openGate({
    policy: workspace.policyFile,
    state: workspace.state,
    tools: [...builtInTools(), addTool()],
    limits: { approvalWaitMs: 0 },
  });
  http = await serveHttp({ gate, authenticate: 'none', local: { user: 'ann', agent: 'tester' }, port: 0 });
  clients['http 2025-11-25'] = await connect(new StreamableHTTPClientTransport(new URL(http.url)), {});
  clients['http 2026-07-28'] = await connect(new StreamableHTTPClientTransport(new URL(http.url)), modern);
  const [input, output] = [new PassThrough(), new PassThrough()];
  stdio = await serveStdio({ gate, user: 'ann', agent: 'tester', input, output });
  clients['stdio'] = await connect(streamTransport(output, input), {});
});
afterAll(async () => {
  for (const client of Object.values(clients)) await client.close();
  await stdio.close();
  await http.close(0);
  await gate.close();
  workspace.remove();
});

async function connect(transport: Parameters<Client['connect']>[0], options: ConstructorParameters<typeof Client>[1]) {
  const client = new Client({ name: 'surfaces', version: '1' }, options);
  await client.connect(transport);
  return client;
}

async function overMcp(client: Client, { tool, args }: SurfaceCase): Promise<Answer> {
  const result = await client.callTool({ name: tool, arguments: { ...args } });
  const text = (result.content as { type: string; text?: string }[]).map((piece) => piece.text ?? '').join('\n');
  const { outcome, code, rule } = (result._meta?.['dev.sallyport/decision'] ?? {}) as Record<string, string>;
  const why = code === undefined ? {} : { code, reason: /^Reason: (.*)$/m.exec(text)?.[1] ?? '' };
  return { kind: outcome ?? 'none', ...why, rule: rule ?? 'none', text };
}

async function inLibrary({ tool, args }: SurfaceCase): Promise<Answer> {
  const result = await gate.call(tool, args);
  if (result.kind === 'delivered') return { kind: result.kind, rule: result.rule.id, text: result.text };
  return { kind: result.kind, code: result.code, rule: result.rule.id, reason: result.reason, text: result.text };
}

describe('[T1.1] a policy means the same on every surface', () => {
  test.each(SURFACE_CASES)('$name', async (surfaceCase) => {
    const { expect: expected } = surfaceCase;
    const library = await inLibrary(surfaceCase);
    if (expected.kind === 'delivered')
      expect(library).toMatchObject({ kind: 'delivered', text: expect.stringMatching(expected.text) });
    else expect(library).toMatchObject(expected);
    for (const [surface, client] of Object.entries(clients)) {
      const { text, ...answer } = await overMcp(client, surfaceCase);
      const { text: libraryText, ...same } = library;
      expect(withoutRequest(answer), surface).toEqual(withoutRequest(same));
      expect(withoutRecord(text), surface).toBe(withoutRecord(libraryText));
    }
  });

  test('what is advertised is what some rule could allow', async () => {
    const names = (await gate.openSession()).tools().map(({ name }) => name);
    expect(names.sort()).toEqual(['add', 'file_list', 'file_read', 'file_search', 'file_write']);
    for (const [surface, client] of Object.entries(clients)) {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).sort(), surface).toEqual(names.sort());
    }
  });
});

const withoutRecord = (text: string): string => nameless(text.replace(/^Record: \d+$/m, 'Record: N'));
/** Every caller has a request of its own. */
const nameless = (text: string): string =>
  text
    .replace(/the request ask_[\w-]{22} waits for a person until [^ \n]+Z/, 'the request ask_X waits')
    .replace(/approvals approve ask_[\w-]{22}/, 'approvals approve ask_X');
const withoutRequest = <T extends { readonly reason?: string }>(answer: T): T =>
  answer.reason === undefined ? answer : { ...answer, reason: nameless(answer.reason) };
