import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import { entriesIn, look, watchContents } from './folder-contents.ts';

/** Why a path is out of reach: `state` for reading too, `control` and our own `code` for writing. */
export type ControlKind = 'state' | 'control' | 'code';

/** A file or folder to know by its inode. `contents`: what lies below it as well, for it could be hard-linked elsewhere. */
export interface KnownPlace {
  readonly path: string;
  readonly kind: ControlKind;
  readonly contents: boolean;
}

export interface KnownPlaces {
  /** What the operator and the keeper named: looked at whenever a second name is possible. */
  readonly named: readonly KnownPlace[];
  /** The usual places of agents' configurations: a look may be a second old. */
  readonly usual: readonly KnownPlace[];
  /** The workspace and the folders above it, which are no control files whatever links to them. */
  readonly exempt: readonly string[];
}

/** Knows control files by inode, so that a hard link, a bind mount or a link from a hook gives one no other name. */
export interface ControlIdentities {
  /**
   * What an object is; `identities` are those of the folders it lies in and last its own, `links` its number of hard
   * links. A yes is given on a fresh look only: inode numbers are used again after a deletion.
   */
  find(identities: readonly string[], links: number): ControlKind | null;
}

/** `device:inode`, as everywhere in the facts. */
export const identityOf = (stats: BigIntStats): string => `${stats.dev}:${stats.ino}`;

/** A look may be this old where only a mount, or a file with a second name, could have made it wrong. */
const FRESH_MS = 1_000;
/** Entries looked at below a place that is not state: a second line behind the rule on hard links. */
const CONTENT_ENTRIES = 5_000;
/** Entries of the state folder; if there are more, every file with a second name counts as state. */
const STATE_ENTRIES = 200_000;

type Known = ReadonlyMap<string, ControlKind>;

export function knowIdentities({ named, usual, exempt }: KnownPlaces): ControlIdentities {
  const known = keepFresh(() => lookUp([...usual, ...named], exempt));
  const contents = [...named, ...usual]
    .filter((place) => place.contents)
    .map(({ path, kind }) => ({
      kind,
      holds: watchContents(path, kind === 'state' ? STATE_ENTRIES : CONTENT_ENTRIES),
    }));
  return {
    find(identities, links) {
      const hit = hitIn(known.recent(), identities) === null ? null : hitIn(known.now(), identities);
      const own = identities.at(-1);
      if (hit !== null || links <= 1 || own === undefined) return hit;
      const direct = hitIn(lookUp(named, exempt), [own]);
      return direct ?? contents.find(({ kind, holds }) => holds(own) ?? kind === 'state')?.kind ?? null;
    },
  };
}

/** State before control: it forbids more. */
function hitIn(known: Known, identities: readonly string[]): ControlKind | null {
  let found: ControlKind | null = null;
  for (const identity of identities) {
    const kind = known.get(identity);
    if (kind === 'state') return kind;
    found ??= kind ?? null;
  }
  return found;
}

function keepFresh(compute: () => Known): { recent(): Known; now(): Known } {
  let value: Known = new Map();
  let at = Number.NEGATIVE_INFINITY;
  const now = (): Known => {
    value = compute();
    at = performance.now();
    return value;
  };
  return { now, recent: () => (performance.now() - at > FRESH_MS ? now() : value) };
}

/** Links are followed here: a configuration that is a link makes its target the configuration. */
function lookUp(places: readonly KnownPlace[], exempt: readonly string[]): Known {
  const known = new Map<string, ControlKind>();
  const add = (path: string, kind: ControlKind): BigIntStats | undefined => {
    const stats = look(path, statSync);
    if (stats !== undefined && known.get(identityOf(stats)) !== 'state') known.set(identityOf(stats), kind);
    return stats;
  };
  for (const { path, kind, contents } of places) {
    if (!add(path, kind)?.isDirectory() || !contents || kind === 'state') continue;
    for (const entry of entriesIn(path)) if (entry.isSymbolicLink()) add(join(path, entry.name), kind);
  }
  for (const path of exempt) {
    const stats = look(path, statSync);
    if (stats !== undefined) known.delete(identityOf(stats));
  }
  return known;
}
