import { canonicalJson, type IsolationLevel, randomBytes, sha256Hex } from '../core/index.ts';
import type { LevelReport, SandboxBackend } from './contract.ts';
import { attemptsFor, PROBE_LIMITS, type ProbeAttempt } from './probe-attempts.ts';
import { machineFiles, makeProbeFolder, type ProbeFolder, type ProbeUser } from './probe-folder.ts';
import { openProbeHost, type ProbeHost } from './probe-host.ts';
import { PROBE_PROGRAM } from './probe-program.ts';
import { type Launch, launchInside, launchOutside, readResults } from './probe-run.ts';

/** What the probe has to know of a backend. */
export interface ProbeOptions {
  readonly level: IsolationLevel;
  /** What the backend says that holds its limits; those that refuse at once are tried. */
  readonly limits: LevelReport['limits'];
  /** Who its programs run as; null: who we are. */
  readonly user: ProbeUser | null;
  /** Programs see a kernel of the sandbox's own (gVisor), in which a user namespace is no way out. */
  readonly ownKernel: boolean;
}

/** What came of the probe: the backend may be used only when `reasons` is empty. */
export interface ProbeResult {
  /** Attempts that got through outside, so that their failure inside means something. */
  readonly attempts: number;
  readonly leaked: readonly string[];
  /** SHA-256 over the program of the probe, the attempts and their outcome. */
  readonly digest: string;
  /** Why the backend is not proven, a sentence each. */
  readonly reasons: readonly string[];
}

/** What one run of the program achieved. */
interface ProbeRun {
  readonly through: ReadonlySet<string>;
  /** Why it did not run to its end; null when it did. */
  readonly failure: string | null;
}

/** How long a connection is waited for inside, in milliseconds: a live listener on loopback answers at once. */
const CONNECT_MS = 100;
/** How far over its limits the program goes. */
const BEYOND = {
  openFiles: PROBE_LIMITS.openFiles + 16,
  processes: PROBE_LIMITS.processes + 16,
  fileBytes: PROBE_LIMITS.fileBytes * 2,
};

const token = (): string => `sallyport-probe-${randomBytes(16).toString('hex')}`;

/** One run, with files, listeners and canaries of its own, which are gone afterwards. */
async function runProbe(attempts: readonly ProbeAttempt[], user: ProbeUser | null, launch: Launch): Promise<ProbeRun> {
  const words = { canary: token(), abstract: token(), marker: token(), secret: token() };
  const folder = makeProbeFolder(words.canary, user);
  try {
    const host = await openProbeHost(folder.outside, words.abstract, words.marker);
    try {
      folder.writePlan({
        ...words,
        ...BEYOND,
        ...{ outside: folder.outside, inode: folder.inode, tcpPort: host.tcpPort, udpPort: host.udpPort },
        ...{ waitMs: CONNECT_MS, machineFiles: machineFiles(), attempts: attempts.map(({ name }) => name) },
      });
      return await judge(folder, host, await launch(folder, words.secret));
    } finally {
      await host.close();
    }
  } finally {
    folder.remove();
  }
}

/** What the program says is believed when it says that it got through; what it did is seen on the host as well. */
async function judge(folder: ProbeFolder, host: ProbeHost, end: Awaited<ReturnType<Launch>>): Promise<ProbeRun> {
  const results = readResults(end.output);
  const said = [...results].filter(([, outcome]) => outcome === 'true').map(([name]) => name);
  const through = new Set([...said, ...folder.traces(), ...(await host.reached())]);
  const complete = folder.ran() && results.size > 0;
  return { through, failure: complete ? null : (end.failure ?? 'the program of the probe did not run to its end') };
}

/** The attempts whose failure outside shows that the probe itself does not work here. */
function brokenAttempts(attempts: readonly ProbeAttempt[], outside: ProbeRun): readonly string[] {
  return attempts.filter(({ name, sure }) => sure && !outside.through.has(name)).map(({ name }) => name);
}

function reasonsOf(inside: ProbeRun, outside: ProbeRun, broken: readonly string[]): readonly string[] {
  const reasons: string[] = [];
  if (outside.failure !== null) reasons.push(`the probe does not run on this machine: ${outside.failure}`);
  else if (broken.length > 0)
    reasons.push(`the probe proves nothing here: without a sandbox these failed too: ${broken.join(', ')}`);
  if (inside.failure !== null) reasons.push(`the probe did not run inside: ${inside.failure}`);
  if (inside.through.size > 0)
    reasons.push(`attempts to get out got through: ${[...inside.through].sort().join(', ')}`);
  return reasons;
}

/**
 * Proves a backend by attempts: one program tries every way out inside of it, and again without a sandbox, where the attempts
 * must get through. Fails closed: what leaks, does not run, or cannot be shown to work outside leaves a reason. Never rejects.
 */
export async function proveBackend(start: SandboxBackend['start'], options: ProbeOptions): Promise<ProbeResult> {
  const attempts = attemptsFor(options.limits, options.ownKernel);
  const failed = (error: unknown): ProbeRun => ({
    through: new Set(),
    failure: error instanceof Error ? error.message : 'it failed',
  });
  const [inside, outside] = await Promise.all([
    runProbe(attempts, options.user, launchInside(start)).catch(failed),
    runProbe(attempts, options.user, launchOutside(options.user)).catch(failed),
  ]);
  const broken = brokenAttempts(attempts, outside);
  const leaked = [...inside.through].sort();
  const proven = attempts.map(({ name }) => name).filter((name) => outside.through.has(name));
  const evidence = { program: sha256Hex(PROBE_PROGRAM), level: options.level, proven, leaked };
  return {
    ...{ attempts: proven.length, leaked, digest: sha256Hex(canonicalJson(evidence)) },
    reasons: reasonsOf(inside, outside, broken),
  };
}
