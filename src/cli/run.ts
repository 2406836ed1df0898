import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ISOLATION_LEVELS, type IsolationLevel, isSallyportError, SallyportError } from '../core/index.ts';
import { type GateSession, type LeftFiles, openGate, type SandboxEnd, type SpawnedProcess } from '../gate/index.ts';
import { shell } from '../tools/index.ts';
import { OBSERVING } from './open-gateway.ts';
import { answer, noticeTo, reportError, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, settingsOf } from './settings.ts';
import { untilStopped } from './until-stopped.ts';
import { answerInline, readWait, type WaitFlags } from './waiting-calls.ts';

export interface RunFlags extends CommonFlags, WaitFlags {
  /** Levels that will do, best first, with commas between. */
  readonly isolation?: string;
  /** Its output is text for a model: the guard reads it first. */
  readonly inspect?: boolean;
}

/** Our own exit codes: what failed was ours, the command was not run, there is no such program. */
const [RUN_FAILED, RUN_REFUSED, RUN_NOT_FOUND] = [125, 126, 127] as const;

/**
 * `run -- CMD…`: a command under the rule of the tool `shell`, with our standard input, output and error. Exits as the command
 * does, with 128 and the number of the signal that ended it, or with 125 to 127.
 */
export async function run(terminal: Terminal, words: readonly string[], flags: RunFlags): Promise<number> {
  const stop = stopBySignal();
  try {
    const status = await runGuarded(terminal, words, { ...flags, signal: stop.signal });
    return stop.status() ?? status;
  } catch (error) {
    const stopped = stop.status();
    if (stopped !== null) return stopped;
    const status = codeOf(error);
    if (isSallyportError(error) && typeof error.detail['kind'] === 'string') reportResult(terminal, error, status);
    else reportError(terminal, error);
    return status;
  }
}

/** Ends the command and closes everything on a signal to us, so that nothing stays behind; `status` is what to exit with then. */
function stopBySignal(): { readonly signal: AbortSignal; readonly status: () => number | null } {
  const controller = new AbortController();
  let status: number | null = null;
  void untilStopped().then((name) => {
    status = statusOfSignal(name);
    controller.abort();
  });
  return { signal: controller.signal, status: () => status };
}

function codeOf(error: unknown): number {
  if (isSallyportError(error, 'PROGRAM_UNAVAILABLE')) return RUN_NOT_FOUND;
  const isRefused = isSallyportError(error) && error.detail['kind'] === 'denied';
  return isRefused || isSallyportError(error, 'ISOLATION_UNAVAILABLE') ? RUN_REFUSED : RUN_FAILED;
}

/** Why nothing ran, in the words of the gate. */
function reportResult(terminal: Terminal, { message, detail }: SallyportError, status: number): void {
  if (terminal.json) answer(terminal, { ...detail, end: null, status }, '');
  else terminal.err(safeLines(message));
}

interface Running extends RunFlags {
  readonly signal: AbortSignal;
}

async function runGuarded(terminal: Terminal, words: readonly string[], flags: Running): Promise<number> {
  const settings = settingsOf(flags);
  const levels = readLevels(flags.isolation);
  const waits = readWait(flags);
  const inline = answerInline(terminal, flags);
  await using gate = await openGate({
    ...{ ...gateSettings(settings), tools: [shell()], onPolicyNotice: noticeTo(terminal) },
    policyChanges: settings.embedded ? 'ignore' : 'wait',
    onApprovalWaiting: inline.onApprovalWaiting,
    ...(levels === null ? {} : { isolation: levels }),
  });
  if (gate.policyStatus().observing) terminal.err(`sallyport: mode ${OBSERVING}`);
  const session = await gate.openSession({ agent: 'cli', surface: 'cli', ...waits });
  const child = await session
    .spawn(words, {
      ...{ stdin: 'pipe' as const, signal: flags.signal, inspect: flags.inspect === true },
    })
    .finally(inline.close);
  const end = await follow(child, terminal.json ? process.stderr : process.stdout);
  return report(terminal, end, await closingOf(session, child));
}

interface Closing {
  readonly result: Awaited<SpawnedProcess['result']>;
  readonly left: LeftFiles | null;
}

async function closingOf(session: GateSession, { result }: SpawnedProcess): Promise<Closing> {
  return { result: await result, left: await session.close() };
}

function report(terminal: Terminal, end: SandboxEnd, { result, left }: Closing): number {
  const isWithheld = result.kind === 'failed' && result.code === 'RESULT_QUARANTINED';
  const status = isWithheld ? RUN_FAILED : statusOf(end);
  if (left !== null) sayLeft(terminal, left);
  if (terminal.json) {
    const plain = JSON.parse(JSON.stringify({ ...result, left }));
    answer(terminal, { ...plain, end: { ...end }, status }, '');
  } else if (result.kind !== 'delivered') terminal.err(safeLines(result.text));
  else if (end.killedBy !== null) terminal.err(`sallyport: ${result.text}`);
  return status;
}

/** What somebody else acts on later is said before anybody does. ATTACKER-CONTROLLED: the paths. */
function sayLeft(terminal: Terminal, { files, count, unseen }: LeftFiles): void {
  if (count > 0) {
    const lines = files.map(({ path, change, kind }) => `  ${safeLines(JSON.stringify(path))} (${change}, ${kind})`);
    const more = count > files.length ? [`  and ${count - files.length} more`] : [];
    const head = 'sallyport: look at these before you use them: they run by themselves later, or configure an agent';
    terminal.err([head, ...lines, ...more].join('\n'));
  }
  if (unseen > 0) terminal.err(`sallyport: ${unseen} folders that the command may write could not be looked at`);
}

function statusOf({ status, signal, killedBy }: SandboxEnd): number {
  if (killedBy !== null) return RUN_FAILED;
  if (status !== null) return status;
  return statusOfSignal(signal);
}

/** As a shell says it. */
const statusOfSignal = (signal: string | null): number =>
  128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0);

async function follow(child: SpawnedProcess, out: Writable): Promise<SandboxEnd> {
  const passed = [pass(child.stdout, out), pass(child.stderr, process.stderr)];
  // A command that ends before it has read its input ends the copying, which is no failure.
  if (child.stdin !== null) void pipeline(process.stdin, child.stdin).catch(() => undefined);
  const end = await child.ended;
  await Promise.all(passed);
  process.stdin.destroy();
  return end;
}

/** With back-pressure; a reader that went away ends the copying, and the command by its own SIGPIPE. */
async function pass(from: Readable, to: Writable): Promise<void> {
  try {
    for await (const chunk of from) if (!to.write(chunk)) await once(to, 'drain');
  } catch {
    from.destroy(); // cut off with the program, or nobody reads any more
  }
}

function readLevels(text: string | undefined): readonly IsolationLevel[] | null {
  if (text === undefined) return null;
  return text.split(',').map((word) => {
    const level = ISOLATION_LEVELS.find((known) => known === word);
    if (level !== undefined) return level;
    const known = ISOLATION_LEVELS.join(', ');
    throw new SallyportError('USAGE', `there is no isolation level ${JSON.stringify(word)}; there are ${known}`);
  });
}
