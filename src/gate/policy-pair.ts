import { type Clock, canonicalJson, isSallyportError, SallyportError, sha256Hex } from '../core/index.ts';
import { type ApprovedPolicy, checkNotReachable, type Keeper, namesOfPolicy } from '../keeper/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { foldersInReach } from './folders-in-reach.ts';
import { type LoadedPolicy, loadPolicyText, withRoot } from './load-policy.ts';
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
  /** Keeps what was approved; its state folder may be another user's. */
  readonly keeper: Keeper;
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
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID, POLICY_APPROVAL, STATE_EXPOSED, and those of the keeper
 */
export async function readPair(source: PairSource, isFirst: boolean): Promise<PolicyPair> {
  const { policyFile, root, keeper, needsApproval } = source;
  const { policy, text } = await readPolicyFile(policyFile);
  const written = withRoot(policy, policyFile, root);
  checkNotReachable(keeper.state, foldersInReach(policy, written.root));
  if (!needsApproval) return pairOf(written);
  const { approval, isFirstUse } = await approvalOf(
    source,
    { digest: policy.digest, text, observes: policy.mode === 'observe' },
    isFirst,
  );
  if (approval.digest === policy.digest) return Object.freeze({ written, approved: null, isFirstUse });
  return Object.freeze({ written, approved: readApproved(approval, source), isFirstUse });
}

/** Real paths are taken here: the file system of the gate is the one that counts. */
async function approvalOf(
  { policyFile, keeper, clock }: PairSource,
  written: { readonly digest: string; readonly text: string; readonly observes: boolean },
  isFirst: boolean,
): Promise<{ readonly approval: ApprovedPolicy; readonly isFirstUse: boolean }> {
  const names = namesOfPolicy(policyFile);
  const known = await keeper.approvalOf({ ...names, opening: isFirst });
  if (known !== null) return { approval: known, isFirstUse: false };
  if (isFirst) await keeper.approveFirst({ ...names, ...written, approvedAt: clock.now() });
  const approval = isFirst ? await keeper.approvalOf(names) : null;
  if (approval === null) throw new SallyportError('POLICY_APPROVAL', `what was approved of ${policyFile} is gone`);
  return { approval, isFirstUse: true };
}

function readApproved(approval: { readonly text: string; readonly digest: string }, source: PairSource): LoadedPolicy {
  const { policyFile, root, keeper } = source;
  try {
    const loaded = loadPolicyText(approval.text, { policy: policyFile, ...(root === undefined ? {} : { root }) });
    const { policy } = loaded;
    if (policy.digest !== approval.digest) throw new SallyportError('POLICY_APPROVAL', 'its digest is another');
    checkNotReachable(keeper.state, foldersInReach(policy, loaded.root));
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
