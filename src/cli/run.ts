import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ISOLATION_LEVELS, type IsolationLevel, isSallyportError, SallyportError } from '../core/index.ts';
import type { CallResult, SandboxEnd, SandboxProcess, Tool, ToolContext } from '../gate/index.ts';
import { openGate } from '../gate/index.ts';
import { shell } from '../tools/index.ts';
import { OBSERVING } from './open-gateway.ts';
import { answer, noticeTo, reportError, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, settingsOf } from './settings.ts';
import { answerInline, readWait, type WaitFlags } from './waiting-calls.ts';

export interface RunFlags extends CommonFlags, WaitFlags {
  /** Levels that will do, best first, with commas between. */
  readonly isolation?: string;
}

/** Our own exit codes: what failed was ours, the command was not run, there is no such program. */
const [FAILED, REFUSED] = [125, 126] as const;

/**
 * `run -- CMD…`: a command under the rule of the tool `shell`, with our standard input, output and error. Exits as the command
 * does, with 128 and the number of the signal that ended it, or with 125 to 127.
 */
export async function run(terminal: Terminal, words: readonly string[], flags: RunFlags): Promise<number> {
  try {
    return await runGuarded(terminal, words, flags);
  } catch (error) {
    reportError(terminal, error);
    return isSallyportError(error, 'ISOLATION_UNAVAILABLE') ? REFUSED : FAILED;
  }
}

async function runGuarded(terminal: Terminal, words: readonly string[], flags: RunFlags): Promise<number> {
  let end: SandboxEnd | null = null;
  const tool = streamedShell(terminal.json ? process.stderr : process.stdout, (ended) => {
    end = ended;
  });
  const settings = settingsOf(flags);
  const levels = readLevels(flags.isolation);
  const waits = readWait(flags);
  const inline = answerInline(terminal, flags);
  await using gate = await openGate({
    ...{ ...gateSettings(settings), tools: [tool], onPolicyNotice: noticeTo(terminal) },
    policyChanges: settings.embedded ? 'ignore' : 'wait',
    onApprovalWaiting: inline.onApprovalWaiting,
    ...(levels === null ? {} : { isolation: levels }),
  });
  if (gate.policyStatus().observing) terminal.err(`sallyport: mode ${OBSERVING}`);
  const session = await gate.openSession({ agent: 'cli', surface: 'cli', ...waits });
  const result = await session.call('shell', { command: words.map(quoteWord).join(' ') }).finally(inline.close);
  return report(terminal, result, end);
}

function report(terminal: Terminal, result: CallResult, end: SandboxEnd | null): number {
  const status = end === null ? (result.kind === 'denied' ? REFUSED : FAILED) : statusOf(end);
  if (terminal.json)
    answer(terminal, { ...JSON.parse(JSON.stringify(result)), end: end === null ? null : { ...end }, status }, '');
  else if (result.kind !== 'delivered') terminal.err(safeLines(result.text));
  return status;
}

function statusOf({ status, signal, killedBy }: SandboxEnd): number {
  if (killedBy !== null) return FAILED;
  if (status !== null) return status;
  const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0;
  return 128 + number;
}

/** The tool `shell` of one call, whose streams are ours. */
function streamedShell(out: Writable, ended: (end: SandboxEnd) => void): Tool {
  const execute = async (_args: unknown, { start }: ToolContext): Promise<string> => {
    if (start === undefined) throw new SallyportError('INTERNAL', 'the gate planned no command for this call');
    const child = await start({ stdin: 'pipe' });
    const end = await follow(child, out);
    ended(end);
    return describe(end);
  };
  return { ...shell(), execute };
}

async function follow(child: SandboxProcess, out: Writable): Promise<SandboxEnd> {
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

const describe = ({ status, signal, killedBy }: SandboxEnd): string => {
  if (killedBy !== null) return `Ended by the limit of ${killedBy}.`;
  return status === null ? `Ended by ${signal ?? 'a signal'}.` : `Exit status ${status}.`;
};

/** A word as bash reads it back, whatever is in it. */
const quoteWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

function readLevels(text: string | undefined): readonly IsolationLevel[] | null {
  if (text === undefined) return null;
  return text.split(',').map((word) => {
    const level = ISOLATION_LEVELS.find((known) => known === word);
    if (level !== undefined) return level;
    const known = ISOLATION_LEVELS.join(', ');
    throw new SallyportError('ISOLATION_UNAVAILABLE', `there is no such isolation level; there are ${known}`);
  });
}
