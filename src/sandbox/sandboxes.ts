import { ISOLATION_LEVELS, type IsolationLevel, isSallyportError, SallyportError } from '../core/index.ts';
import type { OpenBackend } from './backend-parts.ts';
import { openBubblewrapBackend } from './bubblewrap.ts';
import type {
  ChosenLevel,
  LevelReport,
  SandboxCommand,
  SandboxProcess,
  SandboxProfile,
  StartOptions,
} from './contract.ts';
import { openEgress } from './egress.ts';
import { openGvisorBackend } from './gvisor-backend.ts';
import { madeOnce } from './made-once.ts';
import { openNoneBackend } from './none-backend.ts';
import type { OpenEgress, SandboxOptions } from './parts.ts';
import { openRuntimeFolder, type RuntimeOptions } from './runtime-folder.ts';

/** What the sandboxes are made of; the default is what this version has. */
export interface SandboxParts {
  readonly backends?: readonly OpenBackend[];
  readonly openEgress?: OpenEgress;
  /** Where the folder of this process lies, and how notes of dead ones are swept. */
  readonly runtime?: Pick<RuntimeOptions, 'base' | 'sweeps'>;
}

/** Every way to isolate that this machine has, behind one door. */
export interface Sandboxes {
  /**
   * The first level of the caller's list that is proven here. The list is the consent: nothing else is ever taken.
   * @throws SallyportError ISOLATION_UNAVAILABLE with every reason and remedy
   */
  choose(levels: readonly IsolationLevel[]): Promise<ChosenLevel>;
  /**
   * Starts a program at a level that was chosen here.
   * @throws SallyportError SANDBOX_FAILED, PROGRAM_UNAVAILABLE, ISOLATION_UNAVAILABLE: nothing ran
   */
  start(
    chosen: ChosenLevel,
    profile: SandboxProfile,
    command: SandboxCommand,
    options: StartOptions,
  ): Promise<SandboxProcess>;
  /** What every level is worth here, weakest first. */
  survey(): Promise<readonly LevelReport[]>;
  /** Whether a path is nothing but the empty folder that a running sandbox needs where something is reserved. */
  isPlaceholder(path: string): Promise<boolean>;
  /** Ends warm sandboxes of an owner (null: of all). */
  release(owner: string | null): Promise<void>;
  /** Ends everything that was started, and leaves nothing behind. */
  close(): Promise<void>;
}

const BACKENDS: readonly OpenBackend[] = [openNoneBackend, openBubblewrapBackend, openGvisorBackend];

/** Opens the sandboxes of this process; nothing is looked for, made or started before it is asked for. */
export function openSandboxes(options: SandboxOptions, parts: SandboxParts = {}): Sandboxes {
  const runtime = madeOnce(() => openRuntimeFolder(runtimeOptions(options, parts)));
  const context = { options, runtime: runtime.get, openEgress: parts.openEgress ?? openEgress };
  const backends = new Map((parts.backends ?? BACKENDS).map((open) => open(context)).map((one) => [one.level, one]));
  const report = async (level: IsolationLevel): Promise<LevelReport> =>
    (await backends.get(level)?.report()) ?? absentLevel(level);
  return {
    choose: (levels) => chooseLevel(levels, report),
    start: async (chosen, profile, command, start) => {
      const backend = backends.get(chosen.level);
      if (backend === undefined || !chosen.report.available) throw unavailable([await report(chosen.level)]);
      return backend.start(profile, command, start).catch((error: unknown) => {
        throw failedStart(error);
      });
    },
    survey: () => Promise.all(ISOLATION_LEVELS.map(report)),
    isPlaceholder: async (path) => (await runtime.get()).placeholders.isPlaceholder(path),
    release: async (owner) => {
      await Promise.all([...backends.values()].map((backend) => backend.release(owner)));
    },
    close: async () => {
      await Promise.all([...backends.values()].map((backend) => backend.close()));
      await (await runtime.made())?.close();
    },
  };
}

function runtimeOptions({ runAs }: SandboxOptions, { runtime = {} }: SandboxParts): RuntimeOptions {
  const isOther = runAs !== undefined && process.getuid?.() === 0;
  return isOther ? { ...runtime, readerGid: runAs.gid } : runtime;
}

/** What the system refused while a sandbox was made, such as room on a disk, as what it is; the path is ours and is not told. */
function failedStart(error: unknown): unknown {
  const isRefusal = error instanceof Error && !isSallyportError(error) && 'syscall' in error && 'code' in error;
  if (!isRefusal) return error;
  return new SallyportError('SANDBOX_FAILED', `the sandbox did not start: ${error.code}`, { cause: error });
}

async function chooseLevel(
  levels: readonly IsolationLevel[],
  report: (level: IsolationLevel) => Promise<LevelReport>,
): Promise<ChosenLevel> {
  const refused: LevelReport[] = [];
  for (const level of levels) {
    const found = await report(level);
    if (found.available) return Object.freeze({ level, report: found });
    refused.push(found);
  }
  throw unavailable(refused);
}

/** Every reason stands in the message, the remedies too: nothing ran, and the reader decides what to install. */
function unavailable(reports: readonly LevelReport[]): SallyportError {
  const lines = reports.map(({ level, reasons, remedy }) => `${level}: ${[...reasons, remedy].join('; ')}`);
  const text = lines.length === 0 ? 'no isolation level was named' : `not available here: ${lines.join(' / ')}`;
  const levels = reports.map(({ level, reasons, remedy }) => ({ level, reasons, remedy }));
  return new SallyportError('ISOLATION_UNAVAILABLE', text, { detail: { levels } });
}

const NO_LIMITS: LevelReport['limits'] = Object.freeze({
  ...{ wallMs: 'none', memoryBytes: 'none', processes: 'none', fileBytes: 'none' },
  ...{ openFiles: 'none', outputBytes: 'none', diskBytes: 'none' },
});

function absentLevel(level: IsolationLevel): LevelReport {
  const reason =
    level === 'process'
      ? 'not part of this version: it needs a compiled launcher (Landlock, seccomp), which the package does not carry'
      : 'not part of this version';
  const remedy = level === 'process' ? 'use bubblewrap or gvisor' : 'use another level';
  return Object.freeze({
    ...{ level, available: false, backend: '', reasons: Object.freeze([reason]), remedy },
    ...{ probe: null, limits: NO_LIMITS },
  });
}
