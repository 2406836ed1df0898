import { quoteForMessage, SallyportError } from '../core/index.ts';
import type { Guard } from '../guard/index.ts';
import type { SandboxEnd, SandboxProcess } from '../sandbox/index.ts';
import type { ApprovalWait } from './confirm.ts';
import { guardProcess } from './guarded-streams.ts';
import type { CallResult } from './result.ts';
import type { ToolContext, ToolOutput } from './tool.ts';

/** How a program is to be started, and by which rule. */
export interface SpawnOptions extends ApprovalWait {
  /** The spawned tool whose rule judges it and in whose name it is recorded; `shell` if absent. */
  readonly tool?: string;
  /** Folder to start in, relative to the root. */
  readonly cwd?: string;
  /** `none`, the default: it reads the end of the file at once. */
  readonly stdin?: 'pipe' | 'none';
  /**
   * Its streams are UTF-8 text that the guard reads first: they come in parts of 16 to 32 KiB, the first part with instructions to a
   * model and all behind it is withheld, and `result`, which then waits until both were read, fails with RESULT_QUARANTINED.
   */
  readonly inspect?: boolean;
  /** Ends the program and everything that it started. */
  readonly signal?: AbortSignal;
}

/**
 * A program that runs under a rule, with its streams as it writes them: read both, or it waits for you. ATTACKER-CONTROLLED: what
 * it writes.
 */
export interface SpawnedProcess extends SandboxProcess {
  /** What came of the call, when the program has ended and that is on record: delivered, or failed with the code of what ended it. */
  readonly result: Promise<CallResult>;
}

/** A call whose program is handed to the caller instead of the tool. */
export interface SpawnHandover {
  readonly stdin: 'pipe' | 'none';
  readonly inspect: boolean;
  readonly started: (process: SandboxProcess) => void;
}

/** Step 9 of such a call: starts what was judged, hands it over, and waits for its end. */
export async function handOver(
  { stdin, inspect, started }: SpawnHandover,
  { start }: ToolContext,
  guard: Guard,
): Promise<ToolOutput> {
  if (start === undefined) throw new SallyportError('SPAWN_UNPLANNED', 'the rule of this tool judges no command line');
  const raw = await start({ stdin });
  const guarded = inspect ? guardProcess(raw, guard) : null;
  started(guarded?.process ?? raw);
  const end = await raw.ended;
  if (guarded !== null && (await guarded.isHostile()))
    throw new SallyportError('RESULT_QUARANTINED', 'what the program wrote seems to give instructions to the model');
  return { content: [{ type: 'text', text: describeEnd(end) }], isError: end.status !== 0 };
}

/** How a program ended, in a sentence. */
function describeEnd({ status, signal, killedBy }: SandboxEnd): string {
  if (killedBy !== null) return `Ended by the limit of ${killedBy}.`;
  return status === null ? `Ended by ${signal ?? 'a signal'}.` : `Exit status ${status}.`;
}

/**
 * Makes a call and gives its program back as soon as it runs. `pass` makes the call.
 * @throws SallyportError why it does not run: the code of the denial, with the whole result as detail
 */
export async function spawnThrough(
  how: Pick<SpawnHandover, 'stdin' | 'inspect'>,
  pass: (spawn: SpawnHandover) => Promise<CallResult>,
): Promise<SpawnedProcess> {
  let started: SpawnHandover['started'] = () => undefined;
  const running = new Promise<SandboxProcess>((resolve) => {
    started = resolve;
  });
  const result = pass({ ...how, started });
  const first = await Promise.race([running, result]);
  if (!('kind' in first)) return spawnedProcess(first, result);
  const { code = 'INTERNAL' } = first.kind === 'delivered' ? {} : first;
  throw new SallyportError(code, first.text, { detail: { ...JSON.parse(JSON.stringify(first)) } });
}

function spawnedProcess(process: SandboxProcess, result: Promise<CallResult>): SpawnedProcess {
  const { pid, stdin, stdout, stderr, evidence, ended } = process;
  result.catch(() => undefined); // whoever awaits it is told; nobody has to
  return Object.freeze({ pid, stdin, stdout, stderr, evidence, ended, stop: process.stop, result });
}

/**
 * Words as one command line that bash reads back as exactly those words; a text is a line already.
 * @throws SallyportError INPUT_NOT_JSON for a word with a NUL
 */
export function commandLineOf(command: string | readonly string[]): string {
  if (typeof command === 'string') return command;
  const nul = command.find((word) => word.includes('\0'));
  if (nul !== undefined) throw new SallyportError('INPUT_NOT_JSON', `${quoteForMessage(nul)} has a NUL in it`);
  return command.map(quoteWord).join(' ');
}

const quoteWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
