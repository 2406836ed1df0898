import { homedir } from 'node:os';
import { isCommandTrouble, planExecution } from '../policy/index.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';

/** How a command line that was judged is run: plain data. */
export interface PlannedRun {
  /** `argv`: this program without a shell; `bash`: bash itself, with the line as its script. */
  readonly kind: 'argv' | 'bash';
  /** The program: a name to be looked up on `PATH` of `env`, or an absolute or relative path that the policy lists. */
  readonly file: string;
  readonly argv: readonly string[];
  /** The whole environment: nothing of the gate's own is in it. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute real path of the folder that it starts in, as it was judged. */
  readonly cwd: string;
}

/**
 * Set for everything that a gate spawns, so that a command for operators can tell that it was started by a tool. A hint: who
 * runs as this user can unset it.
 */
export const INSIDE_VARIABLE = 'SALLYPORT_INSIDE';

/** What runs for a call with a command line; `null` for every other call. */
export function planRun({ root }: Pick<House, 'root'>, { facts }: Judgement): PlannedRun | null {
  const { command } = facts;
  if (command === undefined || isCommandTrouble(command)) return null;
  const plan = planExecution(command, homedir());
  const file = plan.kind === 'argv' ? plan.file : 'bash';
  const folder = facts.paths['command:cwd']?.reading;
  const cwd = folder === undefined || 'trouble' in folder ? root : folder.real;
  return Object.freeze({ kind: plan.kind, file, argv: plan.argv, env: { ...plan.env, [INSIDE_VARIABLE]: '1' }, cwd });
}
