import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, quoteForMessage, SallyportError } from '../core/index.ts';
import type { Masks, SystemParts } from './bubblewrap-plan.ts';
import type { SandboxProfile } from './contract.ts';
import { type Box, type BoxPlan, openBox } from './gvisor-box.ts';
import { type Bind, type InsideUser, makeRoot, type Place, placesOf, planBinds } from './gvisor-bundle.ts';
import type { Runsc } from './gvisor-program.ts';
import type { SharedParts } from './gvisor-shared.ts';
import { mountPoints } from './mount-points.ts';
import type { OpenRuntimeFolder } from './runtime-folder.ts';
import type { StartTurns } from './start-turns.ts';

/** What every sandbox of a backend is made with. */
export interface GvisorParts {
  readonly runsc: Runsc;
  readonly runtime: OpenRuntimeFolder;
  readonly user: InsideUser;
  /** Of all containers of a backend. */
  readonly turns: StartTurns;
  readonly shared: SharedParts;
}

/** The host's side of a sandbox: its folder, the plan of its mounts, and the placeholders that it needs. */
export interface Ground {
  readonly profile: SandboxProfile;
  /** Starts a container, when it is its turn. @throws SallyportError SANDBOX_FAILED, and the reason of the signal while it waits */
  open(place: Place, options?: OpenOptions): Promise<Box>;
  /** Whether every path is still the object that it was when the ground was laid. */
  isSame(): boolean;
  /** Removes all of it; every container must be gone. */
  clear(): void;
}

/** `signal`: of whoever waits for it. */
type OpenOptions = Pick<BoxPlan, 'abandon' | 'lost'> & { readonly signal?: AbortSignal };

/**
 * Lays the ground for a sandbox over a checked profile. `extra`: further folders that are shown, such as that of a proxy's
 * socket, whose sockets can be connected to.
 * @throws SallyportError SANDBOX_FAILED
 */
export async function layGround(
  parts: GvisorParts,
  profile: SandboxProfile,
  extra: readonly string[],
): Promise<Ground> {
  const { runtime, user, runsc, turns, shared } = parts;
  const folder = runtime.make('gvisor');
  let holds: readonly (() => void)[] = [];
  const clear = (): void => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
    for (const release of holds) release();
  };
  try {
    holds = await holdReserved(runtime, profile.reserved);
    mkdirSync(join(folder, 'state'), { mode: 0o700 });
    const { system, masks } = shared;
    const binds = planBinds(mountPoints(profile, extra), system, masks);
    const root = shared.rootFor(binds) ?? ownRoot(folder, binds, system);
    const stamp = stampOf(binds, masks);
    const isSame = (): boolean => stampOf(binds, masks) === stamp;
    let count = 0;
    const open = async (place: Place, { signal, ...within }: OpenOptions = {}): Promise<Box> => {
      count += 1;
      const bundle = { root, binds, limits: profile.limits, user, place };
      const id = place.kind === 'within' ? `box-${count}` : SANDBOX_ID;
      const plan = { runsc, id, folder, bundle, hostSockets: extra.length > 0, ...within };
      const box = await turns.run(() => openBox(plan), signal);
      if (isSame()) return box;
      // INVARIANT: what was mounted is what was checked, or nothing runs in it.
      box.kill();
      await box.gone;
      throw new SallyportError('SANDBOX_FAILED', 'a path of the profile was replaced while the sandbox started');
    };
    return { profile, open, isSame, clear };
  } catch (error) {
    clear();
    throw error;
  }
}

function ownRoot(folder: string, binds: readonly Bind[], system: SystemParts): string {
  const root = join(folder, 'root');
  makeRoot(root, placesOf(binds), system);
  return root;
}

/** Name of the container that is the sandbox. */
export const SANDBOX_ID = 'sandbox';

async function holdReserved(runtime: OpenRuntimeFolder, paths: readonly string[]): Promise<(() => void)[]> {
  const releases: (() => void)[] = [];
  try {
    for (const path of paths) {
      const leftover = runtime.note('placeholder', path);
      releases.push(() => leftover.done());
      const hold = await runtime.placeholders.hold(path);
      releases.unshift(() => hold.release());
    }
    return releases;
  } catch (error) {
    for (const release of releases) release();
    throw error;
  }
}

/** Which objects the places are, by device and inode: of what is masked, what lies below, not the mask. */
function stampOf(binds: readonly Bind[], masks: Masks): string {
  const seen = binds.map(({ source, path }) => [
    source,
    source === masks.file || source === masks.folder ? path : source,
  ]);
  return canonicalJson(
    seen.map(([source = '', path = '']) => {
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return `${source}:${stat === undefined ? 'none' : `${stat.dev}:${stat.ino}:${stat.mode & 0o170000n}`}`;
    }),
  );
}

/**
 * That whoever programs run as can enter what is shown: as root they run as somebody else.
 * @throws SallyportError SANDBOX_FAILED
 */
export function checkReach({ mounts }: SandboxProfile, { uid, gid }: InsideUser): void {
  if (uid === 0) return;
  for (const { path, access } of mounts) {
    const stat = lstatSync(path);
    const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
    const wanted = stat.isDirectory() ? 0o5 : 0o4;
    if (((stat.mode >> shift) & wanted) === wanted) continue;
    const text = `${quoteForMessage(path)} cannot be ${access === 'write' ? 'used' : 'read'} by user ${uid}, whom programs run as`;
    throw new SallyportError('SANDBOX_FAILED', `${text}: name another one (runAs), or change its owner`);
  }
}
