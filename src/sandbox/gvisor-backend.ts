import { statSync } from 'node:fs';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import type { BackendParts } from './backend-parts.ts';
import { checkCommand, checkProfile } from './check-profile.ts';
import type {
  LevelReport,
  SandboxBackend,
  SandboxCommand,
  SandboxProcess,
  SandboxProfile,
  StartOptions,
} from './contract.ts';
import type { Box } from './gvisor-box.ts';
import type { InsideUser } from './gvisor-bundle.ts';
import { launch, NO_PROGRAM } from './gvisor-launcher.ts';
import { openWarmPool, type WarmPool } from './gvisor-pool.ts';
import type { Runsc } from './gvisor-program.ts';
import { findRunsc } from './gvisor-program.ts';
import { backendName, GVISOR_LIMITS, proveGvisor, unavailableGvisor } from './gvisor-proof.ts';
import { checkReach, type GvisorParts, layGround } from './gvisor-sandbox.ts';
import { makeShared, type SharedParts } from './gvisor-shared.ts';
import { watchSandbox } from './gvisor-watch.ts';
import { SANDBOX_HOME, SANDBOX_PATH, SANDBOX_TMP } from './inside.ts';
import { madeOnce } from './made-once.ts';
import type { EgressSession } from './parts.ts';
import { proofCache } from './probe-cache.ts';
import { profileDigest } from './profile-digest.ts';
import { openStartTurns, type StartTurns } from './start-turns.ts';
import { supervise } from './supervise.ts';

/** Whom programs run as when we are root and nobody was named: nobody. */
const NOBODY: InsideUser = Object.freeze({ uid: 65_534, gid: 65_534 });
/** Without root, `runsc` maps us, and nobody else, to this user of its own kernel; it has no capability. */
const MAPPED: InsideUser = Object.freeze({ uid: 0, gid: 0 });

/** A start keeps a core busy from its beginning to its end. */
const STARTS_EACH_CORE = 2;

interface Gvisor {
  readonly parts: BackendParts;
  readonly isRoot: boolean;
  readonly user: InsideUser;
  readonly pool: WarmPool;
  readonly turns: StartTurns;
  readonly shared: { get(): Promise<SharedParts> };
  readonly starting: Set<Promise<SandboxProcess>>;
  readonly running: Map<SandboxProcess, string | null>;
  isClosed: boolean;
}

/**
 * Programs on a kernel of their own, written in Go, that no system call of theirs leaves: gVisor (`runsc`), as root and as an
 * ordinary user. A first command of an owner gets a sandbox of its own, later ones a container each in a warm one.
 */
export function openGvisorBackend(parts: BackendParts): SandboxBackend {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? (parts.options.runAs ?? NOBODY) : MAPPED;
  const gvisor: Gvisor = {
    ...{ parts, isRoot, user, pool: openWarmPool(), turns: openStartTurns(STARTS_EACH_CORE) },
    shared: madeOnce(async () => makeShared(await parts.runtime(), user)),
    ...{ starting: new Set(), running: new Map(), isClosed: false },
  };
  const find = findOnce(() => findRunsc(parts.options, isRoot));
  const proofs = proofCache<LevelReport>((report) => report.available);
  const look = async (): Promise<{ report: LevelReport; runsc: Runsc | null }> => {
    if (isRoot && user.uid === 0) return { report: unavailableGvisor('', ['runAs must not be root']), runsc: null };
    const runsc = await find();
    if (!('path' in runsc)) return { report: unavailableGvisor('', runsc), runsc: null };
    const subject = {
      program: runsc.path,
      version: runsc.version,
      uid: isRoot ? user.uid : (process.getuid?.() ?? -1),
    };
    const proveStart: SandboxBackend['start'] = (profile, command, options) =>
      start(gvisor, runsc, null, profile, command, options);
    const prove = (): Promise<LevelReport> => proveGvisor(runsc, isRoot ? user : null, proveStart);
    return { report: await proofs.get(subject, prove), runsc };
  };
  return {
    level: 'gvisor',
    report: async () => (await look()).report,
    start: async (profile, command, options) => {
      const { report, runsc } = await look();
      if (runsc === null || !report.available) {
        const text = `gvisor is not available here: ${[...report.reasons, report.remedy].join('; ')}`;
        throw new SallyportError('ISOLATION_UNAVAILABLE', text);
      }
      return start(gvisor, runsc, report, profile, command, options);
    },
    release: (owner) => gvisor.pool.release(owner),
    close: async () => {
      gvisor.isClosed = true;
      gvisor.turns.close();
      // INVARIANT: who is just starting is stopped like whoever runs: nothing comes after the end.
      await Promise.allSettled(gvisor.starting);
      await Promise.all([...gvisor.running.keys()].map((process) => process.stop(0)));
      await gvisor.pool.close();
    },
  };
}

