import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ByHand, type MatrixBackend, openByHand, openLevel } from './escape/backends.ts';
import { runProgram } from './escape/try-row.ts';
import { WORK, type Work } from './escape/work.ts';
import { type EscapeWorld, openWorld } from './escape/world.ts';

const inCI = process.env['CI'] !== undefined;
const isHere = ({ needs }: Work): boolean =>
  inCI || needs === undefined || spawnSync(needs[0], needs.slice(1)).status === 0;

let world: EscapeWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** Everything goes on in one workspace, as the calls of a session do. */
async function doWork(start: NonNullable<MatrixBackend['start']>, work: Work): Promise<void> {
  await world.reset();
  const done = await runProgram(start, world, ['/bin/sh', '-c', work.script], {}, work.input ?? null);
  const output = Buffer.from(done.output, 'latin1').toString('utf8');
  expect({ output, status: done.status }, done.errors).toEqual({ output: work.expected, status: work.status ?? 0 });
}

for (const level of ['bubblewrap', 'gvisor'] as const) {
  describe(`legitimate work at level ${level}`, () => {
    let backend: MatrixBackend;
    beforeAll(async () => {
      backend = await openLevel(level);
    });
    afterAll(() => backend.close());
    for (const work of WORK) {
      const title = work.needs === undefined ? work.name : `${work.name} (needs ${work.needs.slice(0, -1).join(' ')})`;
      it.skipIf(!isHere(work))(title, async (context) => {
        if (backend.start === null && !inCI) return context.skip(`SKIPPED: ${backend.missing}`);
        if (backend.start === null) throw new Error(backend.missing);
        await doWork(backend.start, work);
      });
    }
  });
}

describe.skipIf(spawnSync('bwrap', ['--version']).status !== 0 && !inCI)(
  'legitimate work under the filter alone (skipped where bubblewrap is not installed)',
  () => {
    let byHand: ByHand;
    beforeAll(() => {
      byHand = openByHand();
    });
    afterAll(() => byHand.close());
    // By hand there is no home, no /etc and no user: what needs them is for the levels.
    for (const work of WORK.filter(({ script }) => !/HOME|npm|getent|ssl|readme\.txt && tar/.test(script))) {
      it.skipIf(!isHere(work))(work.name, () => doWork(byHand.start, work));
    }
  },
);
