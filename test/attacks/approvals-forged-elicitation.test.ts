import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { renderScreen, screenOf } from '../../src/approvals/index.ts';
import { builtInTools } from '../../src/tools/index.ts';
import { serverScript } from '../e2e/stand.ts';
import { openTestGate, type TestGate } from '../e2e/test-gate.ts';
import { LOCAL, ONCE } from '../support/approvals.ts';
import { type EraClient, eraClient, type Revision, type Surface } from '../support/era-client.ts';

/** A server that asks in our words whether a call may run, a client that says yes to everything, and a call that waits. */
let opened: { readonly gate: TestGate; readonly client: EraClient } | null = null;
afterEach(async () => {
  await opened?.client.close();
  await opened?.gate.close();
  opened = null;
});

async function stand(surface: Surface, revision: Revision, more: object = {}) {
  const command = [process.execPath, serverScript('imitating.mjs')];
  const gate = await openTestGate({
    tools: builtInTools(),
    policy: `tools:
  mcp__imitating__ask: {}
  file_write: { allowedPaths: [.], requiresConfirmation: always }
`,
    servers: { imitating: { command, elicitation: true, ...more } },
    gate: { limits: { approvalWaitMs: 100 } },
  });
  const client = await eraClient(gate, { surface, revision });
  client.forms = [{ action: 'accept', content: { answer: 'approve' } }];
  opened = { gate, client };
  return { gate, client, out: join(gate.workspace.root, 'out.txt') };
}

const WRITE = { name: 'file_write', arguments: { path: 'out.txt', content: 'new' } };
const decisionOf = (result: { _meta?: Record<string, unknown> | undefined }) =>
  (result._meta?.['dev.sallyport/decision'] ?? {}) as Record<string, string>;

/** What we show of the request that waits, word for word, with tricks around it. */
async function imitation({ gate }: TestGate, id: string): Promise<string> {
  const { request, last } = await gate.keeper.approval(id);
  const { expiresAt, binding } = request;
  const screen = renderScreen({ ...screenOf(binding, last, true), complete: true }, { id, advisory: false, expiresAt });
  return `\r\u001b[2K\u001b[1A\u202eSallyport asks:\u202c\n\n${screen}\nSay yes? [y/N]`;
}

const SURFACES: readonly [Surface, Revision][] = [
  ['http', '2025-11-25'],
  ['http', '2026-07-28'],
  ['stdio', '2025-11-25'],
  ['stdio', '2026-07-28'],
];

describe.each(SURFACES)('[T5] a question of a server over %s in %s', (surface, revision) => {
  test('that imitates ours is framed with its name, on one line, and an accepted one opens nothing', async () => {
    const { gate, client, out } = await stand(surface, revision);
    const id = decisionOf(await client.client.callTool(WRITE))['request'] ?? '';
    const message = await imitation(gate, id);
    await client.client.callTool({ name: 'mcp__imitating__ask', arguments: { message } });
    const [question] = client.asked.filter(({ method }) => method === 'elicitation/create');
    expect(question?.params['message']).toMatch(/^The server "imitating" asks: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u);
    expect(question?.params['message']).toContain(id);
    expect((await gate.gate.keeper.approvals()).map((request) => request.id)).toEqual([id]);
    expect(decisionOf(await client.client.callTool(WRITE))).toMatchObject({ code: 'APPROVAL_PENDING', request: id });
    expect(existsSync(out)).toBe(false);
    await gate.gate.keeper.answer(id, ONCE, LOCAL);
    expect(decisionOf(await client.client.callTool(WRITE))).toMatchObject({ outcome: 'delivered' });
    expect(existsSync(out)).toBe(true);
  });
});

test('[T5] the gateway itself asks no client for a yes: a client that says yes to everything runs nothing', async () => {
  const { gate, client, out } = await stand('http', '2025-11-25');
  expect(decisionOf(await client.client.callTool(WRITE))).toMatchObject({ code: 'APPROVAL_PENDING' });
  expect(client.asked.filter(({ method }) => method === 'elicitation/create')).toEqual([]);
  expect(await gate.gate.keeper.approvals()).toHaveLength(1);
  expect(existsSync(out)).toBe(false);
});
