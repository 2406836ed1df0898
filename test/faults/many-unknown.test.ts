import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { UnknownCalls } from '../../src/keeper/index.ts';
import { temporaryFolder } from './log-fixture.ts';

const SCRIPT = fileURLToPath(new URL('./many-unknown-keeper.mjs', import.meta.url));

/** Kills keepers of one state, each with `each` calls under way; half of them of the agent `even`, half of `odd`. */
async function crash(state: string, rounds: number, each: number, characters: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const words = [SCRIPT, state, characters, each, round * each].map(String);
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    expect(String(said[0]).trim()).toBe('admitted');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/** Whether the first call of `even` and of `odd`, one that `even` never made, and one of a third agent are uncertain. */
function open(state: string, characters: number): { uncertain: boolean[]; mebibytes: number } {
  const { stdout } = spawnSync(process.execPath, [SCRIPT, state, String(characters), '0'], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return JSON.parse(stdout) as { uncertain: boolean[]; mebibytes: number };
}

test('[T7.3] thousands of calls with unknown outcome are known again, in bounded memory', async () => {
  const state = temporaryFolder();
  await crash(state, 2, 3_000, 10);
  for (let restart = 0; restart < 2; restart++) {
    const { uncertain, mebibytes } = open(state, 10);
    expect(uncertain).toEqual([true, true, false, false]);
    expect(mebibytes).toBeLessThan(200);
  }
  expect(new UnknownCalls(state).list()).toHaveLength(6_000);
});

test('[T7.3] beyond the cap, every call of that principal is uncertain, and of no other', async () => {
  const state = temporaryFolder();
  await crash(state, 3, 2_800, 10);
  expect(open(state, 10).uncertain).toEqual([true, true, true, false]);
  expect(new UnknownCalls(state).list()).toHaveLength(2 * 4_097);
});

test('[T7.3] arguments that are too many to be read again make every call of their principals uncertain', async () => {
  const state = temporaryFolder();
  await crash(state, 1, 40, 1_000_000);
  expect(open(state, 1_000_000).uncertain).toEqual([true, true, true, false]);
});
