import { createInterface } from 'node:readline/promises';
import { type JsonObject, SallyportError } from '../core/index.ts';
import {
  INSIDE_VARIABLE,
  type LoadedPolicy,
  loadPolicy,
  openServerSandboxes,
  registryOfNpm,
  type ServerNetwork,
  type ServerSandboxes,
} from '../gate/index.ts';
import {
  defaultServersFolder,
  type Installed,
  type InstallPlan,
  installPackage,
  type Lock,
  lockPathOf,
  npmArguments,
  packageState,
  planInstall,
  readLockToApprove,
  removeTree,
  strayTrees,
} from '../gateway/index.ts';
import type { ServerPackage, ServerRule } from '../policy/index.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, settingsOf } from './settings.ts';

export interface InstallFlags extends CommonFlags {
  readonly registry?: string;
  readonly yes?: boolean;
  readonly prune?: boolean;
}

type PackageRule = ServerRule & { readonly package: ServerPackage };

/**
 * `servers install [NAME...]`: shows what is fetched, from where, and what will run; asks; fetches it in a sandbox and pins it in
 * sallyport.lock. `network`: how names are looked up and connections made.
 *
 * @throws SallyportError OPERATOR_ONLY, SERVER_UNKNOWN, USAGE, and those of `installPackage`
 */
export async function serversInstall(
  terminal: Terminal,
  names: readonly string[],
  flags: InstallFlags,
  network: ServerNetwork = {},
): Promise<number> {
  refuseInside();
  const settings = settingsOf(flags);
  const loaded = await loadPolicy(gateSettings(settings));
  const rules = packagesOf(loaded, names);
  const lock = await readLockToApprove(lockPathOf(settings.policyFile));
  const plans = await plansFor(rules, lock, flags.registry ?? null);
  await using sandboxes = openServerSandboxes(loaded, settings.state, network);
  const stray = flags.prune === true ? await straysOf(rules, plans, lock) : [];
  for (const plan of plans) terminal.err(safeLines(describePlan(plan, sandboxes)));
  for (const path of stray) terminal.err(safeLines(`remove ${path}`));
  if (plans.length + stray.length > 0 && flags.yes !== true && !(await agreed())) {
    terminal.err('Nothing was installed.');
    return 1;
  }
  const done: JsonObject[] = [];
  for (const plan of plans) {
    const installed = await install(plan, { loaded, sandboxes, lockPath: lockPathOf(settings.policyFile) });
    terminal.err(safeLines(describeInstalled(plan, installed)));
    done.push(asJson(plan, installed));
  }
  // What was put aside and came back is not stray any more.
  const gone = stray.filter((path) => !done.some(({ folder }) => folder === path));
  for (const path of gone) await removeTree(path);
  const left = rules.filter(({ name }) => !plans.some(({ rule }) => rule.name === name)).map(({ name }) => name);
  answer(terminal, { installed: done, unchanged: left, removed: gone }, safeLines(summaryOf(done, left, gone)));
  return 0;
}

/** A hint and no proof, as in `policy approve`: Sallyport sets the variable for what it spawns. */
function refuseInside(): void {
  if (process.env[INSIDE_VARIABLE] === undefined) return;
  throw new SallyportError('OPERATOR_ONLY', 'this command was started by a tool of an agent');
}

const isPackage = (rule: ServerRule): rule is PackageRule => rule.package !== null;

function packagesOf({ policy }: LoadedPolicy, names: readonly string[]): readonly PackageRule[] {
  const all = [...policy.servers.values()].filter(isPackage);
  if (names.length === 0) return all;
  return [...new Set(names)].map((name) => {
    const rule = all.find((one) => one.name === name);
    if (rule !== undefined) return rule;
    const known = all.map((one) => one.name).join(', ') || 'none';
    throw new SallyportError(
      'SERVER_UNKNOWN',
      `the policy has no server of that name with a package; it has: ${known}`,
    );
  });
}

