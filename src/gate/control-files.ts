import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ControlKind, type KnownPlace, knowIdentities } from './control-identities.ts';
import { knownControlPaths, matchesControlTable } from './control-patterns.ts';
import { CONTROL_FILES_ANYWHERE, CONTROL_FILES_IN_HOME } from './control-table.ts';
import { foldPath } from './folded-path.ts';

/** Where an object is and by which inodes it is reached. */
interface ControlQuestion {
  /** Absolute real path. */
  readonly real: string;
  /** `device:inode` of the folders of `real`, as far as they were looked at, and last of what it names, if it exists. */
  readonly identities: readonly string[];
  /** Number of hard links, 1 for what can have one name only. */
  readonly links: number;
}

/** The files that no tool may write, and the state folder, which no tool may even read (DESIGN section 2). */
export interface ControlFiles {
  /** `state`: out of reach for every use; `control`: out of reach for writing; null: neither. Never throws. */
  judge(question: ControlQuestion): ControlKind | null;
}

export interface ControlFilesOptions {
  /** Absolute real path of the workspace. */
  readonly root: string;
  /** Home folder of the user that agents run as; null if there is none. */
  readonly home: string | null;
  /** The policy file in force; null if the policy is built in or was given as an object. Its lock lies beside it. */
  readonly policyFile: string | null;
  /** Files that the policy names (schemas). */
  readonly policyReads?: readonly string[];
  /** The state folder of the keeper and whatever else it protects: `keeper.protectedPaths`. */
  readonly stateFolders: readonly string[];
}

/** Our own compiled code: who may write it decides everything. */
const OWN_CODE = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/**
 * Answers which paths are control files: by folded real path (letter case, Unicode forms, Windows notations) and by inode
 * (hard links, bind mounts). Costs a few microseconds for a file with one name.
 */
export function watchControlFiles(options: ControlFilesOptions): ControlFiles {
  const named = namedPlaces(options);
  const folded = named.map(({ path, kind }) => ({ path: foldPath(path), kind }));
  const root = segmentsOf(foldPath(options.root));
  const home = options.home === null ? null : segmentsOf(foldPath(realOf(options.home)));
  const identities = knowIdentities({ named, usual: usualPlaces(options), exempt: ancestorsOf(options.root) });

  const byName = (real: string): ControlKind | null => {
    const path = foldPath(real);
    const hit = folded.find((place) => path === place.path || path.startsWith(`${place.path}/`));
    return hit?.kind ?? (matchesControlTable(segmentsOf(path), { root, home }) ? 'control' : null);
  };
  return Object.freeze({
    judge({ real, identities: seen, links }: ControlQuestion): ControlKind | null {
      const name = byName(real);
      return name === 'state' ? name : (identities.find(seen, links) ?? name);
    },
  });
}

/** What the operator and the keeper named: as written and as it really lies. State first: it forbids more. */
function namedPlaces({ home, policyFile, policyReads = [], stateFolders }: ControlFilesOptions): KnownPlace[] {
  const states = home === null ? stateFolders : [...stateFolders, join(home, '.local', 'state', 'sallyport')];
  const files = policyFile === null ? policyReads : [policyFile, lockBeside(policyFile), ...policyReads];
  return [
    ...states.flatMap(bothNames).map((path): KnownPlace => ({ path, kind: 'state', contents: true })),
    ...files.flatMap(bothNames).map((path): KnownPlace => ({ path, kind: 'control', contents: false })),
    ...bothNames(OWN_CODE).map((path): KnownPlace => ({ path, kind: 'control', contents: false })),
  ];
}

/** The usual places of agents' configurations, to be known by inode. */
function usualPlaces({ root, home }: ControlFilesOptions): KnownPlace[] {
  const anywhere = knownControlPaths(CONTROL_FILES_ANYWHERE);
  const inside = (folder: string, known: typeof anywhere): KnownPlace[] =>
    known.map(({ path, contents }): KnownPlace => ({ path: join(folder, path), kind: 'control', contents }));
  const inHome = home === null ? [] : inside(home, [...anywhere, ...knownControlPaths(CONTROL_FILES_IN_HOME)]);
  return [...inside(root, anywhere), ...inHome];
}

const lockBeside = (policyFile: string): string => join(dirname(policyFile), 'sallyport.lock');

const bothNames = (path: string): string[] => [...new Set([resolve(path), realOf(resolve(path))])];

/** The path with its links followed as far as it exists. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realOf(parent), path.slice(parent.length));
  }
}

/** The folder itself and every folder above it. */
const ancestorsOf = (folder: string): string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...ancestorsOf(dirname(folder))];

const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '');
