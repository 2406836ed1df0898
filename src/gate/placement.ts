import { isSallyportError, type JsonObject, SallyportError } from '../core/index.ts';
import type { Decision, SpawnTerms } from '../policy/index.ts';
import {
  type ChosenLevel,
  profileDigest,
  SANDBOX_HOME,
  type SandboxCommand,
  type SandboxProcess,
  type SandboxProfile,
} from '../sandbox/index.ts';
import { denyBuiltIn } from './deny.ts';
import { type EgressLog, egressDoor, openEgressLog } from './egress-door.ts';
import type { House } from './house.ts';
import { levelsFor, termsFor } from './isolation-facts.ts';
import type { Judgement } from './judge.ts';
import type { PlannedRun } from './planned-run.ts';
import { DEFAULT_SPAWN_LIMITS } from './profile.ts';
import { runtimeFor } from './program-runtime.ts';
import type { SpawnOrigin } from './spawning-sessions.ts';
import { withReads } from './with-reads.ts';

type Denied = Decision & { readonly effect: 'deny' };

/** Where what a call spawns runs: made before the call is admitted, and part of that record. */
export interface Placement {
  readonly chosen: ChosenLevel;
  readonly profile: SandboxProfile;
  /** What the profile was compiled from. */
  readonly terms: SpawnTerms;
  readonly egress: EgressLog;
  /** For the record: level, backend, digest of the profile and what holds each limit. */
  readonly evidence: JsonObject;
}

/**
 * Compiles the sandbox of a call that spawns by itself; null for every other call: a server has its own. What the policy
 * withholds and no profile can keep out is a denial before anything runs.
 */
export async function planPlacement(
  house: House,
  judgement: Judgement,
  run: PlannedRun | null,
): Promise<Placement | Denied | null> {
  const { parsed, decision } = judgement;
  const tool = parsed.registered?.tool;
  if (tool?.runs !== 'spawned' || tool.server !== undefined) return null;
  try {
    return await place(house, judgement, run);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return { ...denyBuiltIn(error.code, error.message), obligations: decision.obligations };
  }
}

async function place(house: House, { parsed, decision }: Judgement, run: PlannedRun | null): Promise<Placement> {
  const { isolation, timeoutMs } = decision.obligations;
  const chosen = await house.sandboxes().choose(levelsFor(house, isolation));
  const terms = termsFor(house, parsed.name);
  if (terms === null) throw new SallyportError('INTERNAL', 'a call without a rule has no sandbox');
  const egress = openEgressLog();
  const limits = {
    ...{ terms, wallMs: timeoutMs || house.limits.upstreamMs, outputBytes: DEFAULT_SPAWN_LIMITS.outputBytes },
  };
  const current = (): typeof terms | null => termsFor(house.latest(), parsed.name);
  const { runtime, reads } = run === null ? NO_RUNTIME : runtimeFor(run.file);
  const profile =
    chosen.level === 'none'
      ? house.profiles.plain(limits)
      : await house.profiles.compile({
          ...{ ...limits, runtime, terms: withReads(terms, reads) },
          egress: egressDoor(house, terms, { current, record: egress.record }),
        });
  return { chosen, profile, terms, egress, evidence: evidenceOf(chosen, profile) };
}

const NO_RUNTIME = { runtime: [], reads: [] };

/** What stands in the record before the program runs. */
export const evidenceOf = ({ level, report }: ChosenLevel, profile: SandboxProfile): JsonObject => ({
  achieved: level,
  backend: report.backend,
  profile: profileDigest(profile),
  probe: report.probe?.digest ?? null,
  limits: { ...report.limits },
});

/** How a program is started in the sandbox of its call. */
export interface SpawnStart {
  readonly stdin?: SandboxCommand['stdin'];
  readonly signal: AbortSignal;
}

/** Starts what was judged, where it was placed: nothing else can be started with it. */
export async function startPlaced(
  house: House,
  placement: Placement,
  run: PlannedRun,
  { principal, surface, tool, stdin = 'none', signal }: SpawnOrigin & SpawnStart,
): Promise<SandboxProcess> {
  const { chosen, profile } = placement;
  const { program } = chosen.level === 'none' ? { program: run.file } : runtimeFor(run.file);
  const { HOME, ...env } = run.env;
  const isPlain = chosen.level === 'none' && HOME !== undefined;
  const command: SandboxCommand = {
    ...{ argv: [program.includes('/') ? pathIn(run.cwd, program) : program, ...run.argv], argv0: run.file },
    ...{ env: isPlain ? { ...env, HOME } : env, cwd: folderIn(profile, chosen, run.cwd), stdin },
  };
  const open = (owner: string, killing: AbortSignal): Promise<SandboxProcess> =>
    house.sandboxes().start(chosen, profile, command, { signal: AbortSignal.any([signal, killing]), owner });
  return house.spawning.start(house, { principal, surface, tool }, placement, open);
}

const pathIn = (cwd: string, program: string): string =>
  program.startsWith('/') ? program : `${cwd}/${program.replace(/^(?:\.\/)+/, '')}`;

/** The folder that was judged, where the program can see it. */
function folderIn({ mounts }: SandboxProfile, { level }: ChosenLevel, cwd: string): string {
  if (level === 'none') return cwd;
  const isSeen = mounts.some(({ path }) => path === cwd || cwd.startsWith(path === '/' ? path : `${path}/`));
  return isSeen ? cwd : SANDBOX_HOME;
}
