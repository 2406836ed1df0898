import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { look } from './folder-contents.ts';

/**
 * Whether a path (absolute, real) lies in a folder that git takes for a repository, whatever its name is: one that holds
 * `HEAD` and `objects/`, or `HEAD` and `commondir`. Looks at every folder above the path.
 */
export function isInGitFolder(real: string): boolean {
  for (let folder = dirname(real); folder !== dirname(folder); folder = dirname(folder)) {
    if (look(join(folder, 'HEAD')) === undefined) continue;
    if (look(join(folder, 'objects')) !== undefined || look(join(folder, 'commondir')) !== undefined) return true;
  }
  return false;
}

/** What a `.git` file (`gitdir: PATH`) of a folder leads to; nothing where `.git` is a folder or is missing. */
export function gitFolderOf(folder: string): readonly string[] {
  const pointer = join(folder, '.git');
  if (look(pointer)?.isFile() !== true) return [];
  try {
    const target = /^gitdir: ([^\r\n]+)/.exec(readFileSync(pointer, 'utf8'))?.[1];
    return target === undefined ? [] : [resolve(folder, target)];
  } catch {
    return [];
  }
}
