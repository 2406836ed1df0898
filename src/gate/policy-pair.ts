import { resolve } from 'node:path';
import { type Clock, canonicalJson, isSallyportError, SallyportError, sha256Hex } from '../core/index.ts';
import { openStateFolder } from '../keeper/index.ts';
import { reachableFolders, type ServerRule } from '../policy/index.ts';
import { type LoadedPolicy, loadPolicyText, withRoot } from './load-policy.ts';
import { keepUnderName, readApproval, writeFirstApproval } from './policy-approval.ts';
import { readPolicyFile } from './policy-file.ts';

/** What is enforced: the policy as it is written now and, where that is another one, the one that was approved. */
export interface PolicyPair {
  readonly written: LoadedPolicy;
  /** `null`: nothing waits for approval. */
  readonly approved: LoadedPolicy | null;
  /** The file was seen for the first time, and is taken as approved for that. */
  readonly isFirstUse: boolean;
}

export interface PairSource {
  /** Absolute path of the policy file. */
  readonly policyFile: string;
  readonly root: string | undefined;
  /** Real path of the state folder. */
  readonly state: string;
  readonly clock: Clock;
  /** `false`: what is written is enforced, whatever was approved. */
  readonly needsApproval: boolean;
}

/** A policy that has no file, or whose file is not watched. */
export const pairOf = (written: LoadedPolicy): PolicyPair =>
  Object.freeze({ written, approved: null, isFirstUse: false });

/**
 * Reads a policy file, once, and what was approved of it. `isFirst`: a policy of which nothing was approved yet is taken as
 * approved; never while a gate is open, for then an approval that is gone was taken away.
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID, POLICY_APPROVAL, STATE_EXPOSED, STATE_UNWRITABLE
 */
export async function readPair(source: PairSource, isFirst: boolean): Promise<PolicyPair> {
  const { policyFile, root, state, clock, needsApproval } = source;
  const { policy, text } = await readPolicyFile(policyFile);
  const written = withRoot(policy, policyFile, root);
  checkState(state, reachableFolders(policy, written.root));
  if (!needsApproval) return pairOf(written);
  if (isFirst) keepUnderName(state, policyFile);
  const known = readApproval(state, policyFile);
  if (known === null && isFirst) {
    const { digest } = policy;
    writeFirstApproval(state, { file: resolve(policyFile), digest, text, approvedAt: clock.now() });
  }
  const approval = known ?? readApproval(state, policyFile);
  if (approval === null) throw new SallyportError('POLICY_APPROVAL', `what was approved of ${policyFile} is gone`);
  const isFirstUse = known === null;
  if (approval.digest === policy.digest) return Object.freeze({ written, approved: null, isFirstUse });
  return Object.freeze({ written, approved: readApproved(approval, source), isFirstUse });
}

/** The approvals lie in the state folder, so that a keeper of another user cannot be asked for them. */
function checkState(state: string, reachable: readonly string[]): void {
  try {
    openStateFolder(state, reachable);
  } catch (cause) {
    if (!isSallyportError(cause, 'STATE_PERMISSIONS') && !isSallyportError(cause, 'STATE_UNWRITABLE')) throw cause;
    const message = `${cause.message}; where the keeper is another user's, only policyChanges: 'ignore' works (docs/keeper.md)`;
    throw new SallyportError(cause.code, message, { cause });
  }
}

function readApproved(approval: { readonly text: string; readonly digest: string }, source: PairSource): LoadedPolicy {
  const { policyFile, root, state } = source;
  try {
    const loaded = loadPolicyText(approval.text, { policy: policyFile, ...(root === undefined ? {} : { root }) });
    const { policy } = loaded;
    if (policy.digest !== approval.digest) throw new SallyportError('POLICY_APPROVAL', 'its digest is another');
    openStateFolder(state, reachableFolders(policy, loaded.root));
    return loaded;
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    const message = `the approved policy of ${policyFile} cannot be used: ${cause.message}`;
    throw new SallyportError('POLICY_APPROVAL', message, { cause });
  }
}

/** What the keeper knows the pair by. */
export const digestOfPair = ({ written, approved }: PolicyPair): string =>
  approved === null
    ? written.policy.digest
    : sha256Hex(canonicalJson(['meet', written.policy.digest, approved.policy.digest]));

/**
 * The servers of a pair: those that both policies start or reach in the same way, with the shorter time limit. What is added
 * or changed waits, what is removed is gone.
 */
export function serversOfPair({ written, approved }: PolicyPair): ReadonlyMap<string, ServerRule> {
  if (approved === null) return written.policy.servers;
  const common = new Map<string, ServerRule>();
  for (const [name, rule] of written.policy.servers) {
    const other = approved.policy.servers.get(name);
    if (other === undefined || startOf(rule) !== startOf(other)) continue;
    const limits = [rule.timeoutMs, other.timeoutMs].filter((limit) => limit !== null);
    common.set(name, Object.freeze({ ...rule, timeoutMs: limits.length === 0 ? null : Math.min(...limits) }));
  }
  return common;
}

/** Everything about a server but where it stands in the file and how long it may take. */
function startOf(rule: ServerRule): string {
  const { rule: _place, timeoutMs: _limit, ...start } = rule;
  return JSON.stringify(start, (key, value: unknown) => (key === 'rule' ? undefined : value));
}
