import { createInterface } from 'node:readline/promises';
import { isSallyportError, type JsonValue, SallyportError } from '../core/index.ts';
import { type LoadedPolicy, loadPolicyText, readPolicyFile } from '../gate/index.ts';
import { type ApprovedPolicy, type Keeper, namesOfPolicy } from '../keeper/index.ts';
import { comparePolicies, policyFromObject, reachableFolders, renderPolicyChanges } from '../policy/index.ts';
import { missingApprovers } from './approver-notice.ts';
import { behaviouralDifferences, type CasesFlags } from './behaviour.ts';
import { type ActingOperator, receiptJson, receiptText, withActingOperator } from './operator-act.ts';
import type { OperatorFlags } from './operator-key.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, type Settings, settingsOf } from './settings.ts';

export interface PolicyApproveFlags extends CommonFlags, OperatorFlags, CasesFlags {
  readonly yes?: boolean;
}

/** `policy approve`: shows what a change of the policy file widens and narrows, asks, and lets it in. */
export async function policyApprove(terminal: Terminal, flags: PolicyApproveFlags): Promise<number> {
  const settings = settingsOf(flags);
  if (settings.embedded)
    throw new SallyportError('USAGE', 'there is no policy file here: the embedded policy needs no approval');
  const { text } = await readPolicyFile(settings.policyFile);
  // INVARIANT: what is shown, and what is approved, is this text, whatever becomes of the file meanwhile.
  const written = loadPolicyText(text, gateSettings(settings));
  const reachable = reachableFolders(written.policy, written.root);
  const use = (operator: ActingOperator): Promise<number> =>
    approve(terminal, { flags, settings, text, written }, operator);
  return withActingOperator(terminal, { ...flags, state: settings.state }, use, reachable);
}

interface Approving {
  readonly flags: PolicyApproveFlags;
  readonly settings: Settings;
  readonly text: string;
  readonly written: LoadedPolicy;
}

async function approve(terminal: Terminal, approving: Approving, { keeper, perform }: ActingOperator): Promise<number> {
  const { flags, settings, text, written } = approving;
  const { policyFile: file } = settings;
  const { digest, rules, mode } = written.policy;
  const before = await readBefore(terminal, keeper, file);
  for (const line of missingApprovers(written.policy, await keeper.operators())) {
    terminal.err(safeLines(`warning: ${line}`));
  }
  if (before?.digest === digest) {
    answer(terminal, { file, digest, approved: true, changes: [] }, 'Nothing waits for approval.');
    return 0;
  }
  const shown = await show(terminal, approving, before);
  if (flags.yes !== true && !(await agreed(file))) {
    terminal.err('Not approved. Nothing was written.');
    return 1;
  }
  const receipt = await perform({ act: 'policy-approve', ...namesOfPolicy(file), digest, text, rules, mode });
  const value = { file, digest, approved: true, ...shown, ...receiptJson(receipt) };
  const said = `Approved ${file}: ${digest}. It is recorded, and counts within a second where a gate runs.`;
  answer(terminal, value, safeLines(`${said}${receiptText(receipt)}`));
  return 0;
}

/** What was approved that cannot be read is no reason to approve nothing: all of the policy is shown then. */
async function readBefore(terminal: Terminal, keeper: Keeper, file: string): Promise<ApprovedPolicy | null> {
  try {
    return await keeper.approvalOf(namesOfPolicy(file));
  } catch (error) {
    if (!isSallyportError(error, 'POLICY_APPROVAL')) throw error;
    terminal.err(safeLines(`warning: ${error.message}: everything is shown as new`));
    return null;
  }
}

async function show(terminal: Terminal, { flags, settings, written }: Approving, before: ApprovedPolicy | null) {
  const old = before === null ? null : tryLoad(terminal, before, settings);
  const nothing = policyFromObject({ version: 1 });
  const changes = comparePolicies(old?.policy ?? nothing, written.policy);
  terminal.err(safeLines(renderPolicyChanges(changes, settings.policyFile).join('\n')));
  const pair = { before: old ?? { ...written, policy: nothing }, after: written };
  const differences = await behaviouralDifferences(terminal, pair, { settings, flags });
  return { changes: changes as unknown as JsonValue, differences };
}

function tryLoad(terminal: Terminal, { text }: ApprovedPolicy, settings: Settings): LoadedPolicy | null {
  try {
    return loadPolicyText(text, gateSettings(settings));
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    terminal.err(safeLines(`warning: the approved policy cannot be used any more: ${error.message}`));
    return null;
  }
}

async function agreed(file: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new SallyportError('USAGE', 'nobody can be asked here: look at the output and run it again with --yes');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(safeLines(`Approve this policy in ${file}? [y/N] `))).trim());
  } finally {
    terminal.close();
  }
}
