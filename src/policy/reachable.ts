import { bindPathLists } from './path-rule.ts';
import type { Policy } from './policy.ts';

/**
 * The folders that path arguments can reach under a policy (absolute): the root, and the folder of every `allowedPaths`
 * entry, for a glob the folder above its first wildcard. The state folder must lie in none of them.
 */
export function reachableFolders(policy: Policy, root: string): readonly string[] {
  const folders = new Set([root]);
  for (const rule of policy.tools) {
    for (const { folder, glob } of bindPathLists(rule.allowedPaths, [], root).allowed ?? []) {
      if (folder !== null) folders.add(folder);
      else folders.add(folderAbove(glob ?? []));
    }
  }
  return [...folders];
}

/** The folder above the first wildcard of a glob over absolute paths. */
export function folderAbove(glob: readonly ('deep' | { readonly literal: string | null })[]): string {
  const segments: string[] = [];
  for (const segment of glob) {
    if (segment === 'deep' || segment.literal === null) break;
    segments.push(segment.literal);
  }
  return `/${segments.join('/')}`;
}
