import { SallyportError } from '../core/index.ts';
import { allGone, killBoth, readEnd, terminateProgram } from './bubblewrap-end.ts';
import { type BuiltSandbox, buildSandbox, type LaunchParts } from './bubblewrap-launch.ts';
import { limitsHeldBy, openWatch } from './bubblewrap-limits.ts';
import { type Masks, planCommand, planOptions, type SystemParts } from './bubblewrap-plan.ts';
import type { BubblewrapProgram } from './bubblewrap-program.ts';
import { checkCommand, checkProfile } from './check-profile.ts';
import { type Cleanup, openCleanup } from './cleanup.ts';
import type {
  KilledBy,
  SandboxCommand,
  SandboxEnd,
  SandboxEvidence,
  SandboxProcess,
  SandboxProfile,
  StartOptions,
} from './contract.ts';
import { type ControlGroup, type findControlGroups, makeControlGroup } from './control-group.ts';
import { type MountPoint, mountPoints } from './mount-points.ts';
import { type ExpectedMount, holdObject } from './mount-proof.ts';
import type { EgressSession, OpenEgress } from './parts.ts';
import { childrenOf } from './process-tree.ts';
import { profileDigest } from './profile-digest.ts';
import type { OpenRuntimeFolder } from './runtime-folder.ts';
import type { StartTurns } from './start-turns.ts';
import { supervise } from './supervise.ts';

/** What is made once for all sandboxes of a process. */
export interface Workshop {
  readonly program: BubblewrapProgram;
  readonly runtime: OpenRuntimeFolder;
  readonly system: SystemParts;
  readonly masks: Masks;
  /** File with the filter of system calls. */
  readonly filter: string;
  readonly groups: ReturnType<typeof findControlGroups>;
  readonly openEgress: OpenEgress | null;
  readonly turns: StartTurns;
  /** A number for each sandbox. */
  readonly next: () => number;
}

/**
 * Starts one program under bubblewrap. Nothing that was made for it stays behind, also when the start fails.
 * @throws SallyportError SANDBOX_FAILED, ISOLATION_UNAVAILABLE: nothing ran
 */
