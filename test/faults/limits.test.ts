import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const SCRIPT = fileURLToPath(new URL('./limits-gate.mjs', import.meta.url));
const WAIT_MS = 50_000;
const POLICY = `version: 1
defaults: { isolation: none }
tools:
  work: { rateLimit: { calls: 400, within: 1h } }
  hold: { rateLimit: { concurrent: 10 } }
`;

type Said = Record<string, unknown>;

/** A gate in a process of its own. */
class GateProcess {
  readonly child: ChildProcess;
  readonly #said: Said[] = [];
  readonly #heard: (() => void)[] = [];

  constructor(words: readonly string[]) {
    this.child = spawn(process.execPath, [SCRIPT, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.child.stdout === null) throw new Error('no output');
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.#said.push(JSON.parse(line) as Said);
      for (const heard of this.#heard.splice(0)) heard();
    });
  }

  /** The next thing said that has this key. */
  async hear(key: string): Promise<unknown> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const at = this.#said.findIndex((said) => key in said);
      if (at >= 0) return this.#said.splice(at, 1)[0]?.[key];
      if (performance.now() > deadline) throw new Error(`did not hear ${key}`);
      await new Promise<void>((resolve) => {
        this.#heard.push(resolve);
        setTimeout(resolve, 200);
      });
    }
  }

  ask(line: string, key: string): Promise<unknown> {
    this.tell(line);
    return this.hear(key);
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** How often something with this key was said. */
  count(key: string): number {
    return this.#said.filter((said) => key in said).length;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

let workspace: Workspace;
let processes: GateProcess[];
beforeEach(() => {
  workspace = makeWorkspace(POLICY);
  processes = [];
});
afterEach(async () => {
  for (const one of processes) await one.kill();
  workspace.remove();
});

/** The first one has the keeper; `adoptionMs`: for how long it keeps the calls of a process that is gone. */
async function start(name: string, adoptionMs?: number): Promise<GateProcess> {
  const one = new GateProcess([
    ...[workspace.state, workspace.policyFile, name],
    ...(adoptionMs === undefined ? [] : [String(adoptionMs)]),
  ]);
  processes.push(one);
  await one.hear('ready');
  return one;
}

const sum = (ways: readonly unknown[], way: string): number =>
  ways.reduce((total: number, one) => total + Number((one as Record<string, number>)[way] ?? 0), 0);

async function crew(): Promise<GateProcess[]> {
  const first = await start('p0', 300);
  return [first, ...(await Promise.all(['p1', 'p2', 'p3'].map((name) => start(name))))];
}

test('[T1.12] four processes that share a keeper: exactly as many calls pass as may', async () => {
  const gates = await crew();
  const ways = await Promise.all(gates.map((one) => one.ask('flood work 300', 'flood')));
  expect([sum(ways, 'delivered'), sum(ways, 'RATE_LIMITED')]).toEqual([400, 800]);
  expect(gates.reduce((total, one) => total + one.count('ran'), 0)).toBe(400);
  const held = await Promise.all(gates.map((one) => one.ask('hold 10', 'held')));
  expect(held.reduce((total: number, one) => total + Number(one), 0)).toBe(10);
}, 100_000);

test('[T1.12] kill -9 of a process frees the places of its calls, and no others', async () => {
  const [first, second] = [await start('p0', 300), await start('p1')];
  expect(await second.ask('hold 6', 'held')).toBe(6);
  expect(await first.ask('hold 10', 'held')).toBe(4);
  await second.kill();
  const third = await start('p2');
  let found = 0;
  while (found === 0) found = Number(await third.ask('hold 10', 'held'));
  // What died was given up at once as a whole; the four of the first process run on.
  expect(found).toBe(6);
  first.tell('end');
  while (found < 10) found += Number(await third.ask('hold 1', 'held'));
  expect(await third.ask('hold 5', 'held')).toBe(0);
}, 100_000);

test('[T1.12] kill -9 of the process that counts loses no count, and no place of a call that runs', async () => {
  const [first, second] = [await start('p0', 300), await start('p1')];
  const ways = [await first.ask('flood work 150', 'flood'), await second.ask('flood work 150', 'flood')];
  expect(sum(ways, 'delivered')).toBe(300);
  expect(await second.ask('hold 7', 'held')).toBe(7);
  await first.kill();
  // The second process owns the state now, or a third one: its calls still run.
  const third = await start('p2');
  const after = [await second.ask('flood work 150', 'flood'), await third.ask('flood work 150', 'flood')];
  expect(sum(after, 'delivered')).toBe(100);
  expect(await third.ask('hold 10', 'held')).toBe(3);
  second.tell('end');
  let found = 0;
  while (found < 7) found += Number(await third.ask('hold 1', 'held'));
  expect(await third.ask('hold 5', 'held')).toBe(0);
}, 100_000);

test('[T1.12] kill -9 in the middle of a flood makes room for no call more', async () => {
  const [first, second] = [await start('p0', 300), await start('p1')];
  first.tell('flood work 300');
  second.tell('flood work 300');
  while (first.count('ran') < 40) await new Promise((resolve) => setImmediate(resolve));
  await first.kill();
  await second.hear('flood');
  const third = await start('p2');
  await third.ask('flood work 500', 'flood');
  const ran = [first, second, third].reduce((total, one) => total + one.count('ran'), 0);
  expect(ran).toBeLessThanOrEqual(400);
  expect(await third.ask('flood work 1', 'flood')).toEqual({ RATE_LIMITED: 1 });
}, 100_000);
