import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

/** The two paths of a policy file. INVARIANT: for the keeper they are texts; its own file system need not have them. */
export interface PolicyNames {
  /** Absolute path that the file is named by. */
  readonly file: string;
  /** Real path of the file where the gate runs. */
  readonly real: string;
}

/** Which approval is asked for. `opening`: a gate opens, so that what the real path has is kept under the name too. */
export interface ApprovalQuestion extends PolicyNames {
  readonly opening?: boolean;
}

/** A policy of the largest size, every character of it escaped. */
const MAX_BYTES = 8 * 1_048_576;

/** Folder of the approved policies in a state folder. */
const approvalsFolder = (state: string): string => join(state, 'policies');

/** The names of a policy file on this machine; of a file that is not there the real path is the path as it is named. */
export function namesOfPolicy(policyFile: string): PolicyNames {
  const file = resolve(policyFile);
  return Object.freeze({ file, real: realOf(file) });
}

/**
 * The files that may hold the approval of a policy file, the one that counts first: by the path as it is named, then by its
 * real path. By name first, so that a link which is turned to another file is a change of the policy and no new policy.
 */
export function approvalFiles(state: string, { file, real }: PolicyNames): readonly string[] {
  return [...new Set([file, real])].map((path) => join(approvalsFolder(state), `${sha256Hex(path)}.json`));
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // what is wrong with the file, reading it says
  }
}

/** What was approved of a policy file, or null if nothing was yet. @throws SallyportError POLICY_APPROVAL */
export function readApproval(state: string, names: PolicyNames): ApprovedPolicy | null {
  for (const path of approvalFiles(state, names)) {
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

/** An approval, and the real path of its file. */
export type NamedApproval = ApprovedPolicy & Pick<PolicyNames, 'real'>;

/** A policy that was never seen. `observes`: it enforces nothing. */
export type FirstApproval = NamedApproval & { readonly observes?: boolean };

/** Keeps an approval in place of the one before, under both names of the file. @throws SallyportError STATE_UNWRITABLE */
export function writeApproval(state: string, approved: NamedApproval): void {
  keep(state, () => {
    for (const path of approvalFiles(state, approved)) place(state, approved, (fresh) => renameSync(fresh, path));
  });
}

/**
 * Takes a policy as approved of which nothing was approved under either name; true if it did. Of two that do so at once, one
 * wins. INVARIANT: it replaces nothing, also not what `policy approve` writes meanwhile.
 * @throws SallyportError STATE_UNWRITABLE
 */
export function writeFirstApproval(state: string, approved: NamedApproval): boolean {
  return keep(state, () => {
    const paths = approvalFiles(state, approved);
    if (paths.some((path) => existsSync(path))) return false;
    return paths.every((path) => {
      let isNew = false;
      place(state, approved, (fresh) => {
        isNew = linkIfFree(fresh, path);
      });
      return isNew;
    });
  });
}

/**
 * Keeps what was approved of the file that a name leads to under that name too: a link that is turned to another file later
 * is then a change. Does nothing where the name has an approval, or nothing was approved.
 * @throws SallyportError STATE_UNWRITABLE
 */
export function keepUnderName(state: string, names: PolicyNames): void {
  const [named, real] = approvalFiles(state, names);
  if (named === undefined || real === undefined) return;
  keep(state, () => {
    if (existsSync(real)) linkIfFree(real, named);
  });
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Writes an approval under a name of its own, and lets it be put in its place. */
function place(state: string, { file, digest, text, approvedAt }: ApprovedPolicy, put: (fresh: string) => void): void {
  const folder = approvalsFolder(state);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fresh = join(folder, `new-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    const approval = JSON.stringify({ version: 1, file, digest, text, approvedAt });
    writeFileSync(fresh, approval, { flag: 'wx', mode: 0o600, flush: true });
    put(fresh);
  } finally {
    rmSync(fresh, { force: true });
  }
}

function keep<T>(state: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    const folder = approvalsFolder(state);
    throw new SallyportError('STATE_UNWRITABLE', `cannot keep the approved policy in ${folder}`, { cause });
  }
}
