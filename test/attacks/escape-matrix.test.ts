import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IsolationLevel } from '../../src/core/index.ts';
import { type ByHand, type MatrixBackend, openByHand, openLevel, startPlain } from './escape/backends.ts';
import { runAs } from './escape/matrix-user.ts';
import type { Row } from './escape/row.ts';
import { FILE_ROWS } from './escape/rows-files.ts';
import { KERNEL_ROWS } from './escape/rows-kernel.ts';
import { LIMIT_ROWS } from './escape/rows-limits.ts';
import { NETWORK_ROWS } from './escape/rows-network.ts';
import { PROCESS_ROWS } from './escape/rows-processes.ts';
import { tryRow } from './escape/try-row.ts';
import { type EscapeWorld, openWorld } from './escape/world.ts';

const ROWS: readonly Row[] = [...FILE_ROWS, ...KERNEL_ROWS, ...PROCESS_ROWS, ...NETWORK_ROWS, ...LIMIT_ROWS];
const LEVELS = ['bubblewrap', 'gvisor'] as const;
/** Where the machine has not got the program, rows are skipped by name; CI has all of them and skips none. */
const inCI = process.env['CI'] !== undefined;
const hasCompiler = spawnSync('gcc', ['--version']).status === 0;
const hasBwrap = spawnSync('bwrap', ['--version']).status === 0;

const canTry = ({ attempt }: Row): boolean => hasCompiler || inCI || !('c' in attempt);
const isControl = ({ control }: Row): boolean => control === 'always' || control === (runAs === null ? 'user' : 'root');

const isVirtual = ({ virtual }: Row, level: IsolationLevel): boolean => virtual?.includes(level) === true;
const meansSomething = (row: Row, level: IsolationLevel): boolean =>
  !isVirtual(row, level) || row.seenOnHost !== undefined;

let world: EscapeWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

describe('without a sandbox, the positive control', () => {
  for (const row of ROWS.filter(isControl)) {
    it.skipIf(!canTry(row))(`escapes: ${row.name} (needs a C compiler for some)`, async () => {
      const { escaped, told } = await tryRow(startPlain, world, row);
      expect(escaped, told).toBe(true);
    });
  }
});

describe.skipIf(!hasBwrap && !inCI)('the filter on the real kernel (skipped where bubblewrap is not installed)', () => {
  let byHand: ByHand;
  beforeAll(() => {
    byHand = openByHand();
  });
  afterAll(() => byHand.close());
  for (const row of KERNEL_ROWS.filter(canTry)) {
    it(`keeps in: ${row.name}`, async () => {
      const { escaped, began, told } = await tryRow(byHand.start, world, row);
      expect({ escaped, began }, told).toEqual({ escaped: row.open?.bubblewrap !== undefined, began: true });
    });
  }
});

for (const level of LEVELS) {
  describe(`at level ${level}`, () => {
    let backend: MatrixBackend;
    beforeAll(async () => {
      backend = await openLevel(level);
    });
    afterAll(() => backend.close());

    for (const row of ROWS.filter((one) => canTry(one) && meansSomething(one, level))) {
      it(`keeps in: ${row.name}`, async (context) => {
        if (backend.start === null && !inCI) return context.skip(`SKIPPED: ${backend.missing}`);
        if (backend.start === null) throw new Error(backend.missing);
        const tried = await tryRow(backend.start, world, row);
        const escaped = isVirtual(row, level) ? tried.seen : tried.escaped;
        const expected = { escaped: row.open?.[level] !== undefined, began: true };
        expect({ escaped, began: tried.began }, tried.told).toEqual(expected);
      });
    }
  });
}
