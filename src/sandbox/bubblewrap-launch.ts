import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { escapeForTerminal, quoteForMessage } from '../core/index.ts';
import { DESCRIPTORS } from './bubblewrap-plan.ts';
import { startFailed as failed, readerOf, type SpawnParts, spawnBubblewrap, writerOf } from './bubblewrap-spawn.ts';
import { type ExpectedMount, proveMounts } from './mount-proof.ts';
import {
  descriptorsOf,
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  signalProcess,
  stateOf,
} from './process-identity.ts';
import { childrenOf } from './process-tree.ts';

export interface LaunchParts extends SpawnParts {
  readonly expected: readonly ExpectedMount[];
  readonly signal: AbortSignal | undefined;
}

/** A sandbox that is built and proven, whose program has not started: it waits for `go`. */
export interface BuiltSandbox {
  readonly child: ChildProcess;
  /** The process that started it, and the first one inside. */
  readonly outer: ProcessIdentity;
  readonly inner: ProcessIdentity;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  go(): void;
}

/** A busy machine may take its time. */
const BUILD_MS = 10_000;
/** Looks, a millisecond apart, after which wrong mounts are taken for what they are. */
const WRONG_LOOKS = 50;
const LARGEST_COMPLAINT_BYTES = 2_048;

/**
 * Starts bubblewrap and waits until everything is mounted and proven. What goes wrong before that is killed.
 * @throws SallyportError SANDBOX_FAILED: nothing ran
 */
export async function buildSandbox(parts: LaunchParts): Promise<BuiltSandbox> {
  const child = spawnBubblewrap(parts);
  const ended = endOf(child);
  const complaint = collectComplaint(child);
  const clock = new AbortController();
  try {
    const late = delay(BUILD_MS, 'late' as const, { signal: clock.signal });
    const built = await Promise.race([build(child, parts), ended, late, aborted(parts.signal, clock.signal)]);
    if (built === 'late') throw failed('it took too long to build');
    if (built === 'ended') {
      await giveUp(child);
      throw failed(await complaint.text());
    }
    complaint.stop();
    return built;
  } catch (error) {
    await giveUp(child);
    throw error;
  } finally {
    clock.abort();
  }
}

const STOP_LOOKS = 100;

/**
 * Ends a sandbox that is half built. INVARIANT: bubblewrap's child dies with it only once the program starts: it is found while its
 * parent stands still, and killed by itself. Whoever slips through waits for a word that never comes.
 */
async function giveUp(child: ChildProcess): Promise<void> {
  writerOf(child, DESCRIPTORS.word).destroy();
  const outer = child.pid === undefined ? null : identifyProcess(child.pid);
  if (outer === null) return;
  child.kill('SIGSTOP');
  for (let look = 0; look < STOP_LOOKS && !isStopped(outer.pid); look += 1) await delay(1);
  const inside = childrenOf(outer.pid)
    .map(identifyProcess)
    .filter((one) => one !== null);
  for (const one of [...inside, outer]) signalProcess(one, 'SIGKILL');
  while ([...inside, outer].some(isAlive)) await delay(1);
}

const isStopped = (pid: number): boolean => {
  const state = stateOf(pid);
  return state === null || 'TZX'.includes(state);
};

async function build(child: ChildProcess, { expected }: LaunchParts): Promise<BuiltSandbox | 'ended'> {
  const [pid] = await Promise.all([firstProcess(readerOf(child, DESCRIPTORS.status)), firstWord(child)]);
  const inner = identifyProcess(pid);
  const outer = child.pid === undefined ? null : identifyProcess(child.pid);
  if (inner === null || outer === null || !(await proveBuilt(inner, expected))) return 'ended';
  if (!(await boundToParent(inner))) return 'ended';
  const { stdin } = child;
  return {
    ...{ child, inner, outer, stdin, stdout: readerOf(child, 1), stderr: readerOf(child, 2) },
    go: () => writerOf(child, DESCRIPTORS.word).end('go\n'),
  };
}

