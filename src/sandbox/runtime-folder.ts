import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import { sweepControlGroup } from './control-group.ts';
import { killHolders } from './kill-holders.ts';
import type { RuntimeFolder } from './parts.ts';
import { openPlaceholders, type Placeholders } from './placeholders.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { type Sweeps, sweepNotes, writeNote } from './runtime-notes.ts';

export interface RuntimeOptions {
  /** Folder that holds the folders of all processes; `/tmp` on Linux, whatever the environment says. */
  readonly base?: string;
  /** Group of the user whom sandboxes run as, where that is not us: it may walk through, and list nothing. */
  readonly readerGid?: number;
  /** How to remove what only a backend can; without an entry such a note waits for a process that has one. */
  readonly sweeps?: Sweeps;
}

/** The folder of this process, with what all processes of this user share. */
export interface OpenRuntimeFolder extends RuntimeFolder {
  /** The folder that holds those of all processes. */
  readonly shared: string;
  /** Folders of which no sandbox may show any part. */
  readonly withheld: readonly string[];
  readonly placeholders: Placeholders;
}

const OWN_NAME = /^p-(\d+)-(\d+)-(\d+)$/;
const SWEPT_NAME = /^s-(\d+)-(\d+)-/;

/**
 * Opens a folder for this process under `sallyport-UID` and sweeps those of dead ones. Nothing there is a link, and nobody
 * else's.
 *
 * @throws SallyportError SANDBOX_FAILED
 */
export async function openRuntimeFolder(options: RuntimeOptions = {}): Promise<OpenRuntimeFolder> {
  const self = identifyProcess(process.pid) ?? { pid: process.pid, start: 0 };
  const base = realpathSync(options.base ?? baseFolder());
  const name = `sallyport-${process.getuid?.() ?? 0}`;
  const own = makePrivate(join(base, name), {});
  const placeholders = openPlaceholders(join(own, 'placeholders'), self);
  const sweeps = {
    placeholder: async (path: string) => placeholders.sweep(path),
    cgroup: sweepControlGroup,
    ...options.sweeps,
  };
  // Another group walks through another folder: the permissions of one never depend on who opened it last.
  const { readerGid } = options;
  const shared = readerGid === undefined ? own : makePrivate(join(base, `${name}-${readerGid}`), options);
  for (const folder of foldersOf(base, name)) await sweepDead(folder, self, sweeps);
  const path = makeOwn(shared, self, options);
  let made = 0;
  return {
    path,
    shared,
    withheld: [own, shared],
    placeholders,
    make: (name) => {
      made += 1;
      return makePrivate(join(path, `${name}-${made}`), options);
    },
    note: (kind, what) => {
      made += 1;
      return writeNote(join(path, 'notes', String(made)), kind, what);
    },
    close: async () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Our folders, also those of other groups: whoever comes next sweeps all of them. */
const foldersOf = (base: string, name: string): readonly string[] =>
  readdirSync(base)
    .filter((entry) => entry === name || (entry.startsWith(`${name}-`) && /^\d+$/.test(entry.slice(name.length + 1))))
    .map((entry) => join(base, entry))
    .filter(isOurs);

const isOurs = (path: string): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.getuid?.();
};

/**
 * INVARIANT: the same for every process of a user, whatever its environment: who shares a workspace must see each other's
 * placeholders.
 */
const baseFolder = (): string => (process.platform === 'linux' ? '/tmp' : tmpdir());

function makePrivate(path: string, { readerGid }: RuntimeOptions): string {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw failed(`cannot make ${quoteForMessage(path)}`, cause);
  }
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw failed(`${quoteForMessage(path)} is not our own folder: remove it`);
  }
  // INVARIANT: it is ours and no link, in a folder where others cannot replace it: what follows names the same object.
  if (readerGid !== undefined) chownSync(path, stat.uid, readerGid);
  const mode = readerGid === undefined ? 0o700 : 0o710;
  if ((stat.mode & 0o7777) !== mode) chmodSync(path, mode);
  return path;
}

/** One process may open several. */
function makeOwn(shared: string, self: ProcessIdentity, options: RuntimeOptions): string {
  for (let count = 0; ; count += 1) {
    const path = join(shared, `p-${self.pid}-${self.start}-${count}`);
    try {
      mkdirSync(path, { mode: 0o700 });
      mkdirSync(join(path, 'notes'), { mode: 0o700 });
      return makePrivate(path, options);
    } catch (cause) {
      if (hasCode(cause, 'EEXIST')) continue;
      rmSync(path, { recursive: true, force: true });
      throw cause;
    }
  }
}

/** INVARIANT: a folder is swept by the one process that could rename it to its own name. */
async function sweepDead(shared: string, self: ProcessIdentity, sweeps: Sweeps): Promise<void> {
  for (const name of readdirSync(shared)) {
    const [, pid, start] = OWN_NAME.exec(name) ?? SWEPT_NAME.exec(name) ?? [];
    if (pid === undefined || isAlive({ pid: Number(pid), start: Number(start) })) continue;
    const rest = name.replace(SWEPT_NAME, '');
    const claimed = join(shared, `s-${self.pid}-${self.start}-${rest}`);
    if (!tryRename(join(shared, name), claimed)) continue;
    killHolders(rest);
    if (await sweepNotes(join(claimed, 'notes'), sweeps)) rmSync(claimed, { recursive: true, force: true });
  }
}

function tryRename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTEMPTY')) return false;
    throw error;
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const failed = (message: string, cause?: unknown): SallyportError =>
  new SallyportError('SANDBOX_FAILED', message, cause === undefined ? {} : { cause });
