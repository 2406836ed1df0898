import { createInterface } from 'node:readline/promises';
import { SallyportError } from '../core/index.ts';
import { type LoadedPolicy, loadPolicy, openServerSandboxes } from '../gate/index.ts';
import {
  approveServer,
  definitionsDigest,
  diffDefinitions,
  fetchDefinitions,
  type Lock,
  lockPathOf,
  neighboursOf,
  openPackages,
  packageState,
  readLock,
  readLockToApprove,
  reviewOffers,
  reviewServer,
  type ServerDefinitions,
  sourceDigest,
  wrapLines,
} from '../gateway/index.ts';
import { reachableFolders, type ServerRule } from '../policy/index.ts';
import { type ActingOperator, receiptJson, receiptText, withActingOperator } from './operator-act.ts';
import type { OperatorFlags } from './operator-key.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, type Settings, settingsOf } from './settings.ts';

/** `servers list`: the servers of the policy and whether their definitions are approved. */
export async function serversList(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const settings = settingsOf(flags);
  const { policy } = await loadPolicy(gateSettings(settings));
  const lock = await readLock(lockPathOf(settings.policyFile));
  const listed = [...policy.servers.values()].map(async (rule) => {
    const locked = lock.servers.get(rule.name);
    const source = sourceDigest(rule, lock.packages.get(rule.name));
    const state = locked === undefined ? 'unapproved' : locked.source === source ? 'approved' : 'changed';
    return {
      name: rule.name,
      state,
      ...(rule.package === null ? {} : { package: await packageState(rule, lock) }),
      tools: locked?.tools.length ?? 0,
      prompts: locked?.prompts.length ?? 0,
      resourceTemplates: locked?.resourceTemplates.length ?? 0,
      how: howOf(rule),
      protocol: locked?.protocol ?? rule.protocol,
    };
  });
  const servers = await Promise.all(listed);
  const lines = servers.map(
    (server) =>
      `${server.name.padEnd(20)} ${server.state.padEnd(10)} ${countsOf(server)}  ${server.how}${'package' in server ? ` (${server.package})` : ''}`,
  );
  answer(terminal, servers, safeLines(lines.join('\n') || 'No servers: the policy has none under servers:.'));
  return 0;
}

/** Lines of definitions that are shown without being asked for: more than these nobody reads by accident. */
const MAX_LINES = 20_000;
const WIDTH = 120;

/** How much of a server's definitions is shown. */
interface ShowFlags extends CommonFlags {
  /** All of it, however much there is. */
  readonly full?: boolean;
}

/** `servers diff NAME`: what the server says now against what was approved. Exits 1 when they differ. */
export async function serversDiff(terminal: Terminal, name: string, flags: ShowFlags): Promise<number> {
  const { locked, current } = await look(terminal, name, settingsOf(flags));
  const lines = diffDefinitions(locked, current);
  const digest = definitionsDigest(current);
  const wrapped = wrapLines(lines, WIDTH);
  const shown = flags.full === true ? wrapped : wrapped.slice(0, MAX_LINES);
  const left = wrapped.length - shown.length;
  const more = left === 0 ? [] : [`… and ${left} more lines: --full shows all`];
  answer(
    terminal,
    { name, approved: locked !== null, digest, changes: [...lines] },
    [...shown, ...more].join('\n') || `${name}: as approved.`,
  );
  return lines.length === 0 && locked !== null ? 0 : 1;
}

type ApproveFlags = ShowFlags & OperatorFlags & { readonly yes?: boolean };

/**
 * `servers approve NAME`: shows all that is new, asks, and pins it in sallyport.lock.
 *
 * @throws SallyportError USAGE when it is more than 20,000 lines and `--full` was not given
 */
export async function serversApprove(terminal: Terminal, name: string, flags: ApproveFlags): Promise<number> {
  const settings = settingsOf(flags);
  const loaded = await loadPolicy(gateSettings(settings));
  ruleOf(loaded, name);
  const use = (operator: ActingOperator): Promise<number> => approve(terminal, { name, flags, settings }, operator);
  const reachable = reachableFolders(loaded.policy, loaded.root);
  return withActingOperator(terminal, { ...flags, state: settings.state }, use, reachable);
}

