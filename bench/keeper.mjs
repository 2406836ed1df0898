// The keeper: admission and outcome of a call, asked of the keeper in this process and of one in another process over its
// socket, alternating in one run. State lies in memory where the system has a memory file system.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinKeeper, openKeeper, whoIs } from '../dist/keeper/index.js';

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ROUNDS = 4;
const PAIRS = 1_000;

export async function run() {
  const memory = existsSync('/dev/shm');
  const base = mkdtempSync(join(memory ? '/dev/shm' : tmpdir(), 'sallyport-bench-'));
  const embedded = await openKeeper({ state: join(base, 'embedded'), reachable: [] });
  const owner = spawn(process.execPath, [CLI, 'keeper', '--state', join(base, 'remote')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  const remote = await joinKeeper({ state: join(base, 'remote'), reachable: [] });
  try {
    const places = [await place('embedded', embedded), await place('over the socket', remote)];
    for (const one of places) await pairs(one, 500, 1);
    for (let round = 0; round < ROUNDS; round++) {
      for (const flight of [1, 64]) for (const one of places) await measure(one, flight);
    }
    const where = memory ? 'state in memory' : 'state on disk: includes its sync';
    return {
      title: 'The keeper: an admission and its outcome (1 KiB of arguments and of result)',
      rows: [1, 64].flatMap((flight) => places.flatMap((one) => rowsOf(one, flight, where))),
    };
  } finally {
    await remote.close();
    await embedded.close();
    owner.kill('SIGTERM');
    await once(owner, 'exit');
    rmSync(base, { recursive: true });
  }
}

async function place(name, keeper) {
  const principal = await keeper.openSession({ tenant: 't', user: 'u', agent: 'a', proof: 'local' }, 'library');
  const notice = { scope: 'bench', digest: '0'.repeat(64), source: 'bench', rules: 1, mode: 'enforce' };
  const epoch = await keeper.policyLoaded(notice);
  const payloads = { arguments: { text: 'x'.repeat(1_000) } };
  return { name, keeper, intent: { ...whoIs(principal), tool: 'echo', epoch, decision: 'allow', payloads }, runs: {} };
}

async function measure(one, flight) {
  one.runs[flight] ??= { micros: [], perSecond: 0 };
  const run = one.runs[flight];
  const started = performance.now();
  run.micros.push(...(await pairs(one, PAIRS, flight)));
  run.perSecond += PAIRS / ((performance.now() - started) / 1000) / ROUNDS;
}

async function pairs({ keeper, intent }, count, flight) {
  const micros = [];
  let left = count;
  const producer = async () => {
    while (left-- > 0) {
      const started = process.hrtime.bigint();
      const admission = await keeper.admit(intent, { isolation: { asked: [], achieved: 'in-process' } });
      await keeper.settle(admission, { outcome: 'delivered', payloads: { result: 'x'.repeat(1_000) } });
      micros.push(Number(process.hrtime.bigint() - started) / 1000);
    }
  };
  await Promise.all(Array.from({ length: flight }, producer));
  return micros;
}

function rowsOf({ name, runs }, flight, note) {
  const { micros, perSecond } = runs[flight];
  micros.sort((a, b) => a - b);
  const at = (quantile) => micros[Math.floor(micros.length * quantile)];
  return [
    { name: `${name}, ${flight} in flight`, value: perSecond, unit: 'pairs/s', note },
    { name: `${name}, ${flight} in flight, p50`, value: at(0.5), unit: 'µs' },
    { name: `${name}, ${flight} in flight, p99`, value: at(0.99), unit: 'µs' },
  ];
}