const LOOK_MS = 1;
/** Some seconds: what is not built by then will not be. */
const MOST_LOOKS = 5_000;

/** What waits inside has said so, which is no proof: the looks are. As a rule the first one is enough. */
async function proveBuilt(inner: ProcessIdentity, expected: readonly ExpectedMount[]): Promise<boolean> {
  for (let looks = 0, wrong = 0; looks < MOST_LOOKS; looks += 1) {
    const proof = proveMounts(inner.pid, expected);
    if (proof === 'proven') return true;
    // What is gone has no mounts, which must not be taken for wrong ones.
    if (!isAlive(inner)) return false;
    // A list of mounts that is read while it changes may have any content: what is wrong stays wrong.
    wrong = proof === 'unfinished' ? 0 : wrong + 1;
    if (proof !== 'unfinished' && wrong === WRONG_LOOKS)
      throw failed(`${quoteForMessage(proof.wrong)} is not what was to be mounted`);
    await delay(looks === 0 ? 0 : LOOK_MS);
  }
  throw failed('it was not built in time');
}

/**
 * INVARIANT: no program starts before the first process inside has tied itself to its parent (PR_SET_PDEATHSIG): what starts earlier
 * would outlive us. It does so right before it waits for the program, when it has closed all that it was given.
 */
async function boundToParent(inner: ProcessIdentity): Promise<boolean> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    if (isWaiting(inner.pid) && holdsNothing(inner.pid)) return true;
    if (!isAlive(inner)) return false;
    await delay(looks === 0 ? 0 : LOOK_MS);
  }
  throw failed('it was not built in time');
}

const isWaiting = (pid: number): boolean => stateOf(pid) === 'S';

/** Whether a process has no descriptors but its standard streams and the one by which it tells of the program's end. */
const holdsNothing = (pid: number): boolean => {
  const held = descriptorsOf(pid);
  return held?.every(({ number, target }) => number <= 2 || target === 'anon_inode:[eventfd]') === true;
};

/** Reads the status that bubblewrap writes about itself: lines of JSON, the first with the number of the first process inside; 0: it ended before. */
function firstProcess(status: Readable): Promise<number> {
  return new Promise((resolve) => {
    let text = '';
    status.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(0, LARGEST_COMPLAINT_BYTES);
      const found = /"child-pid": (\d{1,10})/.exec(text);
      if (found !== null) resolve(Number(found[1]));
    });
    status.once('end', () => resolve(0));
  });
}

/** Settles when what waits inside has said that it does, or will not any more. */
function firstWord(child: ChildProcess): Promise<void> {
  const word = writerOf(child, DESCRIPTORS.word);
  return Promise.race([new Promise<void>((resolve) => word.once('data', () => resolve())), closed(word)]);
}

const closed = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    if (stream.readableEnded || stream.closed) resolve();
    stream.once('end', resolve);
    stream.once('close', resolve);
  });

function endOf(child: ChildProcess): Promise<'ended'> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve('ended'));
    child.once('error', () => resolve('ended'));
  });
}

function aborted(signal: AbortSignal | undefined, done: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal === undefined) return;
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true, signal: done });
  });
}

/** What bubblewrap says until the program starts. ATTACKER-CONTROLLED in part: names of paths stand in it. */
function collectComplaint(child: ChildProcess): { text(): Promise<string>; stop(): void } {
  let text = '';
  const stderr = readerOf(child, 2);
  const take = (): void => {
    for (let chunk = stderr.read(); chunk !== null; chunk = stderr.read()) {
      text = (text + String(chunk)).slice(0, LARGEST_COMPLAINT_BYTES);
    }
  };
  stderr.on('readable', take);
  return {
    text: async () => {
      await closed(stderr);
      return escapeForTerminal(text.trim()).replaceAll('\n', ' ') || 'it ended while it was built';
    },
    stop: () => stderr.off('readable', take),
  };
}
