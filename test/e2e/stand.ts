import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openServerSandboxes, type SandboxProcess } from '../../src/gate/index.ts';
import { policyFromObject, type ServerActions, type ServerRule } from '../../src/policy/index.ts';

/** Path of a script under `test/e2e/servers`. */
export const serverScript = (name: string): string => fileURLToPath(new URL(`./servers/${name}`, import.meta.url));

/** What a server may do besides its tools when the policy says nothing. */
export const NO_ACTIONS: ServerActions = {
  ...{ resources: [], prompts: [], completion: null, subscriptions: null, tasks: null },
  ...{ sampling: null, elicitation: null, roots: null, logging: null },
};

/** What the policy says about a process when it says nothing. */
const NOTHING_SAID: ServerRule['spawn'] = {
  limits: { memoryBytes: null, processes: null, outputBytes: null, openFiles: null, fileBytes: null, diskBytes: null },
  egress: null,
};

/** A server of the policy, as the policy reads it. */
export function serverRule(name: string, rule: Partial<ServerRule>): ServerRule {
  return {
    name,
    command: null,
    package: null,
    url: null,
    isolation: ['none'],
    protocol: '2025-11-25',
    env: {},
    timeoutMs: null,
    spawn: NOTHING_SAID,
    paths: null,
    maxOutput: null,
    actions: NO_ACTIONS,
    breaker: null,
    expose: 'prefixed',
    allowSuspicious: [],
    rule: { id: `servers.${name}` },
    ...rule,
  };
}

/** Starts the program of a server without a sandbox, in a folder. */
export const startIn =
  (root: string) =>
  (rule: ServerRule): Promise<SandboxProcess> => {
    const policy = policyFromObject({
      version: 1,
      servers: { [rule.name]: { command: rule.command, env: rule.env, isolation: 'none' } },
    });
    return openServerSandboxes({ policy, policyFile: null, root }, join(tmpdir(), 'no-state')).start(rule);
  };

/** The hostile server in one of its modes. */
export const hostile = (mode: string, argument = '', rule: Partial<ServerRule> = {}): ServerRule =>
  serverRule('hostile', { command: [process.execPath, serverScript('hostile.mjs'), mode, argument], ...rule });

/** Runs `use` in a folder of its own, which is gone afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-e2e-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A server script that listens over HTTP and prints its port. */
export interface ListeningServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a script of `test/e2e/servers`, or a program by its path, and waits until it says where it listens. */
export async function listeningServer(script: string, ...args: readonly string[]): Promise<ListeningServer> {
  const child = spawn(process.execPath, [serverScript(script), ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  const [port] = (await once(lines, 'line')) as [string];
  const ended = once(child, 'exit');
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