interface Approving {
  readonly name: string;
  readonly flags: ApproveFlags;
  readonly settings: Settings;
}

async function approve(
  terminal: Terminal,
  { name, flags, settings }: Approving,
  { perform }: ActingOperator,
): Promise<number> {
  const { rule, locked, current, loaded, lock } = await look(terminal, name, settings);
  const lines = wrapLines(diffDefinitions(locked, current), WIDTH);
  // INVARIANT: nothing is approved that was not shown.
  if (lines.length > MAX_LINES && flags.full !== true) {
    throw new SallyportError('USAGE', `what is to be approved has ${lines.length} lines: --full shows them, and asks`);
  }
  const control = [lockPathOf(settings.policyFile), settings.state];
  const { refused, warnings } = reviewServer(rule, current.tools, {
    ...loaded,
    control,
    neighbours: neighboursOf(loaded.policy, lock.servers, name),
  });
  const reviewLines = [
    ...refused.map((tool) => `cannot be used: ${tool.name}: ${tool.reason}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...reviewOffers(rule, current).map((note) => `note: ${note}`),
  ];
  terminal.err(lines.join('\n') || `${name}: nothing changed.`);
  for (const line of reviewLines) terminal.err(safeLines(line));
  if (flags.yes !== true && !(await agreed(name))) {
    terminal.err('Not approved. Nothing was written.');
    return 1;
  }
  const lockPath = lockPathOf(settings.policyFile);
  const receipt = await perform({
    ...{ act: 'server-approve', server: name, digest: definitionsDigest(current), lock: lockPath },
  });
  const entry = await approveServer(rule, current, { lockPath });
  const counts = {
    ...{ tools: entry.tools.length, prompts: entry.prompts.length },
    resourceTemplates: entry.resourceTemplates.length,
  };
  const value = { name, digest: entry.digest, ...counts, lock: lockPath, ...receiptJson(receipt) };
  const said = `Approved ${name}: ${countsOf(counts)}, ${entry.digest}, in ${lockPath}${receiptText(receipt)}`;
  answer(terminal, value, safeLines(said));
  return 0;
}

interface Looked {
  readonly rule: ServerRule;
  readonly locked: ServerDefinitions | null;
  readonly current: ServerDefinitions;
  readonly loaded: LoadedPolicy;
  readonly lock: Lock;
}

async function look(terminal: Terminal, name: string, settings: Settings): Promise<Looked> {
  const loaded = await loadPolicy(gateSettings(settings));
  const rule = ruleOf(loaded, name);
  const lock = await readLockToApprove(lockPathOf(settings.policyFile));
  const packages = openPackages();
  const { command } = await packages.startable(rule, lock, loaded);
  terminal.err(safeLines(`Asking ${name}: ${howOf({ ...rule, command })} …`));
  await using sandboxes = openServerSandboxes(loaded, settings.state);
  const start = async (one: ServerRule) => sandboxes.start(await packages.startable(one, lock, loaded));
  const current = await fetchDefinitions(rule, { start });
  return { rule, locked: lock.servers.get(name) ?? null, current, loaded, lock };
}

function ruleOf({ policy }: LoadedPolicy, name: string): ServerRule {
  const rule = policy.servers.get(name);
  if (rule !== undefined) return rule;
  const known = [...policy.servers.keys()].join(', ') || 'none';
  throw new SallyportError('SERVER_UNKNOWN', `the policy has no server of that name; it has: ${known}`);
}

interface Counts {
  readonly tools: number;
  readonly prompts: number;
  readonly resourceTemplates: number;
}

/** What there is of a server, in a few words: kinds that it has none of are left out, but for tools. */
function countsOf({ tools, prompts, resourceTemplates }: Counts): string {
  const others = [
    ...(prompts === 0 ? [] : [`${prompts} prompts`]),
    ...(resourceTemplates === 0 ? [] : [`${resourceTemplates} templates`]),
  ];
  return [`${tools} tools`, ...others].join(', ');
}

/** How a server is reached: the exact command, untruncated, its package, or its address. */
function howOf({ command, package: wanted, url }: ServerRule): string {
  if (command !== null) return JSON.stringify(command);
  return wanted === null ? (url ?? '') : [`${wanted.name}@${wanted.version}`, ...wanted.args].join(' ');
}

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