/** What is installed as it was pinned needs nothing. */
async function plansFor(rules: readonly PackageRule[], lock: Lock, named: string | null): Promise<InstallPlan[]> {
  const plans: InstallPlan[] = [];
  if (rules.length === 0) return plans;
  const registry = { named, ofNpm: await registryOfNpm() };
  for (const rule of rules) {
    const plan = planInstall(rule, lock, registry);
    if ((await packageState(rule, lock)) !== 'installed') plans.push(plan);
  }
  return plans;
}

/** Trees that the lock does not name, or will not name afterwards. */
async function straysOf(rules: readonly PackageRule[], plans: readonly InstallPlan[], lock: Lock): Promise<string[]> {
  const found = rules.map(({ name }) => {
    const plan = plans.find(({ rule }) => rule.name === name);
    const kept = plan === undefined ? lock.packages.get(name)?.tree : plan.tree;
    return strayTrees(defaultServersFolder(), name, kept ?? null);
  });
  return (await Promise.all(found)).flat();
}

function describePlan(plan: InstallPlan, sandboxes: ServerSandboxes): string {
  const { rule, package: wanted, before, expected, registry, tree } = plan;
  const { name, env, spawn, paths } = rule;
  const levels = sandboxes.levelsOf(rule).join(' or ') || 'no isolation stated';
  const was = before === null || before.version === wanted.version ? '' : ` (now ${before.name}@${before.version})`;
  const list = (entries: readonly { readonly text: string }[] = []): string =>
    entries.map(({ text }) => text).join(', ') || 'nothing';
  const reaches = [...(spawn.egress?.entries ?? []), ...(spawn.egress?.internal ?? [])];
  return [
    `${name}: ${wanted.name}@${wanted.version}${was}`,
    `  fetches    npm ${npmArguments(plan, '<folder>').join(' ')}`,
    `  may reach  ${registry.origin} and nothing else; no script of a package runs`,
    `  runs in    ${levels}${levels === 'none' ? ': NOT ISOLATED, it can reach everything that you can' : ''}`,
    `  tarball    ${expected ?? 'not pinned yet: what the registry has now is kept in sallyport.lock'}`,
    `  needs      ${tree === null ? 'packages that were not pinned yet: the newest that fit are kept' : tree}`,
    `then the server may be started, after its approval, as`,
    `  command    node <${wanted.name}: ${wanted.bin ?? 'its program'}> ${JSON.stringify(wanted.args)}`,
    `  runs in    ${levels}; reads ${list(paths?.read)}; writes ${list(paths?.write)}`,
    `  may reach  ${list(reaches)}; variables: ${Object.keys(env).join(', ') || 'none'}`,
  ].join('\n');
}

interface InstallParts {
  readonly loaded: LoadedPolicy;
  readonly sandboxes: ServerSandboxes;
  readonly lockPath: string;
}

const install = (plan: InstallPlan, { loaded, sandboxes, lockPath }: InstallParts): Promise<Installed> =>
  installPackage(plan, {
    ...{ policy: loaded.policy, root: loaded.root, lockPath, serversFolder: defaultServersFolder() },
    run: (run) => sandboxes.install(plan.rule, run),
  });

function describeInstalled({ rule, package: wanted }: InstallPlan, { entry, program, level }: Installed): string {
  const command = JSON.stringify([process.execPath, program, ...wanted.args]);
  return `${rule.name}: installed in ${level}\n  tarball    ${entry.integrity}\n  tree       ${entry.tree}\n  command    ${command}`;
}

function asJson({ rule }: InstallPlan, { entry, tree, program, level }: Installed): JsonObject {
  const { name, version, integrity, registry, tree: digest } = entry;
  return {
    server: rule.name,
    package: name,
    version,
    integrity,
    registry,
    digest,
    folder: tree,
    program,
    isolation: level,
  };
}

function summaryOf(done: readonly JsonObject[], left: readonly string[], stray: readonly string[]): string {
  if (done.length + left.length + stray.length === 0) return 'No packages: the policy has no server with package:.';
  const next = done.map((one) => `Next: sallyport servers approve ${String(one['server'])}`);
  const counts = `${done.length} installed, ${left.length} unchanged, ${stray.length} removed.`;
  return [counts, ...next].join('\n');
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new SallyportError('USAGE', 'nobody can be asked here: look at the output and run it again with --yes');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Fetch this? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}
