import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type CanonicalUrl, type JsonObject, quoteForMessage, SallyportError } from '../core/index.ts';
import type { EgressEvent, SandboxProcess } from '../gate/index.ts';
import type { ServerPackage } from '../policy/index.ts';
import { readNpmLock } from './npm-lock.ts';

/** Runs npm with these arguments in a sandbox; see `openServerSandboxes`. */
export type RunNpm = (run: {
  readonly args: readonly string[];
  readonly folder: string;
  readonly registry: CanonicalUrl;
  readonly internal: boolean;
  readonly egress: (event: EgressEvent) => void;
}) => Promise<{ readonly process: SandboxProcess; readonly level: string }>;

export interface FetchPlan {
  readonly package: ServerPackage;
  readonly registry: CanonicalUrl;
  readonly internal: boolean;
  /** The `package-lock.json` of an earlier installation of this very version: the same is fetched again. */
  readonly npmLock: JsonObject | null;
}

/** The same in every run: no script runs, no configuration is read, nothing is told to anybody. */
const FLAGS = [
  ...['--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev', '--no-bin-links', '--no-update-notifier'],
  ...['--no-progress', '--no-color', '--loglevel=error', '--logs-max=0', '--install-strategy=hoisted'],
  ...['--no-omit-lockfile-registry-resolved', '--fetch-retries=2', '--fetch-retry-mintimeout=500'],
];

/** The arguments of npm for a plan, as they are shown and run; `folder` is the project. */
export function npmArguments({ package: wanted, registry, npmLock }: FetchPlan, folder: string): readonly string[] {
  // Files that are not there: npm refuses one file in both places.
  const noConfiguration = [`--userconfig=${folder}/.user`, `--globalconfig=${folder}/.global`];
  const where = [`--prefix=${folder}`, ...noConfiguration, `--registry=${registry.text}`];
  if (npmLock !== null) return ['ci', ...FLAGS, ...where];
  return ['install', ...FLAGS, '--save-exact', ...where, '--', `${wanted.name}@${wanted.version}`];
}

/**
 * Fetches a package with all that it needs into `folder`/project, where {@link writeProject} wrote; the lock that npm made.
 *
 * @throws SallyportError PACKAGE_INSTALL, PACKAGE_INTEGRITY, PACKAGE_REFUSED, and what `run` throws
 */
export async function fetchPackage(
  plan: FetchPlan,
  folder: string,
  run: RunNpm,
): Promise<{ readonly npmLock: JsonObject; readonly level: string }> {
  const project = join(folder, 'project');
  const refused = new Set<string>();
  const { registry, internal } = plan;
  const egress = ({ ask, allowed }: EgressEvent): void => {
    if (!allowed && refused.size < 20) refused.add(`${ask.host}:${ask.port}`);
  };
  const { process, level } = await run({
    args: npmArguments(plan, project),
    ...{ folder, registry, internal, egress },
  });
  const said = tailOf(process.stderr);
  process.stdout.resume();
  const { status, killedBy } = await process.ended;
  if (status !== 0) throw failure({ status, killedBy, said: said(), refused });
  return { npmLock: readNpmLock(await readFile(join(project, 'package-lock.json'), 'utf8'), registry), level };
}

/** Writes what npm starts from; the paths of the files. @throws SallyportError PACKAGE_REFUSED */
export async function writeProject(
  { package: wanted, npmLock, registry }: FetchPlan,
  project: string,
): Promise<readonly string[]> {
  if (npmLock !== null) readNpmLock(JSON.stringify(npmLock), registry); // npm fetches from where a lock says
  const manifest = { private: true, ...(npmLock === null ? {} : { dependencies: { [wanted.name]: wanted.version } }) };
  const files = [
    ['package.json', manifest] as const,
    ...(npmLock === null ? [] : [['package-lock.json', npmLock] as const]),
  ];
  for (const [name, content] of files) await writeFile(join(project, name), JSON.stringify(content), { flag: 'wx' });
  return files.map(([name]) => join(project, name));
}

const TAIL = 4_096;

function tailOf(stream: Readable): () => string {
  let tail: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk.subarray(-TAIL)]).subarray(-TAIL);
  });
  stream.on('error', () => undefined); // how the program ended says more
  return () => tail.toString('utf8');
}

interface Failed {
  readonly status: number | null;
  readonly killedBy: string | null;
  /** ATTACKER-CONTROLLED, as are the hosts. */
  readonly said: string;
  readonly refused: ReadonlySet<string>;
}

function failure({ status, killedBy, said, refused }: Failed): SallyportError {
  const how =
    killedBy === null ? `npm ended with ${status ?? 'a signal'}` : `npm was ended by its limit of ${killedBy}`;
  const hosts = [...refused].map((host) => quoteForMessage(host, 80)).join(', ');
  const led = hosts === '' ? '' : `; it wanted to connect to ${hosts}, which is not the registry`;
  const told = said.split('\n').filter((line) => !/^npm error\s+(?:at )?\s*$|^npm error\s+at /.test(line));
  const text = told
    .map((line) => line.replace(/^npm error /, '').trim())
    .join(' ')
    .trim();
  const words = text === '' ? '' : `; it wrote: ${quoteForMessage(text, 1_000)}`;
  const code = said.includes('EINTEGRITY') ? 'PACKAGE_INTEGRITY' : 'PACKAGE_INSTALL';
  return new SallyportError(code, `${how}${led}${words}`);
}
