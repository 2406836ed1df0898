import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isJsonObject, parseStrictJson, SallyportError, sha256Hex } from '../core/index.ts';

/** What an operator let in: the text of a policy file as it was then. */
export interface ApprovedPolicy {
  /** Absolute path that the file was named by. */
  readonly file: string;
  /** Digest of the policy, as `Policy.digest`. */
  readonly digest: string;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly approvedAt: number;
}

/** A policy of the largest size, every character of it escaped. */
const MAX_BYTES = 8 * 1_048_576;

/** Folder of the approved policies in a state folder. */
const approvalsFolder = (state: string): string => join(state, 'policies');

/**
 * The files that may hold the approval of a policy file, the one that counts first: by the path as it is named, then by its
 * real path. By name first, so that a link which is turned to another file is a change of the policy and no new policy.
 */
export function approvalFiles(state: string, policyFile: string): readonly string[] {
  const named = resolve(policyFile);
  const paths = new Set([named, realOf(named)]);
  return [...paths].map((path) => join(approvalsFolder(state), `${sha256Hex(path)}.json`));
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // what is wrong with the file, reading it says
  }
}

/** What was approved of a policy file, or null if nothing was yet. @throws SallyportError POLICY_APPROVAL */
export function readApproval(state: string, policyFile: string): ApprovedPolicy | null {
  for (const path of approvalFiles(state, policyFile)) {
    const text = readIfThere(path);
    if (text !== null) return parseApproval(text, path);
  }
  return null;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new SallyportError('POLICY_APPROVAL', `cannot read what was approved: ${path}`, { cause });
  }
}

function parseApproval(text: string, path: string): ApprovedPolicy {
  try {
    const value = parseStrictJson(text, { maxBytes: MAX_BYTES, maxDepth: 2 });
    const { file, digest, text: policy, approvedAt } = isJsonObject(value) ? value : {};
    if (typeof file === 'string' && typeof digest === 'string' && typeof policy === 'string') {
      return Object.freeze({ file, digest, text: policy, approvedAt: typeof approvedAt === 'number' ? approvedAt : 0 });
    }
  } catch (cause) {
    throw new SallyportError('POLICY_APPROVAL', `what was approved cannot be read: ${path}`, { cause });
  }
  throw new SallyportError('POLICY_APPROVAL', `what was approved is no approval: ${path}`);
}

/** Keeps an approval in place of the one before, under every name of the file. @throws SallyportError STATE_UNWRITABLE */
export function writeApproval(state: string, approved: ApprovedPolicy): void {
  writeAll(state, approved, (from, to) => renameSync(from, to));
}

/**
 * Takes a policy that nobody approved yet as approved. Of two gates that do so at once, one wins.
 * @throws SallyportError STATE_UNWRITABLE
 */
export function writeFirstApproval(state: string, approved: ApprovedPolicy): void {
  writeAll(state, approved, (from, to) => {
    try {
      linkSync(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  });
}

/**
 * Keeps what was approved of the file that a name leads to under that name too: a link that is turned to another file later
 * is then a change. Does nothing where the name has an approval, or nothing was approved.
 * @throws SallyportError STATE_UNWRITABLE
 */
export function keepUnderName(state: string, policyFile: string): void {
  const [named, real] = approvalFiles(state, policyFile);
  if (named === undefined || real === undefined) return;
  try {
    linkSync(real, named);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOENT') return;
    throw new SallyportError('STATE_UNWRITABLE', `cannot keep the approved policy in ${approvalsFolder(state)}`, {
      cause,
    });
  }
}

function writeAll(state: string, approved: ApprovedPolicy, place: (from: string, to: string) => void): void {
  const folder = approvalsFolder(state);
  const fresh = join(folder, `new-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const path of approvalFiles(state, approved.file)) {
      writeFileSync(fresh, JSON.stringify({ version: 1, ...approved }), { flag: 'wx', mode: 0o600, flush: true });
      try {
        place(fresh, path);
      } finally {
        rmSync(fresh, { force: true });
      }
    }
  } catch (cause) {
    throw new SallyportError('STATE_UNWRITABLE', `cannot keep the approved policy in ${folder}`, { cause });
  }
}
