import { dirname } from 'node:path';
import type { SpawnTerms } from '../policy/index.ts';
import { knownControlPaths } from './control-patterns.ts';
import { CONTROL_FILES_ANYWHERE } from './control-table.ts';
import { look } from './folder-contents.ts';
import type { Walked } from './profile-walk.ts';

/** Where control files usually lie in a workspace. A package that is not installed is no control file. */
const USUAL: readonly string[] = knownControlPaths(CONTROL_FILES_ANYWHERE)
  .map(({ path }) => path)
  .filter((path) => !path.startsWith('node_modules/'));

/**
 * What does not exist and must not come into being: control files at their usual places, and what `deniedPaths` name. Of a path
 * whose folders are missing too it is the first that is missing.
 */
export function reservedPlaces(terms: SpawnTerms, found: Walked): readonly string[] {
  const usual = USUAL.map((path) => `${terms.root === '/' ? '' : terms.root}/${path}`);
  const missing = [...usual, ...terms.named].flatMap((path) => firstMissing(path) ?? []);
  return [...new Set(missing)].filter((path) => isWritable(found, dirname(path))).toSorted();
}

/** Null where the path exists, or where a link or a file stands in its way. */
function firstMissing(path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '');
  let at = '';
  for (const part of parts) {
    const parent = at === '' ? '/' : at;
    if (look(parent)?.isDirectory() !== true) return null;
    at = `${at}/${part}`;
    if (look(at) === undefined) return at;
  }
  return null;
}

/** Whether a program could make something in this folder. */
function isWritable({ mounts, covers }: Walked, folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (covers.has(at)) return false;
    const access = mounts.get(at);
    if (access !== undefined) return access === 'write';
    if (at === dirname(at)) return false;
  }
}
