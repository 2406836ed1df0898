import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { type LogRecord, readPayloads, readRecords, verifyLog } from '../../src/audit/index.ts';
import { isJsonObject } from '../../src/core/index.ts';
import { openKeeper } from '../../src/keeper/index.ts';
import { serverScript } from '../e2e/stand.ts';
import { sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { startGate, startGateway, type Worker } from './fire-crew.ts';

/** The full proof with FIRE_KILLS=200 (a quarter of an hour); a short form otherwise. FIRE_SEED repeats a run's choices (not its timing). */
const KILLS = Number(process.env['FIRE_KILLS'] ?? 16);
const SEED = Number(process.env['FIRE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: small, seeded, good enough to choose victims. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let workspace: Workspace;
let crew: Worker[] = [];
afterEach(async () => {
  for (const worker of crew) await worker.kill().catch((error: unknown) => error);
  workspace.remove();
});

async function recordsOf(state: string): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const { record } of readRecords(state)) all.push(record);
  return all;
}

const words = (lines: readonly string[], what: string): string[] =>
  lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));

it(`[T7.1] [T7.4] ${KILLS} kills of keepers, gates, gateway and server under load from four processes`, {
  timeout: 120_000 + KILLS * 5_000,
}, async () => {
  console.log(`FIRE_SEED=${SEED}`);
  const random = seeded(SEED);
  const servers = { s: { command: [process.execPath, serverScript('hostile.mjs'), 'pid'], protocol: '2025-11-25' } };
  workspace = makeWorkspace(
    `version: 1\ndefaults: { isolation: none }\ntools: { mcp__s__echo: {} }\nservers: ${JSON.stringify(servers)}\n`,
  );
  const { state, root } = workspace;
  const elsewhere = ['--state', `${state}-approving`];
  expect((await sallyport(['servers', 'approve', 's', '--yes', ...elsewhere], { cwd: root })).code).toBe(0);
  const said: string[] = [];
  const gateway = (): Promise<Worker> => startGateway(workspace, () => random() < 0.5);
  crew = [await startGate(state, 'gate-0'), await startGate(state, 'gate-1'), await startGate(state, 'gate-2')];
  crew.push(await gateway());

  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(20 + random() * 250);
    const place = Math.floor(random() * crew.length);
    const victim = crew[place];
    if (victim === undefined) throw new Error('there is no victim');
    if (!(await victim.hurt())) continue;
    said.push(...victim.said());
    crew[place] = place === 3 ? await gateway() : await startGate(state, `gate-${kill + 3}`);
  }
  for (const worker of crew) {
    await worker.kill();
    said.push(...worker.said());
  }
  crew = [];
  await expectSound(state, said);
});

/** What must hold after any number of kills. */
async function expectSound(state: string, said: readonly string[]): Promise<void> {
  const keeper = await openKeeper({ state, reachable: [], adoptionMs: 1 });
  await sleep(100);
  await keeper.close();
  const report = await verifyLog({ directory: state, verifierKey: keeper.verifier, now: Date.now() });
  expect(report.findings).toEqual([]);
  const records = await recordsOf(state);

  // No fork, and one owner at a time: the records of each boot stand together, and each boot has one writer.
  const boots = records.map(({ boot, writer }) => `${boot} ${writer}`).filter((boot, at, all) => boot !== all[at - 1]);
  expect(new Set(boots.map((boot) => boot.split(' ')[0])).size).toBe(boots.length);

  // No acknowledged record lost: what ran was admitted with these arguments, what was refused stands at its number.
  const admitted = new Set<string>();
  for (const { type, intentSeq, tool } of records) {
    if (type !== 'admitted' || tool !== 'work' || intentSeq === undefined) continue;
    const { arguments: args } = await readPayloads(state, intentSeq);
    if (isJsonObject(args)) admitted.add(String(args['n']));
  }
  const ran = words(said, 'ran');
  expect(ran.filter((n) => !admitted.has(n))).toEqual([]);
  expect(new Set(ran).size).toBe(ran.length);
  const lost = words(said, 'denied').filter((seq) => records[Number(seq)]?.code !== 'TOOL_NOT_ALLOWED');
  expect(lost).toEqual([]);

  // Nothing that holds once was granted twice.
  const claimed = words(said, 'claimed');
  expect(new Set(claimed).size).toBe(claimed.length);

  // Every admission has one outcome.
  const ends = new Map<number, number>();
  for (const { type, admittedSeq = -1 } of records)
    if (type === 'outcome') ends.set(admittedSeq, (ends.get(admittedSeq) ?? 0) + 1);
  const admissions = records.filter(({ type }) => type === 'admitted');
  expect(admissions.filter(({ seq }) => ends.get(seq) !== 1)).toEqual([]);

  // And it was no walk in the park.
  expect(boots.length).toBeGreaterThan(KILLS / 8);
  expect(ran.length).toBeGreaterThan(KILLS);
  expect(claimed.length).toBeGreaterThan(KILLS);
  expect(admissions.some(({ server }) => server === 's')).toBe(true);
}
