import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { SallyportError } from '../core/index.ts';
import type { SandboxProfile } from './contract.ts';

/**
 * One place inside that something of the host, or a mask, is mounted at. `pin`: a writable folder mounted over itself: the kernel
 * refuses to rename what is a mount point, so nobody moves a cover away together with the folder that holds it.
 */
export interface MountPoint {
  readonly path: string;
  readonly kind: 'write' | 'read' | 'pin' | 'hidden-file' | 'hidden-folder' | 'reserved';
}

/** Mount points of one sandbox, pins included: each costs a quarter of a millisecond, and the kernel has its own limit. */
const MOST_POINTS = 8_192;

/**
 * Every mount point of a profile, parents before children. What covers say holds for everything below them, also for mounts;
 * below a hidden folder there is nothing, and below what is read-only nothing needs to be reserved.
 *
 * @throws SallyportError ISOLATION_UNAVAILABLE: too many
 */
export function mountPoints(profile: SandboxProfile, shown: readonly string[] = []): readonly MountPoint[] {
  const points = new Map<string, MountPoint>();
  const add = (path: string, kind: MountPoint['kind']): void => void points.set(path, { path, kind });
  for (const { path, access } of profile.mounts) add(path, access);
  for (const path of [...profile.runtime, ...shown]) add(path, 'read');
  for (const path of profile.reserved) add(path, 'reserved');
  for (const { path, kind } of readOnlyFirst(profile.covers)) add(path, kind === 'hidden' ? hiddenKind(path) : 'read');
  const settled = settle(byDepth([...points.values()]), profile);
  const all = byDepth([...settled, ...pinsOf(settled)]);
  if (all.length <= MOST_POINTS) return all;
  throw new SallyportError('ISOLATION_UNAVAILABLE', `the profile needs more than ${MOST_POINTS} mount points`);
}

/** Where both are said of one path, the last one counts: hidden. */
const readOnlyFirst = (covers: SandboxProfile['covers']): SandboxProfile['covers'] =>
  [...covers].sort((left, right) => Number(left.kind === 'hidden') - Number(right.kind === 'hidden'));

const hiddenKind = (path: string): MountPoint['kind'] =>
  lstatSync(path).isDirectory() ? 'hidden-folder' : 'hidden-file';

const depthOf = (path: string): number => path.split('/').length;

const byDepth = (points: readonly MountPoint[]): readonly MountPoint[] =>
  [...points].sort((left, right) => depthOf(left.path) - depthOf(right.path) || (left.path < right.path ? -1 : 1));

/** Every path above one, nearest first, without the root. */
function* above(path: string): Generator<string> {
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) yield folder;
}

function settle(points: readonly MountPoint[], { covers }: SandboxProfile): readonly MountPoint[] {
  const hidden = new Set(points.filter(({ kind }) => kind.startsWith('hidden')).map(({ path }) => path));
  const frozen = new Set(covers.map(({ path }) => path));
  return points.flatMap((point): readonly MountPoint[] => {
    const folders = [...above(point.path)];
    if (folders.some((folder) => hidden.has(folder))) return [];
    const isFrozen = folders.some((folder) => frozen.has(folder));
    if (isFrozen && point.kind === 'reserved') return [];
    return [isFrozen && point.kind === 'write' ? { path: point.path, kind: 'read' } : point];
  });
}

/** The folders between a writable mount and every mount point in it. */
function pinsOf(points: readonly MountPoint[]): readonly MountPoint[] {
  const known = new Map(points.map((point) => [point.path, point.kind]));
  const pins = new Set<string>();
  for (const { path } of points) {
    const between: string[] = [];
    for (const folder of above(path)) {
      const kind = known.get(folder);
      if (kind === 'write') for (const pin of between) pins.add(pin);
      if (kind !== undefined) break;
      between.push(folder);
    }
  }
  return [...pins].map((path) => ({ path, kind: 'pin' }));
}
