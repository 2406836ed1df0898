import { afterEach, describe, expect, it } from 'vitest';
import { reportFailures } from '../../src/cli/server-failures.ts';
import type { UpstreamEvent } from '../../src/gateway/index.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { serverScript } from './stand.ts';
import { openTestGate, type TestGate } from './test-gate.ts';

let stand: TestGate | null = null;
afterEach(async () => {
  await stand?.close();
  stand = null;
});

const spawned = (script: string, ...args: string[]) => ({
  command: [process.execPath, serverScript(script), ...args],
  protocol: '2025-11-25',
});
const SERVERS = { full: spawned('full.mjs', 'stdio'), plain: spawned('hostile.mjs', 'plain') };

async function open(servers: Readonly<Record<string, object>> = SERVERS): Promise<TestGate> {
  stand = await openTestGate({ allow: ['mcp__*'], servers });
  return stand;
}

const approvedOf = ({ upstreams }: TestGate, name: string) => {
  const found = upstreams.approved().find(({ rule }) => rule.name === name);
  if (found === undefined) throw new TypeError(`${name} is not approved`);
  return found;
};

describe('the servers of a gate', () => {
  it('are those that were approved, with all that was approved of them', async () => {
    const gate = await open();
    expect(gate.upstreams.approved().map(({ rule }) => rule.name)).toEqual(['full', 'plain']);
    expect(approvedOf(gate, 'full').locked).toMatchObject({
      capabilities: { completions: {}, logging: {} },
      prompts: [{ name: 'greet' }],
      resourceTemplates: [{ uriTemplate: 'demo://{name}' }],
    });
    expect(gate.upstreams.status().map(({ health }) => health.starts)).toEqual([0, 0]);
  });

  it('can be asked anything by who holds a connection, and tell what happens on it', async () => {
    const gate = await open();
    const events: UpstreamEvent[] = [];
    const stop = gate.upstreams.onEvent((event) => events.push(event));
    const full = approvedOf(gate, 'full');
    await gate.upstreams.with(full, 'holder', async (connection) => {
      await connection.watch(new Set(['demo://one']));
      expect(await connection.request('resources/read', { uri: 'demo://one' })).toMatchObject({ contents: [{}] });
      await connection.request('tools/call', { name: 'touch', arguments: {} });
    });
    for (let round = 0; round < 500 && events.length === 0; round++) await new Promise((done) => setTimeout(done, 10));
    expect(events).toMatchObject([{ server: 'full', holder: 'holder', params: { uri: 'demo://one' } }]);
    stop();
    await gate.upstreams.release('holder');
    expect(gate.upstreams.status()[0]?.health).toMatchObject({ connections: 0, starts: 1, failures: 0 });
  });

  it('cannot be used by an approval that is not in force any more', async () => {
    const gate = await open();
    const full = approvedOf(gate, 'full');
    const used = gate.upstreams.with({ ...full }, 'holder', async () => 'used');
    await expect(used).rejects.toMatchObject({ code: 'SERVER_CHANGED' });
    expect(await gate.upstreams.with(full, 'holder', async () => 'used')).toBe('used');
  });
});

describe('a server that fails', () => {
  it('is reported to the operator, once for many failures', async () => {
    const gate = await open({ crash: spawned('hostile.mjs', 'crash') });
    const lines: string[] = [];
    reportFailures({ json: false, out: () => undefined, err: (line) => lines.push(line) }, gate.upstreams);
    const session = await gate.gate.openSession({ user: 'alice', agent: 'test' });
    for (let round = 0; round < 3; round++) await session.call('mcp__crash__echo', {});
    expect(lines).toEqual([
      'sallyport: the server crash failed (SERVER_UNAVAILABLE, 1 in all); it is tried again with the next call',
    ]);
    expect(gate.upstreams.status()[0]?.health).toMatchObject({ failures: 2, consecutiveFailures: 2, starts: 2 });
  });
});

describe('servers of a policy that was loaded anew', () => {
  it('keep their connections when nothing of them changed', async () => {
    const gate = await open();
    const full = approvedOf(gate, 'full');
    await gate.upstreams.with(full, 'holder', async () => undefined);
    const same = new Map(
      [...gate.servers].map(([name, rule]) => [name, { ...rule, rule: { id: `${rule.rule.id}x` } }]),
    );
    await gate.upstreams.setServers(same);
    expect(approvedOf(gate, 'full')).toBe(full);
    expect(gate.upstreams.status()[0]).toMatchObject({ health: { connections: 1 } });
    expect(gate.upstreams.status()[0]?.tools).toContain('mcp__full__echo');
  });

  it('lose tools and processes when they are gone, also in the middle of a call', async () => {
    const gate = await open();
    const session = await gate.gate.openSession({ user: 'alice', agent: 'test' });
    const slow = session.call('mcp__full__slow', {});
    const full = approvedOf(gate, 'full');
    const started = (): number => gate.upstreams.status()[0]?.health.connections ?? 0;
    for (let round = 0; round < 1_000 && started() === 0; round++) await new Promise((done) => setTimeout(done, 10));
    await gate.upstreams.setServers(new Map([...gate.servers].filter(([name]) => name !== 'full')));
    expect(await slow).toMatchObject({ kind: 'failed', code: 'SERVER_UNAVAILABLE' });
    expect(session.tools().map(({ name }) => name)).toEqual(['mcp__plain__echo']);
    expect(gate.upstreams.approved().map(({ rule }) => rule.name)).toEqual(['plain']);
    await expect(gate.upstreams.with(full, 'x', async () => 0)).rejects.toMatchObject({ code: 'SERVER_CHANGED' });
  });

  it.each<[string, Partial<ServerRule>, string]>([
    ['reached in another way', { command: [process.execPath, serverScript('hostile.mjs'), 'pid'] }, 'changed'],
    ['given another time limit', { timeoutMs: 5_000 }, 'approved'],
  ])('lose their connections when they are %s', async (_, change, state) => {
    const gate = await open();
    await gate.upstreams.with(approvedOf(gate, 'plain'), 'holder', async () => undefined);
    const changed = new Map(
      [...gate.servers].map(([name, rule]) => [name, name === 'plain' ? { ...rule, ...change } : rule]),
    );
    await gate.upstreams.setServers(changed);
    expect(gate.upstreams.status()[1]).toMatchObject({ state, health: { connections: 0 } });
  });

  it('lose their connections when the root is another one', async () => {
    const gate = await open();
    await gate.upstreams.with(approvedOf(gate, 'plain'), 'holder', async () => undefined);
    await gate.upstreams.setServers(gate.servers, '/');
    expect(gate.upstreams.status()[1]).toMatchObject({ state: 'approved', health: { connections: 0 } });
  });
});
