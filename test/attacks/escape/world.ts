import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, release, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { SandboxLimits, SandboxProfile } from '../../../src/sandbox/index.ts';
import { openHost } from './host.ts';
import { runAs, SECRET } from './matrix-user.ts';

/** A workspace with covers, a folder beside it, and what is alive on the host while a program tries to reach it. */
export interface EscapeWorld {
  readonly work: string;
  readonly out: string;
  readonly home: string;
  readonly readOnly: string;
  readonly mark: string;
  /** The compiled attempts; null where there is no compiler. */
  readonly attempts: string | null;
  /** What arrived by UDP. */
  readonly heard: ReadonlySet<string>;
  readonly env: Readonly<Record<string, string>>;
  profile(limits?: Partial<SandboxLimits>): SandboxProfile;
  /** Makes every file and socket as it was at the beginning. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const MATRIX_LIMITS: SandboxLimits = {
  wallMs: 15_000,
  memoryBytes: 512 * 1_048_576,
  processes: 96,
  fileBytes: 64 * 1_048_576,
  openFiles: 256,
  outputBytes: 1_048_576,
  diskBytes: 512 * 1_048_576,
};

const FILES: Readonly<Record<string, string>> = {
  'outside/secret.txt': SECRET,
  'home/.ssh/id_rsa': SECRET,
  'home/.bashrc': '',
  'read-only/file.txt': 'original',
  'work/readme.txt': 'hello',
  'work/.env': `${SECRET} original`,
  'work/secrets/key.txt': SECRET,
  'work/deep/hidden.txt': SECRET,
  'work/.git/config': '[core]\n',
  'work/.git/hooks/sample': '',
};

const own = (path: string): void => {
  if (runAs !== null) chownSync(path, runAs.uid, runAs.gid);
};

/** Not made anew for each attempt: the compiled ones, and the place of the process that stays alive. */
const KEPT_FOLDERS = ['tools', 'steady'];

function fill(base: string): void {
  for (const name of readdirSync(base)) {
    if (!KEPT_FOLDERS.includes(name)) rmSync(join(base, name), { recursive: true, force: true });
  }
  for (const [name, text] of Object.entries(FILES)) {
    const path = join(base, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  symlinkSync('../outside/secret.txt', join(base, 'work/link'));
  const all = readdirSync(base, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !KEPT_FOLDERS.some((kept) => name.startsWith(kept)),
  );
  for (const name of [...all.filter((name) => name !== 'work/link'), '.']) own(join(base, name));
}

function compile(tools: string): string | null {
  const target = join(tools, 'attempts');
  const source = join(import.meta.dirname, 'attempts.c');
  return spawnSync('gcc', ['-O1', '-o', target, source]).status === 0 ? target : null;
}

const profileOf = (base: string, limits: Partial<SandboxLimits>): SandboxProfile => ({
  mounts: [
    { path: join(base, 'work'), access: 'write' },
    { path: join(base, 'read-only'), access: 'read' },
    { path: join(base, 'tools'), access: 'read' },
  ],
  covers: [
    { path: join(base, 'work/.env'), kind: 'hidden' },
    { path: join(base, 'work/secrets'), kind: 'hidden' },
    { path: join(base, 'work/deep/hidden.txt'), kind: 'hidden' },
    { path: join(base, 'work/.git'), kind: 'read-only' },
  ],
  reserved: [join(base, 'work/.mcp.json'), join(base, 'work/deep/.npmrc')],
  runtime: [],
  limits: { ...MATRIX_LIMITS, ...limits },
  egress: null,
});

const readMachineId = (): string =>
  existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'utf8').trim() : '-';

const LEFT_IN = ['/dev/shm', '/tmp', '/var/tmp'];

/** What attempts left in the shared folders of the host, where they got that far. */
function removeLeft(mark: string): void {
  for (const folder of LEFT_IN) {
    const left = readdirSync(folder).filter((name) => name.startsWith(`sallyport-left-${mark}`));
    for (const name of left) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Outside of /tmp, which every sandbox hides anyway. */
function makeBase(): string {
  const base = realpathSync(mkdtempSync('/var/tmp/sallyport-matrix-'));
  chmodSync(base, 0o755);
  for (const name of KEPT_FOLDERS) mkdirSync(join(base, name));
  return base;
}

const environmentOf = (base: string): Record<string, string> => ({
  ...{ PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', WORK: join(base, 'work'), OUT: join(base, 'outside') },
  ...{ REAL_HOME: join(base, 'home'), READ_ONLY: join(base, 'read-only') },
  ...{ HOST_NAME: hostname(), KERNEL: release(), HOST_USER: userInfo().username, MACHINE_ID: readMachineId() },
});

export async function openWorld(): Promise<EscapeWorld> {
  const base = makeBase();
  const attempts = compile(join(base, 'tools'));
  const mark = randomBytes(6).toString('hex');
  const host = await openHost(join(base, 'steady'), mark, attempts);
  const places = {
    ...{ work: join(base, 'work'), out: join(base, 'outside') },
    ...{ home: join(base, 'home'), readOnly: join(base, 'read-only') },
  };
  return {
    ...{ ...places, mark, attempts, heard: host.heard, env: { ...environmentOf(base), ...host.env } },
    profile: (limits = {}) => profileOf(base, limits),
    reset: async () => {
      removeLeft(mark);
      fill(base);
      host.heard.clear();
      await host.openPaths([join(places.out, 'host.sock'), join(places.work, 'left.sock')]);
    },
    close: async () => {
      await host.close();
      removeLeft(mark);
      rmSync(base, { recursive: true, force: true });
    },
  };
}
