import { spawnSync } from 'node:child_process';
import { it } from 'vitest';

/** A test that needs a program of the machine. */
export type NeedingTest = (title: string, run: (program: string) => void | Promise<void>, timeoutMs?: number) => void;

/**
 * Declares tests that need a program: the first of `candidates` for which `probe` ends well. Where there is none, each
 * test is skipped and a line says so; under CI it fails instead, so that a missing program is never taken for a pass.
 */
export function need(name: string, candidates: readonly string[], probe: readonly string[]): NeedingTest {
  const program = candidates.find((candidate) => spawnSync(candidate, probe, { stdio: 'ignore' }).status === 0);
  return (title, run, timeoutMs = 120_000) => {
    if (program !== undefined) {
      it(title, { timeout: timeoutMs }, () => run(program));
    } else if (process.env['CI'] !== undefined) {
      it(title, () => {
        throw new Error(`${name} is needed for this test and is not installed`);
      });
    } else {
      it.skip(`${title} (SKIPPED: ${name} is not installed)`);
      process.stderr.write(`SKIPPED: ${name} is not installed: ${title}\n`);
    }
  };
}
