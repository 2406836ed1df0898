import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LogRecord, readRecords, verifyLog } from '../../src/audit/index.ts';
import { openKeeper, UnknownCalls } from '../../src/keeper/index.ts';

const SCRIPT = fileURLToPath(new URL('./keeper-process.mjs', import.meta.url));
const WAIT_MS = 50_000;

/** A gate in a process of its own. */
class GateProcess {
  readonly child: ChildProcess;
  readonly #said: Record<string, unknown>[] = [];
  readonly #heard: (() => void)[] = [];

  constructor(state: string, name: string, policy = '') {
    this.child = spawn(process.execPath, [SCRIPT, state, name, policy], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.child.stdout === null) throw new Error('no output');
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.#said.push(JSON.parse(line) as Record<string, unknown>);
      for (const heard of this.#heard.splice(0)) heard();
    });
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** The first thing said that has these fields, now or later. */
  async hear(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const found = this.#said.find((said) => Object.entries(fields).every(([key, value]) => said[key] === value));
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`did not hear ${JSON.stringify(fields)}`);
      await new Promise<void>((resolve) => {
        this.#heard.push(resolve);
        setTimeout(resolve, 200);
      });
    }
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

let base: string;
let state: string;
let processes: GateProcess[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'sallyport-takeover-'));
  state = join(base, 'state');
  processes = [];
});
afterEach(async () => {
  for (const one of processes) await one.kill();
  rmSync(base, { recursive: true });
});

async function start(name: string, policy?: string): Promise<GateProcess> {
  const one = new GateProcess(state, name, policy);
  processes.push(one);
  await one.hear({ ready: name });
  return one;
}

async function records(): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const { record } of readRecords(state)) all.push(record);
  return all;
}

/** What the log says of each call of `hold` that was admitted: agent and outcome. */
async function outcomes(): Promise<string[]> {
  const all = await records();
  return all
    .filter(({ type }) => type === 'admitted')
    .map(({ seq, principal }) => {
      const ends = all.filter(({ type, admittedSeq }) => type === 'outcome' && admittedSeq === seq);
      return `${String(principal?.['agent'])} ${ends.map(({ outcome }) => outcome).join('+')}`;
    })
    .sort();
}

async function verified(): Promise<unknown[]> {
  const keeper = await openKeeper({ state, reachable: [] });
  await keeper.close();
  const report = await verifyLog({ directory: state, verifierKey: keeper.verifier, now: Date.now() });
  const statuses = [report.authenticity, report.integrity, report.completeness].map(({ status }) => `${status}`);
  return [...statuses, ...report.findings.map(({ reason }) => reason)];
}

const ownersNow = (): number => {
  const names = readdirSync(join(state, 'owner')).filter((name) => /^[0-9]+$/.test(name));
  const last = Math.max(...names.map(Number));
  return (JSON.parse(readFileSync(join(state, 'owner', `${last}`), 'utf8')) as { pid: number }).pid;
};

test('[T7.4] the owner is killed while two others hold running calls: they go on, and the log says how they ended', async () => {
  const owner = await start('owner');
  const [one, two] = [await start('one'), await start('two')];
  owner.tell('call o');
  one.tell('call a');
  two.tell('call b');
  await Promise.all([owner.hear({ running: 'o' }), one.hear({ running: 'a' }), two.hear({ running: 'b' })]);
  expect(ownersNow()).toBe(owner.child.pid);
  await owner.kill();
  one.tell('end a');
  two.tell('end b');
  expect(await one.hear({ result: 'a' })).toMatchObject({ kind: 'delivered' });
  expect(await two.hear({ result: 'b' })).toMatchObject({ kind: 'delivered' });
  await Promise.all([one.hear({ event: 'reconnected' }), two.hear({ event: 'reconnected' })]);
  expect([one.child.pid, two.child.pid]).toContain(ownersNow());
  one.tell('call c');
  two.tell('call d');
  await Promise.all([one.hear({ running: 'c' }), two.hear({ running: 'd' })]);
  one.tell('end c');
  two.tell('end d');
  await Promise.all([one.hear({ result: 'c', kind: 'delivered' }), two.hear({ result: 'd', kind: 'delivered' })]);
  for (const each of [one, two]) {
    each.tell('quit');
    await each.hear({ closed: true });
  }
  expect(await outcomes()).toEqual([
    ...['one delivered', 'one delivered', 'owner unknown', 'two delivered', 'two delivered'],
  ]);
  expect((await records()).filter(({ type }) => type === 'adopted')).toHaveLength(2);
  expect(await verified()).toEqual(['ok', 'ok', 'ok']);
  expect(new UnknownCalls(state).list()).toHaveLength(1);
  expect(readdirSync(join(state, 'keeper', 'peers'))).toEqual([]);
  expect(existsSync(join(state, 'keeper', 'socket'))).toBe(false);
}, 120_000);

