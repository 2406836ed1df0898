import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../src/core/index.ts';
import { type Gate, openGate } from '../../src/gate/index.ts';
import { addTool } from '../support/add-tool.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** Who sets the machine's clock opens no window: the time that passes is not what a clock says. */
const DAY_MS = 86_400_000;
const POLICY = `version: 1
defaults: { isolation: none }
tools: { add: { rateLimit: { calls: 2, within: 1h } } }
`;

let workspace: Workspace;
let wall: number;
let micros: number;
let gate: Gate | null;
const clock: Clock = { now: () => wall, mono: () => micros };
beforeEach(() => {
  workspace = makeWorkspace(POLICY);
  [wall, micros, gate] = [1_800_000_000_000, 5_000_000, null];
});
afterEach(async () => {
  await gate?.close();
  workspace.remove();
});

async function open(): Promise<Gate> {
  gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools: [addTool()], clock });
  return gate;
}

async function call(): Promise<string> {
  const result = await gate?.call('add', { a: 1, b: 1 });
  return result?.kind === 'denied' ? result.code : (result?.kind ?? 'no gate');
}

const pass = (milliseconds: number): void => {
  wall += milliseconds;
  micros += milliseconds * 1_000;
};

test('[T1.12] a clock that jumps, either way, opens no window; time that passes does', async () => {
  await open();
  expect([await call(), await call(), await call()]).toEqual(['delivered', 'delivered', 'RATE_LIMITED']);
  for (const jump of [DAY_MS, -2 * DAY_MS, 400 * DAY_MS, -398 * DAY_MS]) {
    wall += jump;
    expect(await call()).toBe('RATE_LIMITED');
  }
  pass(3_599_999);
  expect(await call()).toBe('RATE_LIMITED');
  pass(1);
  expect([await call(), await call(), await call()]).toEqual(['delivered', 'delivered', 'RATE_LIMITED']);
});

test('[T1.12] retryAt is when the call fits', async () => {
  const one = await open();
  await call();
  pass(600_000);
  await call();
  const refused = await one.call('add', { a: 1, b: 1 });
  expect(refused).toMatchObject({ kind: 'denied', retryAt: wall + 3_000_000 });
  expect(refused.text).toContain(`Again: not before ${new Date(wall + 3_000_000).toISOString()}`);
  pass(2_999_999);
  expect(await call()).toBe('RATE_LIMITED');
  pass(1);
  expect([await call(), await call()]).toEqual(['delivered', 'RATE_LIMITED']);
});

test.each([
  ['as it was', 0, 1_800_000],
  // What no keeper saw pass has not passed: the window begins anew, and is never shorter.
  ['set back by a day', -DAY_MS, 3_600_000],
])('[T1.12] a restart forgets nothing; the clock %s', async (_, jump, leftMs) => {
  await open();
  expect([await call(), await call()]).toEqual(['delivered', 'delivered']);
  pass(1_800_000);
  await gate?.close();
  micros = 7_000; // of another process
  wall += jump;
  await open();
  expect(await call()).toBe('RATE_LIMITED');
  pass(leftMs - 1);
  expect(await call()).toBe('RATE_LIMITED');
  pass(1);
  expect(await call()).toBe('delivered');
});
