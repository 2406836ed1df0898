import { createInterface } from 'node:readline/promises';
import { SallyportError } from '../core/index.ts';
import { type LoadedPolicy, loadPolicy } from '../gate/index.ts';
import {
  approveServer,
  definitionsDigest,
  diffDefinitions,
  fetchDefinitions,
  lockPathOf,
  readLock,
  readLockToApprove,
  reviewServer,
  type ServerDefinitions,
  sourceDigest,
} from '../gateway/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, type Settings, settingsOf } from './settings.ts';

/** `servers list`: the servers of the policy and whether their definitions are approved. */
export async function serversList(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const settings = settingsOf(flags);
  const { policy } = await loadPolicy(gateSettings(settings));
  const lock = await readLock(lockPathOf(settings.policyFile));
  const servers = [...policy.servers.values()].map((rule) => {
    const locked = lock.get(rule.name);
    const state = locked === undefined ? 'unapproved' : locked.source === sourceDigest(rule) ? 'approved' : 'changed';
    return {
      name: rule.name,
      state,
      tools: locked?.tools.length ?? 0,
      how: howOf(rule),
      protocol: locked?.protocol ?? rule.protocol,
    };
  });
  const lines = servers.map(
    ({ name, state, tools, how }) => `${name.padEnd(20)} ${state.padEnd(10)} ${tools} tools  ${how}`,
  );
  answer(terminal, servers, safeLines(lines.join('\n') || 'No servers: the policy has none under servers:.'));
  return 0;
}

/** `servers diff NAME`: what the server says now against what was approved. Exits 1 when they differ. */
export async function serversDiff(terminal: Terminal, name: string, flags: CommonFlags): Promise<number> {
  const { locked, current } = await look(terminal, name, settingsOf(flags));
  const lines = diffDefinitions(locked, current);
  const digest = definitionsDigest(current);
  answer(
    terminal,
    { name, approved: locked !== null, digest, changes: [...lines] },
    lines.join('\n') || `${name}: as approved.`,
  );
  return lines.length === 0 && locked !== null ? 0 : 1;
}

/** `servers approve NAME`: shows what is new, asks, and pins it in sallyport.lock. */
export async function serversApprove(
  terminal: Terminal,
  name: string,
  flags: CommonFlags & { yes?: boolean },
): Promise<number> {
  const settings = settingsOf(flags);
  const { rule, locked, current, loaded } = await look(terminal, name, settings);
  const lines = diffDefinitions(locked, current);
  const control = [lockPathOf(settings.policyFile), settings.state];
  const { refused, warnings } = reviewServer(rule, current.tools, { ...loaded, control });
  const reviewLines = [
    ...refused.map((tool) => `cannot be used: ${tool.name}: ${tool.reason}`),
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
  terminal.err(lines.join('\n') || `${name}: nothing changed.`);
  for (const line of reviewLines) terminal.err(safeLines(line));
  if (flags.yes !== true && !(await agreed(name))) {
    terminal.err('Not approved. Nothing was written.');
    return 1;
  }
  const lockPath = lockPathOf(settings.policyFile);
  const entry = await approveServer(rule, current, { lockPath });
  const value = { name, digest: entry.digest, tools: entry.tools.length, lock: lockPath };
  answer(terminal, value, safeLines(`Approved ${name}: ${entry.tools.length} tools, ${entry.digest}, in ${lockPath}`));
  return 0;
}

interface Looked {
  readonly rule: ServerRule;
  readonly locked: ServerDefinitions | null;
  readonly current: ServerDefinitions;
  readonly loaded: LoadedPolicy;
}

async function look(terminal: Terminal, name: string, settings: Settings): Promise<Looked> {
  const loaded = await loadPolicy(gateSettings(settings));
  const rule = ruleOf(loaded, name);
  terminal.err(safeLines(`Asking ${name}: ${howOf(rule)} …`));
  const lock = await readLockToApprove(lockPathOf(settings.policyFile));
  const current = await fetchDefinitions(rule, { root: loaded.root });
  return { rule, locked: lock.get(name) ?? null, current, loaded };
}

function ruleOf({ policy }: LoadedPolicy, name: string): ServerRule {
  const rule = policy.servers.get(name);
  if (rule !== undefined) return rule;
  const known = [...policy.servers.keys()].join(', ') || 'none';
  throw new SallyportError('SERVER_UNKNOWN', `the policy has no server of that name; it has: ${known}`);
}

/** How a server is reached: the exact command, untruncated, or its address. */
const howOf = ({ command, url }: ServerRule): string => (command === null ? (url ?? '') : JSON.stringify(command));

async function agreed(name: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new SallyportError('USAGE', 'nobody can be asked here: look at the output and run it again with --yes');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`Approve these definitions of ${name}? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