test('an owner that leaves in good order hands the calls of the others over', async () => {
  const owner = await start('owner');
  const one = await start('one');
  one.tell('call a');
  await one.hear({ running: 'a' });
  owner.tell('quit');
  await owner.hear({ closed: true });
  await one.hear({ event: 'reconnected' });
  one.tell('end a');
  expect(await one.hear({ result: 'a' })).toMatchObject({ kind: 'delivered' });
  one.tell('quit');
  await one.hear({ closed: true });
  expect(await outcomes()).toEqual(['one delivered']);
  expect(await verified()).toEqual(['ok', 'ok', 'ok']);
}, 120_000);

test('a killed peer: its call has the outcome unknown, at the latest when the owner closes', async () => {
  const owner = await start('owner');
  const one = await start('one');
  one.tell('call a');
  await one.hear({ running: 'a' });
  await one.kill();
  owner.tell('call o');
  await owner.hear({ running: 'o' });
  owner.tell('end o');
  await owner.hear({ result: 'o', kind: 'delivered' });
  owner.tell('quit');
  await owner.hear({ closed: true });
  expect(await verified()).toEqual(['ok', 'ok', 'ok']);
  expect(await outcomes()).toEqual(['one unknown', 'owner delivered']);
}, 120_000);

test('a stop reaches every process, and outlives the owner', async () => {
  const owner = await start('owner');
  const [one, two] = [await start('one'), await start('two')];
  one.tell('stop');
  await Promise.all([owner.hear({ event: 'stop' }), two.hear({ event: 'stop' })]);
  owner.tell('call a');
  two.tell('call b');
  expect(await owner.hear({ result: 'a' })).toMatchObject({ kind: 'denied', code: 'STOPPED' });
  expect(await two.hear({ result: 'b' })).toMatchObject({ kind: 'denied', code: 'STOPPED' });
  await owner.kill();
  two.tell('call c');
  expect(await two.hear({ result: 'c' })).toMatchObject({ kind: 'denied', code: 'STOPPED' });
}, 120_000);

test('gates of one file in several processes admit under the newest policy of it, whoever loaded it first', async () => {
  const policyFile = join(base, 'sallyport.yaml');
  const text = 'version: 1\ndefaults: { isolation: none }\ntools: { hold: { limits: { timeout: 60s } } }\n';
  writeFileSync(policyFile, text);
  const [one, same] = [await start('one', policyFile), await start('same', policyFile)];
  same.tell('call a');
  await same.hear({ running: 'a' });
  writeFileSync(policyFile, text.replace('60s', '50s'));
  await start('newer', policyFile);
  await Promise.all([one.hear({ event: 'policy' }), same.hear({ event: 'policy' })]);
  one.tell('call b');
  await one.hear({ running: 'b' });
  one.tell('end b');
  same.tell('end a');
  expect(await one.hear({ result: 'b' })).toMatchObject({ kind: 'delivered' });
  expect(await same.hear({ result: 'a' })).toMatchObject({ kind: 'delivered' });
  const intents = (await records()).filter(({ type }) => type === 'intent');
  const [before, after] = intents.map(({ policyDigest, epoch }) => ({ policyDigest, epoch }));
  expect(after?.policyDigest).not.toBe(before?.policyDigest);
  expect(after?.epoch).toBeGreaterThan(before?.epoch ?? 0);
}, 120_000);
