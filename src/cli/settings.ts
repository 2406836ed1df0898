import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultStateFolder } from '../keeper/index.ts';

/** The flags that most commands share. */
export interface CommonFlags {
  readonly policy?: string;
  readonly state?: string;
  readonly json?: boolean;
}

export interface Settings {
  /** Absolute path of the policy in force. */
  readonly policyFile: string;
  /** True when no policy was named and none lies here: the embedded one is used over the current folder. */
  readonly embedded: boolean;
  readonly root: string;
  readonly state: string;
}

/** The policy is the flag, else ./sallyport.yaml, else the embedded one over the current folder. */
export function settingsOf(flags: CommonFlags): Settings {
  const state = resolve(flags.state ?? defaultStateFolder());
  const local = resolve('sallyport.yaml');
  if (flags.policy !== undefined)
    return { policyFile: resolve(flags.policy), embedded: false, root: process.cwd(), state };
  if (existsSync(local)) return { policyFile: local, embedded: false, root: process.cwd(), state };
  return { policyFile: embeddedPolicy(), embedded: true, root: process.cwd(), state };
}

/** The policy that ships with the package; the same place from src/cli and dist/cli. */
const embeddedPolicy = (): string => fileURLToPath(new URL('../../policies/default.yaml', import.meta.url));

/** What `openGate` needs of these settings: `root` counts only for the embedded policy, others name or are their own. */
export function gateSettings(settings: Settings): { policy: string; state: string; root?: string } {
  const { policyFile, state, embedded, root } = settings;
  return embedded ? { policy: policyFile, state, root } : { policy: policyFile, state };
}
