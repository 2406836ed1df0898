import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, SallyportError } from '../../src/core/index.ts';
import { type Gate, openGate, type Tool } from '../../src/gate/index.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** A tool that fails is left alone for a while, and then tried once. */
const POLICY = `version: 1
defaults: { isolation: none }
tools:
  work: { breaker: { failures: 3, within: 60s, pause: 30s }, limits: { timeout: 200ms } }
  calm: {}
`;

type Way = 'well' | 'throws' | 'hangs' | 'says-error' | 'caller' | 'waits';
let workspace: Workspace;
let gate: Gate;
let micros: number;
let way: Way;
let ran: number;
let go: (() => void)[];
beforeEach(async () => {
  workspace = makeWorkspace(POLICY);
  [micros, way, ran, go] = [0, 'well', 0, []];
  const clock: Clock = { now: () => 1_800_000_000_000 + micros / 1_000, mono: () => micros };
  const tool: Tool = { name: 'work', schema: { type: 'object' }, execute };
  const tools = [tool, { ...tool, name: 'calm' }];
  gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools, clock });
});
afterEach(async () => {
  await gate.close();
  workspace.remove();
});

const execute: Tool['execute'] = async () => {
  ran += 1;
  if (way === 'throws') throw new Error('the disk is on fire');
  if (way === 'caller') throw new SallyportError('PATH_NOT_FOUND', 'no such file');
  if (way === 'hangs') await new Promise(() => undefined);
  if (way === 'waits') await new Promise<void>((resolve) => go.push(resolve));
  return { content: [{ type: 'text', text: 'x' }], isError: way === 'says-error' };
};

async function call(now: Way, tool = 'work'): Promise<string> {
  way = now;
  const result = await gate.call(tool, {});
  return result.kind === 'delivered' ? 'delivered' : result.code;
}

const pass = (seconds: number): void => {
  micros += seconds * 1_000_000;
};

async function fail(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) expect(await call('throws')).toBe('TOOL_FAILED');
}

describe('a breaker', () => {
  test('[T1.12] opens after failures, refuses without running, and says when to try again', async () => {
    await fail(3);
    const refused = await gate.call('work', {});
    expect(refused).toMatchObject({ kind: 'denied', code: 'CIRCUIT_OPEN', rule: { id: 'tools.work.breaker' } });
    expect(refused).toMatchObject({ retryAt: 1_800_000_000_000 + 30_000 });
    expect(ran).toBe(3);
    expect(await call('well', 'calm')).toBe('delivered');
    pass(29.9);
    expect(await call('well')).toBe('CIRCUIT_OPEN');
    pass(0.1);
    expect([await call('well'), await call('throws'), await call('well')]).toEqual([
      'delivered',
      'TOOL_FAILED',
      'delivered',
    ]);
  });

  test('[T1.12] lets one call try, while others wait for what it finds', async () => {
    await fail(3);
    pass(30);
    way = 'waits';
    const probe = gate.call('work', {});
    while (go.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await call('well')).toBe('CIRCUIT_OPEN');
    go[0]?.();
    expect((await probe).kind).toBe('delivered');
    expect(await call('well')).toBe('delivered');
  });

  test('[T1.12] stays open when the one that tries fails', async () => {
    await fail(3);
    pass(30);
    expect([await call('throws'), await call('well')]).toEqual(['TOOL_FAILED', 'CIRCUIT_OPEN']);
    pass(30);
    expect(await call('well')).toBe('delivered');
  });

  test('a call that does not end in time is a failure', async () => {
    expect([await call('hangs'), await call('hangs'), await call('hangs')]).toEqual(Array(3).fill('TOOL_TIMEOUT'));
    expect(await call('well')).toBe('CIRCUIT_OPEN');
  });

  test.each(['says-error', 'caller'] as const)('is not opened by a call that ends with: %s', async (ending) => {
    for (let n = 0; n < 5; n += 1) await call(ending);
    expect(await call('well')).toBe('delivered');
  });

  test('is not opened by a caller that gives up, or by failures that lie far apart', async () => {
    for (let n = 0; n < 5; n += 1) {
      way = 'waits';
      const cancelled = await gate.call('work', {}, { signal: AbortSignal.abort() });
      expect(cancelled).toMatchObject({ code: 'TOOL_CANCELLED' });
    }
    for (let n = 0; n < 4; n += 1) {
      await fail(1);
      pass(30);
    }
    expect(await call('well')).toBe('delivered');
  });
});

test('[T1.12] the breaker of a server opens for all of its tools', async () => {
  const other = makeWorkspace(`version: 1
defaults: { isolation: none }
tools: { mcp__s__one: {}, mcp__s__two: {}, mcp__t__one: {} }
servers:
  s: { url: "https://s.example/mcp", breaker: { failures: 2, within: 60s, pause: 30s } }
  t: { url: "https://t.example/mcp" }
`);
  const named = (name: string, server: string): Tool => ({
    ...{ name, server, schema: { type: 'object' }, runs: 'remote', execute },
  });
  const tools = [named('mcp__s__one', 's'), named('mcp__s__two', 's'), named('mcp__t__one', 't')];
  const opened = await openGate({ policy: other.policyFile, state: other.state, tools });
  way = 'throws';
  await opened.call('mcp__s__one', {});
  await opened.call('mcp__s__two', {});
  way = 'well';
  expect(await opened.call('mcp__s__one', {})).toMatchObject({
    code: 'CIRCUIT_OPEN',
    rule: { id: 'servers.s.breaker' },
  });
  expect((await opened.call('mcp__t__one', {})).kind).toBe('delivered');
  await opened.close();
  other.remove();
});