/** Asks the program about itself again only when it was replaced, or was not usable. */
function findOnce(find: () => ReturnType<typeof findRunsc>): () => ReturnType<typeof findRunsc> {
  let known: { readonly runsc: Runsc; readonly stamp: string } | null = null;
  return async () => {
    if (known !== null && stampOf(known.runsc.path) === known.stamp) return known.runsc;
    const found = await find();
    known = 'path' in found ? { runsc: found, stamp: stampOf(found.path) } : null;
    return found;
  };
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'gone' : [stat.dev, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join(':');
}

type Start = readonly [Runsc, LevelReport | null, ...Parameters<SandboxBackend['start']>];

async function start(gvisor: Gvisor, ...given: Start): Promise<SandboxProcess> {
  if (gvisor.isClosed) throw new SallyportError('SANDBOX_FAILED', 'the sandboxes are closed');
  const starting = startOne(gvisor, ...given);
  gvisor.starting.add(starting);
  return starting.finally(() => gvisor.starting.delete(starting));
}

async function startOne(
  gvisor: Gvisor,
  runsc: Runsc,
  report: LevelReport | null,
  given: SandboxProfile,
  command: SandboxCommand,
  options: StartOptions,
): Promise<SandboxProcess> {
  checkCommand(command);
  options.signal?.throwIfAborted();
  const runtime = await gvisor.parts.runtime();
  const around = { withheld: runtime.withheld, isPlaceholder: runtime.placeholders.isPlaceholder };
  const profile = checkProfile(given, around);
  checkReach(profile, gvisor.user);
  const shared = await gvisor.shared.get();
  const parts: GvisorParts = { runsc, runtime, user: gvisor.user, turns: gvisor.turns, shared };
  const seat = await seatFor(gvisor, parts, profile, options);
  try {
    const started = await startIn(seat, report, runsc, profile, command, options);
    gvisor.running.set(started, options.owner);
    void started.ended.then(() => gvisor.running.delete(started));
    return started;
  } catch (error) {
    seat.box.kill();
    await seat.over;
    throw error;
  }
}

/** A container for one command, and what is cleaned away after it. */
interface Seat {
  readonly box: Box;
  /** The container whose processes hold the memory. */
  readonly sandbox: Box;
  readonly egress: EgressSession | null;
  /** Settles when the container is gone and nothing of it is left. */
  readonly over: Promise<Awaited<Box['gone']>>;
}

async function seatFor(
  gvisor: Gvisor,
  parts: GvisorParts,
  profile: SandboxProfile,
  options: StartOptions,
): Promise<Seat> {
  const { owner } = options;
  // The containers of a sandbox share its network: relays would meet there.
  if (owner === null || profile.egress !== null) return coldSeat(gvisor, parts, profile, options);
  const digest = profileDigest(profile);
  const warm = await gvisor.pool.take(owner, digest);
  if (warm !== null) return { ...warm, egress: null, over: warm.box.gone };
  const seat = await coldSeat(gvisor, parts, profile, options);
  const reservation = gvisor.pool.reserve(owner, digest);
  // Whoever comes back finds a warm one; a server that runs for the whole session does not pay for it.
  void seat.over.then(() => gvisor.pool.warmUp(reservation, () => layGround(parts, profile, [])));
  return seat;
}

async function coldSeat(
  gvisor: Gvisor,
  parts: GvisorParts,
  profile: SandboxProfile,
  { signal }: StartOptions,
): Promise<Seat> {
  const egress = await openEgress(gvisor, parts, profile);
  const clearEgress = async (): Promise<void> => egress?.close();
  const shown = egress === null ? [] : [egress.folder, ...egress.runtime];
  try {
    const ground = await layGround(parts, profile, shown);
    const box = await ground.open({ kind: 'alone' }, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      ground.clear();
      throw error;
    });
    const over = box.gone.then(async (end) => {
      ground.clear();
      await clearEgress();
      return end;
    });
    return { box, sandbox: box, egress, over };
  } catch (error) {
    await clearEgress();
    throw error;
  }
}

/** @throws SallyportError ISOLATION_UNAVAILABLE */
async function openEgress(
  gvisor: Gvisor,
  parts: GvisorParts,
  { egress }: SandboxProfile,
): Promise<EgressSession | null> {
  if (egress === null) return null;
  const open = gvisor.parts.openEgress;
  if (open === null)
    throw new SallyportError('ISOLATION_UNAVAILABLE', 'this program has no proxy to let out what the profile allows');
  const folder = parts.runtime.make('egress');
  return open(egress, { folder, owner: gvisor.isRoot ? gvisor.user : null });
}

async function startIn(
  { box, sandbox, egress, over }: Seat,
  report: LevelReport | null,
  runsc: Runsc,
  profile: SandboxProfile,
  command: SandboxCommand,
  options: StartOptions,
): Promise<SandboxProcess> {
  options.signal?.throwIfAborted();
  const watch = watchSandbox(profile, sandbox.processes);
  const outcome = await launch(box, insideCommand(command, egress));
  if (outcome !== 'started') {
    const code = outcome === NO_PROGRAM ? 'PROGRAM_UNAVAILABLE' : 'SANDBOX_FAILED';
    throw new SallyportError(code, `${quoteForMessage(command.argv[0])} cannot be started: ${outcome}`);
  }
  return supervise(
    {
      ...{ pid: box.pid, stdin: command.stdin === 'pipe' ? box.stdin : null, stdout: box.stdout, stderr: box.stderr },
      ...{ terminate: box.terminate, kill: box.kill, gone: over },
      evidence: {
        ...{ level: 'gvisor', backend: backendName(runsc), profile: profileDigest(profile) },
        ...{ probe: report?.probe?.digest ?? null, limits: GVISOR_LIMITS },
        network: egress === null ? 'none' : 'proxy',
      },
      watch,
    },
    profile.limits,
    options,
  );
}

/** The environment that the contract promises, and the relay in front of the program where there is a door to the network. */
function insideCommand(command: SandboxCommand, egress: EgressSession | null): SandboxCommand {
  const own = { HOME: SANDBOX_HOME, TMPDIR: SANDBOX_TMP };
  const env = { PATH: SANDBOX_PATH, ...command.env, ...own, ...egress?.env };
  if (egress === null) return { ...command, env };
  const { argv0: _dropped, ...rest } = command;
  return { ...rest, env, argv: egress.wrap(command.argv) };
}
