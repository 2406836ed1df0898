import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IsolationLevel } from '../../../src/core/index.ts';
import { openSandboxes, type SandboxBackend } from '../../../src/sandbox/index.ts';
import { seccompFilter } from '../../../src/sandbox/seccomp.ts';
import { bwrapLine, rawStart } from '../../support/raw-sandbox.ts';
import { runAs } from './matrix-user.ts';

type Start = SandboxBackend['start'];

/** Something to start programs with, or why there is none here. */
export interface MatrixBackend {
  readonly start: Start | null;
  readonly missing: string;
  close(): Promise<void>;
}

/** No sandbox at all, as the user that sandboxes run as: the positive control. */
export const startPlain: Start = rawStart((_, argv) => argv, { ...runAs, detached: true });

/** A start with a file of its own. */
export interface ByHand {
  readonly start: Start;
  close(): void;
}

/** bubblewrap by hand with our filter: shows the filter on the real kernel, whatever the backend does. */
export function openByHand(): ByHand {
  const folder = mkdtempSync('/var/tmp/sallyport-filter-');
  const file = join(folder, 'filter');
  writeFileSync(file, seccompFilter(process.arch));
  const start: Start = async (profile, command, options) => {
    const filter = openSync(file, 'r');
    try {
      const line = rawStart((shown, argv) => [...bwrapLine(shown), '--seccomp', '3', '--', ...argv], {
        ...{ stdio: [command.stdin === 'pipe' ? 'pipe' : 'ignore', 'pipe', 'pipe', filter] },
        ...runAs,
      });
      return await line(profile, command, options);
    } finally {
      closeSync(filter);
    }
  };
  return { start, close: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A level as users get it: proven by its probe, or the reasons why it is not available. */
export async function openLevel(level: IsolationLevel): Promise<MatrixBackend> {
  const sandboxes = openSandboxes(runAs === null ? {} : { runAs });
  const close = (): Promise<void> => sandboxes.close();
  try {
    const chosen = await sandboxes.choose([level]);
    return {
      start: (profile, command, options) => sandboxes.start(chosen, profile, command, options),
      missing: '',
      close,
    };
  } catch (error) {
    return { start: null, missing: error instanceof Error ? error.message : 'it failed', close };
  }
}
