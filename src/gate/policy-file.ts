import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { DEFAULT_LIMITS, SallyportError } from '../core/index.ts';
import { type Policy, parsePolicy } from '../policy/index.ts';

/** A policy file as it was read, once. */
export interface PolicyText {
  readonly policy: Policy;
  readonly text: string;
}

/** @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID (detail.problems: file, line, column, message, remedy) */
export async function readPolicyFile(file: string): Promise<PolicyText> {
  const bytes = await readBytes(file);
  return { policy: parsePolicy(bytes, { file }), text: bytes.toString('utf8') };
}

/** Reads at most one byte more than a policy may have: a file that grows meanwhile fills no memory. */
async function readBytes(file: string): Promise<Buffer> {
  try {
    // A pipe in its place must not make the gate wait for ever.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) throw new TypeError('not a regular file');
    const buffer = Buffer.alloc(DEFAULT_LIMITS.policyBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return Buffer.from(buffer.subarray(0, length));
  } catch (cause) {
    throw new SallyportError('POLICY_UNREADABLE', `cannot read the policy ${file}`, { cause });
  }
}
