import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';
import type {
  KilledBy,
  SandboxBackend,
  SandboxEnd,
  SandboxProcess,
  SandboxProfile,
} from '../../src/sandbox/contract.ts';
import { openEgress } from '../../src/sandbox/egress.ts';
import { openGvisorBackend } from '../../src/sandbox/gvisor-backend.ts';
import { findRunsc } from '../../src/sandbox/gvisor-program.ts';
import type { SandboxOptions } from '../../src/sandbox/parts.ts';
import { type OpenRuntimeFolder, openRuntimeFolder } from '../../src/sandbox/runtime-folder.ts';

const isRoot = process.getuid?.() === 0;
const found = await findRunsc({}, isRoot);

/** Runs where gVisor can be used, and always in CI; the title says why not elsewhere. */
export const needGvisor: typeof it | typeof it.skip = 'path' in found || process.env['CI'] !== undefined ? it : it.skip;
export const SKIPPED = '(skipped where runsc, perl and setpriv are not installed)';

/** A workspace, a runtime folder and a backend of a test's own. */
export interface GvisorStand {
  readonly base: string;
  readonly work: string;
  readonly backend: SandboxBackend;
  readonly profile: (change?: Partial<SandboxProfile>) => SandboxProfile;
  /** Makes a file of the workspace that programs inside own. */
  readonly put: (name: string, text: string) => string;
  readonly folder: (name: string) => string;
  readonly run: (script: string, more?: RunOptions) => Promise<Ran>;
  readonly close: () => Promise<void>;
}

interface RunOptions {
  readonly profile?: SandboxProfile;
  readonly owner?: string | null;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ran extends SandboxEnd {
  readonly killedBy: KilledBy;
  readonly out: string;
  readonly err: string;
}

export const LIMITS: SandboxProfile['limits'] = Object.freeze({
  ...{ wallMs: 30_000, memoryBytes: 536_870_912, processes: 128, fileBytes: 16_777_216, openFiles: 256 },
  ...{ outputBytes: 4_194_304, diskBytes: 67_108_864 },
});

const own = (path: string): void => {
  if (isRoot) chownSync(path, 65_534, 65_534);
};

export async function openGvisorStand(options: SandboxOptions = {}): Promise<GvisorStand> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-gvisor-')));
  const work = join(base, 'work');
  mkdirSync(work);
  own(work);
  let opened: Promise<OpenRuntimeFolder> | null = null;
  const runtime = (): Promise<OpenRuntimeFolder> => {
    opened ??= openRuntimeFolder({ base });
    return opened;
  };
  const backend = openGvisorBackend({ options, runtime, openEgress });
  const profile = (change: Partial<SandboxProfile> = {}): SandboxProfile => ({
    ...{
      mounts: [{ path: work, access: 'write' }],
      covers: [],
      reserved: [],
      runtime: [],
      limits: LIMITS,
      egress: null,
    },
    ...change,
  });
  return {
    ...{ base, work, backend, profile },
    put: (name, text) => {
      const path = join(work, name);
      writeFileSync(path, text);
      own(path);
      return path;
    },
    folder: (name) => {
      const path = join(work, name);
      mkdirSync(path);
      own(path);
      return path;
    },
    run: async (script, { profile: given = profile(), owner = null, input, env = {} } = {}) => {
      const argv = ['/bin/sh', '-c', script] as const;
      const stdin = input === undefined ? 'none' : 'pipe';
      const started = await backend.start(given, { argv, env, cwd: work, stdin }, { owner });
      started.stdin?.end(input);
      return collect(started);
    },
    close: async () => {
      await backend.close();
      if (opened !== null) await (await opened).close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** All that a process prints, and how it ended. */
export async function collect(started: SandboxProcess): Promise<Ran> {
  const [out, err, end] = await Promise.all([textOf(started.stdout), textOf(started.stderr), started.ended]);
  return { ...end, out, err };
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
