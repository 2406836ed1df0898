import { existsSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { SallyportError } from '../core/index.ts';
import { loadPolicy } from '../gate/index.ts';
import { type Policy, policyForCases } from '../policy/index.ts';
import type { PolicyCase } from './case-file.ts';

/** Finds the policy of a case. */
export type FindPolicy = (one: PolicyCase) => Promise<Policy>;

/** One word that is a file name: no separator, no leading dot. ATTACKER-CONTROLLED in cases of a stranger. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;

/**
 * The policies that cases are run under: a file, which is the policy of every case that names none or names it; or a folder,
 * where a case names `NAME` for `NAME.yaml` or `NAME.yml`.
 *
 * @throws SallyportError CASES_INVALID when a case names none that is there; POLICY_UNREADABLE, POLICY_INVALID
 */
export function policiesAt(place: string): FindPolicy {
  const isFolder = existsSync(place) && statSync(place).isDirectory();
  const loaded = new Map<string, Promise<Policy>>();
  return (one) => {
    const file = isFolder ? fileIn(place, one) : onlyFile(place, one);
    const known = loaded.get(file) ?? loadForCases(file);
    loaded.set(file, known);
    return known;
  };
}

function onlyFile(file: string, { policy, place }: PolicyCase): string {
  if (policy === null || policy === basename(file, extname(file))) return resolve(file);
  throw new SallyportError('CASES_INVALID', `${place}: the policy is ${JSON.stringify(policy)}, not this file`);
}

function fileIn(folder: string, { policy, place }: PolicyCase): string {
  if (policy === null)
    throw new SallyportError('CASES_INVALID', `${place}: policy: is missing, and --policies is a folder`);
  const files = NAME.test(policy) ? ['.yaml', '.yml'].map((ending) => join(folder, `${policy}${ending}`)) : [];
  const file = files.find((candidate) => existsSync(candidate));
  if (file !== undefined) return resolve(file);
  throw new SallyportError('CASES_INVALID', `${place}: there is no policy ${JSON.stringify(policy)} in this folder`);
}

/**
 * A policy as cases see it: over the project of the fixture, whatever its `root:`, and with isolation `none` where it states
 * none, because where a tool runs is no part of a case.
 *
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID
 */
export async function loadForCases(file: string): Promise<Policy> {
  return policyForCases((await loadPolicy({ policy: file })).policy);
}
