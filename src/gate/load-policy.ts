import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SallyportError } from '../core/index.ts';
import { isPolicy, type Policy, parsePolicy, policyFromObject } from '../policy/index.ts';
import type { GateOptions } from './options.ts';
import { readPolicyFile } from './policy-file.ts';

/** A policy and the absolute real path that its relative paths are read against. */
export interface LoadedPolicy {
  readonly policy: Policy;
  readonly root: string;
  /** Absolute path of the file it was read from; null for a policy given as an object. */
  readonly policyFile: string | null;
}

/**
 * Reads the policy of a gate.
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID (detail.problems: file, line, column, message, remedy)
 */
export async function loadPolicy(options: Pick<GateOptions, 'policy' | 'root' | 'policyFile'>): Promise<LoadedPolicy> {
  const { policy: source } = options;
  if (typeof source === 'string') {
    const policyFile = resolve(source);
    return withRoot((await readPolicyFile(policyFile)).policy, policyFile, options.root);
  }
  const policyFile = options.policyFile === undefined ? null : resolve(options.policyFile);
  return withRoot(isPolicy(source) ? source : policyFromObject(source), policyFile, options.root);
}

/**
 * The policy's own `root:`, relative to where the policy lies; else what the caller says; else where the policy lies.
 * @throws SallyportError POLICY_INVALID
 */
export function withRoot(policy: Policy, policyFile: string | null, given: string | undefined): LoadedPolicy {
  const folder = policyFile === null ? process.cwd() : dirname(policyFile);
  const wanted = resolve(folder, policy.root ?? given ?? folder);
  try {
    return { policy, policyFile, root: realpathSync(wanted) };
  } catch (cause) {
    throw new SallyportError('POLICY_INVALID', `the root folder ${wanted} does not exist`, { cause });
  }
}

/**
 * Reads a policy out of the text of a file, as if it stood there now.
 * @throws SallyportError POLICY_INVALID (detail.problems: file, line, column, message, remedy)
 */
export function loadPolicyText(text: string, { policy, root }: { policy: string; root?: string }): LoadedPolicy {
  const policyFile = resolve(policy);
  return withRoot(parsePolicy(text, { file: policyFile }), policyFile, root);
}