export async function startBubblewrap(
  shop: Workshop,
  profile: SandboxProfile,
  command: SandboxCommand,
  options: StartOptions,
  probe: string | null,
): Promise<SandboxProcess> {
  options.signal?.throwIfAborted();
  checkCommand(command);
  const { runtime } = shop;
  const around = { withheld: runtime.withheld, isPlaceholder: runtime.placeholders.isPlaceholder };
  const checked = checkProfile(profile, around);
  const cleanup = openCleanup();
  try {
    const parts = await prepare(shop, checked, cleanup);
    return await launch({ shop, profile: checked, command, options, probe, cleanup, ...parts });
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

interface Prepared {
  readonly expected: readonly ExpectedMount[];
  readonly egress: EgressSession | null;
}

async function prepare(shop: Workshop, profile: SandboxProfile, cleanup: Cleanup): Promise<Prepared> {
  const egress = await openDoor(shop, profile, cleanup);
  const points = mountPoints(profile, egress === null ? [] : [egress.folder, ...egress.runtime.filter(isOutsideUsr)]);
  const expected: ExpectedMount[] = [];
  for (const point of points) {
    // A placeholder of another sandbox may stand where a profile sees an ordinary folder: it stays as long as we need it.
    const isReserved = point.kind === 'reserved' || shop.runtime.placeholders.isPlaceholder(point.path);
    if (isReserved) await reserve(shop.runtime, point.path, cleanup);
    const object = holdObject(sourceOf(point, shop.masks));
    cleanup.add(object.close);
    expected.push({ point, object });
  }
  return { expected, egress };
}

const isOutsideUsr = (path: string): boolean => !path.startsWith('/usr/');

async function openDoor(shop: Workshop, { egress }: SandboxProfile, cleanup: Cleanup): Promise<EgressSession | null> {
  if (egress === null) return null;
  if (shop.openEgress === null) {
    throw new SallyportError('ISOLATION_UNAVAILABLE', 'this version has no way to the network for a sandbox');
  }
  const folder = shop.runtime.make('net');
  const { user } = shop.program;
  const owner = process.getuid?.() === user.uid ? null : user;
  const session = await shop.openEgress(egress, { folder, owner });
  cleanup.add(() => session.close());
  return session;
}

async function reserve(runtime: OpenRuntimeFolder, path: string, cleanup: Cleanup): Promise<void> {
  const note = runtime.note('placeholder', path);
  // A placeholder that nobody holds yet is swept like one whose holder died.
  const held = await runtime.placeholders.hold(path).catch((error: unknown) => {
    note.done();
    throw error;
  });
  cleanup.add(() => {
    held.release();
    note.done();
  });
}

function sourceOf({ path, kind }: MountPoint, masks: Masks): string {
  if (kind === 'hidden-file') return masks.file;
  return kind === 'hidden-folder' || kind === 'reserved' ? masks.folder : path;
}

interface Launch extends Prepared {
  readonly shop: Workshop;
  readonly profile: SandboxProfile;
  readonly command: SandboxCommand;
  readonly options: StartOptions;
  readonly probe: string | null;
  readonly cleanup: Cleanup;
}

async function launch(parts: Launch): Promise<SandboxProcess> {
  const { shop, profile, command, options, expected, egress, cleanup } = parts;
  const { program, system, masks } = shop;
  const points = expected.map(({ point }) => point);
  const group = makeGroup(parts);
  const plan: LaunchParts = {
    ...{ program: program.path, shell: program.shell, user: program.user, filter: shop.filter, expected },
    entries: group?.entries ?? [],
    options: planOptions({ profile, points, system, masks, proxyEnv: egress?.env ?? {} }, command),
    command: planCommand(command, profile.limits, egress?.wrap ?? ((argv) => argv)),
    ...{ stdin: command.stdin, signal: options.signal },
  };
  const built = await shop.turns.run(() => buildSandbox(plan), options.signal);
  cleanup.add(() => {
    killBoth(built);
    return allGone(built);
  });
  // As a rule everybody is in it; whoever is not is put there while the program waits.
  for (const pid of [built.outer.pid, built.inner.pid]) group?.add(pid);
  for (const pid of childrenOf(built.inner.pid)) group?.add(pid);
  const kill = (): void => killBoth(built);
  const watch = openWatch({ pid: built.inner.pid, limits: profile.limits, group, expected });
  const gone = goneOf(built, group, cleanup);
  const { stdin, stdout, stderr, outer } = built;
  const evidence = evidenceOf(parts);
  const terminate = (): void => terminateProgram(built);
  const parts2 = { pid: outer.pid, stdin, stdout, stderr, evidence, terminate, kill, gone, watch };
  const running = supervise(parts2, profile.limits, options);
  built.go();
  return running;
}

/** Limits that hold a whole sandbox; null where the machine does not let us have them. */
function makeGroup({ shop, profile, cleanup }: Launch): ControlGroup | null {
  if (shop.groups === null) return null;
  const name = `sallyport-${process.pid}-${shop.next()}`;
  try {
    const group = makeControlGroup(shop.groups, name, profile.limits, shop.runtime);
    cleanup.add(group.remove);
    return group;
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? `: ${cause.code}` : '';
    throw new SallyportError('SANDBOX_FAILED', `the limits of the sandbox cannot be set${why}`, { cause });
  }
}

function evidenceOf({ shop, profile, probe, egress }: Launch): SandboxEvidence {
  return Object.freeze({
    level: 'bubblewrap',
    backend: shop.program.version,
    profile: profileDigest(profile),
    probe,
    limits: limitsHeldBy(shop.groups !== null),
    network: egress === null ? 'none' : 'proxy',
  });
}

async function goneOf(
  built: BuiltSandbox,
  group: ControlGroup | null,
  cleanup: Cleanup,
): Promise<Pick<SandboxEnd, 'status' | 'signal' | 'killedBy'>> {
  const end = await new Promise<Pick<SandboxEnd, 'status' | 'signal'>>((resolve) => {
    const { child } = built;
    if (child.exitCode !== null || child.signalCode !== null) resolve(readEnd(child.exitCode, child.signalCode));
    child.once('exit', (code, signal) => resolve(readEnd(code, signal)));
  });
  await allGone(built);
  const killedBy: KilledBy = group !== null && group.memoryKills() > 0 ? 'memory' : null;
  await cleanup.run();
  return { ...end, killedBy };
}
