import { readFileSync } from 'node:fs';
import { quoteForMessage } from '../core/index.ts';
import type { LevelReport, SandboxBackend, SandboxProfile } from './contract.ts';
import type { InsideUser } from './gvisor-bundle.ts';
import type { Runsc } from './gvisor-program.ts';
import { SANDBOX_HOME } from './inside.ts';
import { proveBackend } from './probe.ts';

/** What holds each limit in gVisor. */
export const GVISOR_LIMITS: LevelReport['limits'] = Object.freeze({
  ...{ wallMs: 'watchdog', memoryBytes: 'watchdog', processes: 'rlimit', fileBytes: 'rlimit' },
  ...{ openFiles: 'rlimit', outputBytes: 'watchdog', diskBytes: 'tmpfs, watchdog' },
});

const REMEDY =
  'install runsc (gVisor, 2023 or later: https://gvisor.dev/docs/user_guide/install/), perl and util-linux, or name it by runscPath';

/** As it stands in reports and records. */
export const backendName = ({ version }: Pick<Runsc, 'version'>): string => `runsc ${version} (systrap)`;

/** A report that says why it cannot be used. */
export const unavailableGvisor = (backend: string, reasons: readonly string[]): LevelReport =>
  Object.freeze({
    ...{ level: 'gvisor', available: false, backend, reasons: Object.freeze([...reasons]) },
    ...{ remedy: REMEDY, probe: null, limits: GVISOR_LIMITS },
  });

/**
 * Proves it: what answers inside is gVisor's kernel and not this machine's, and no way out works. `user`: whom programs run as,
 * where that is not us. Never rejects.
 */
export async function proveGvisor(
  runsc: Runsc,
  user: InsideUser | null,
  start: SandboxBackend['start'],
): Promise<LevelReport> {
  const backend = backendName(runsc);
  const [kernel, proof] = await Promise.all([
    askKernel(start).catch((error: unknown) => (error instanceof Error ? error : new Error('it failed'))),
    proveBackend(start, { level: 'gvisor', limits: GVISOR_LIMITS, user, ownKernel: true }),
  ]);
  if (kernel instanceof Error) return unavailableGvisor(backend, [kernel.message]);
  if (!isGvisorKernel(kernel)) {
    return unavailableGvisor(backend, [
      `what answers inside is not gVisor's kernel: ${quoteForMessage(kernel.slice(0, 120))}`,
    ]);
  }
  const { attempts, leaked, digest, reasons } = proof;
  if (reasons.length > 0)
    return Object.freeze({ ...unavailableGvisor(backend, reasons), probe: { attempts, leaked, digest } });
  return Object.freeze({
    ...{ level: 'gvisor', available: true, backend, reasons: Object.freeze([]), remedy: '' },
    ...{ probe: Object.freeze({ attempts, leaked, digest }), limits: GVISOR_LIMITS },
  });
}

const QUESTION_LIMITS: SandboxProfile['limits'] = {
  ...{ wallMs: 20_000, memoryBytes: 0, processes: 32, fileBytes: 1_048_576, openFiles: 256 },
  ...{ outputBytes: 262_144, diskBytes: 0 },
};

/** The version of the kernel inside, and its log. */
async function askKernel(start: SandboxBackend['start']): Promise<string> {
  const profile: SandboxProfile = {
    ...{ mounts: [], covers: [], reserved: [], runtime: [] },
    ...{ limits: QUESTION_LIMITS, egress: null },
  };
  const argv = ['/bin/sh', '-c', 'cat /proc/version && dmesg'] as const;
  const asked = await start(profile, { argv, env: {}, cwd: SANDBOX_HOME, stdin: 'none' }, { owner: null });
  asked.stderr.resume();
  let text = '';
  for await (const chunk of asked.stdout) text += String(chunk);
  await asked.ended;
  return text;
}

/** ATTACKER-CONTROLLED: a program that only claims to be `runsc` may print anything; the attempts of the probe are the proof. */
function isGvisorKernel(said: string): boolean {
  const ours = readFileSync('/proc/version', 'utf8').trim();
  const [version = ''] = said.split('\n');
  return version.startsWith('Linux version ') && version.trim() !== ours && said.includes('Starting gVisor');
}
