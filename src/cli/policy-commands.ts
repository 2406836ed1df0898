import { isSallyportError, type JsonValue, parseStrictJson } from '../core/index.ts';
import { explainCall, loadPolicy } from '../gate/index.ts';
import { lockPathOf, neighboursOf, readLock, reviewServer } from '../gateway/index.ts';
import { localUser, namesOfPolicy, readApproval } from '../keeper/index.ts';
import { compilePolicy, type Policy, policySchema, renderExplanation } from '../policy/index.ts';
import { builtInTools } from '../tools/index.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, type Settings, settingsOf } from './settings.ts';

/** `policy check`: loads the policy as `up` would and says what it holds. Every problem is named with its place. */
export async function policyCheck(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const settings = settingsOf(flags);
  const { policy, root } = await loadPolicy(gateSettings(settings));
  const reviews = await reviewApproved(settings, policy, root);
  const tools = [...builtInTools().map(({ name }) => name), ...reviews.flatMap(({ names }) => names)];
  const warnings = [
    ...compilePolicy(policy, { root, tools }).warnings,
    ...reviews.flatMap((review) => review.warnings),
  ];
  const { digest, rules } = policy;
  const approval = approvalOf(settings, digest);
  const text = [
    `${policy.file}: fine, ${rules} rules${settings.embedded ? ' (embedded: no ./sallyport.yaml here)' : ''}`,
    `root ${root}`,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...APPROVALS[approval],
  ];
  const value = { file: policy.file, digest, rules, root, warnings, approval };
  answer(terminal, value, safeLines(text.join('\n')));
  return 0;
}

type Approval = 'none' | 'approved' | 'waits' | 'unreadable';
const APPROVALS: Readonly<Record<Approval, readonly string[]>> = {
  none: [],
  approved: [],
  waits: ['not in force as a whole: what widens waits for `sallyport policy approve`'],
  unreadable: ['what was approved of it cannot be read here, so whether it is in force is not known'],
};

/** Whether this version of the file, or another, was approved. The state of another user's keeper cannot be read. */
function approvalOf({ embedded, state, policyFile }: Settings, digest: string): Approval {
  if (embedded) return 'none';
  try {
    const approved = readApproval(state, namesOfPolicy(policyFile));
    if (approved === null) return 'none';
    return approved.digest === digest ? 'approved' : 'waits';
  } catch (error) {
    if (isSallyportError(error, 'POLICY_APPROVAL')) return 'unreadable';
    throw error;
  }
}

/** The tools of the servers whose definitions are approved, and what is noteworthy about them. */
async function reviewApproved({ policyFile, state }: Settings, policy: Policy, root: string) {
  const lockPath = lockPathOf(policyFile);
  const { servers: lock } = await readLock(lockPath);
  return [...policy.servers.values()].map((rule) => {
    const neighbours = neighboursOf(policy, lock, rule.name);
    const context = { policy, root, control: [lockPath, state], neighbours };
    const { usable, refused, warnings } = reviewServer(rule, lock.get(rule.name)?.tools ?? [], context);
    return {
      names: [...usable.map(({ policyName }) => policyName), ...refused.map(({ name }) => name)],
      warnings: [...refused.map(({ name, reason }) => `${name} cannot be used: ${reason}`), ...warnings],
    };
  });
}

/** `policy explain TOOL JSON`: the whole derivation of a decision; nothing runs, nothing is recorded. 1 for a denial. */
export async function policyExplain(
  terminal: Terminal,
  call: { readonly tool: string; readonly json: string },
  flags: CommonFlags & { readonly principal?: string },
): Promise<number> {
  const settings = settingsOf(flags);
  const explanation = await explainCall(
    { ...gateSettings(settings), tools: builtInTools() },
    { tool: call.tool, args: parseStrictJson(call.json), user: localUser(), agent: flags.principal ?? 'library' },
  );
  answer(terminal, explanation as unknown as JsonValue, safeLines(renderExplanation(explanation).join('\n')));
  return explanation.decision.effect === 'allow' ? 0 : 1;
}

/** `policy schema`: the JSON Schema that policies are checked with, for editors. */
export function policySchemaPrint(terminal: Terminal): number {
  terminal.out(JSON.stringify(policySchema, null, 2));
  return 0;
}
