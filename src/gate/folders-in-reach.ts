import { type Policy, reachableFolders } from '../policy/index.ts';
import { shownFolders } from '../sandbox/index.ts';

/** The folders that a call, or a program that one spawns, can reach under a policy. The state folder must lie in none of them. */
export const foldersInReach = (policy: Policy, root: string): readonly string[] => [
  ...reachableFolders(policy, root),
  ...shownFolders(),
];
