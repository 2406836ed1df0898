import { createInterface } from 'node:readline/promises';
import { isSallyportError, type JsonValue, SallyportError } from '../core/index.ts';
import { loadPolicyText, readPolicyFile } from '../gate/index.ts';
import { type ApprovedPolicy, namesOfPolicy, readApproval } from '../keeper/index.ts';
import { comparePolicies, policyFromObject, reachableFolders, renderPolicyChanges } from '../policy/index.ts';
import { renderComparison } from './decision-change.ts';
import { type ActingOperator, receiptJson, receiptText, withActingOperator } from './operator-act.ts';
import type { OperatorFlags } from './operator-key.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { AS_IT_IS_NOW, compareOverLog } from './policy-diff.ts';
import { type CommonFlags, gateSettings, type Settings, settingsOf } from './settings.ts';

export interface PolicyApproveFlags extends CommonFlags, OperatorFlags {
  readonly yes?: boolean;
}

type Loaded = Awaited<ReturnType<typeof loadPolicyText>>;

/** `policy approve`: shows what a change of the policy file widens and narrows, asks, and lets it in. */
export async function policyApprove(terminal: Terminal, flags: PolicyApproveFlags): Promise<number> {
  refuseElsewhere();
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
  readonly written: Loaded;
}

async function approve(
  terminal: Terminal,
  { flags, settings, text, written }: Approving,
  { perform }: ActingOperator,
): Promise<number> {
  const { policyFile: file } = settings;
  const { digest, rules, mode } = written.policy;
  const before = readBefore(terminal, settings);
  if (before?.digest === digest) {
    answer(terminal, { file, digest, approved: true, changes: [] }, 'Nothing waits for approval.');
    return 0;
  }
  const changes = await show(terminal, settings, { before, written });
  if (flags.yes !== true && !(await agreed(file))) {
    terminal.err('Not approved. Nothing was written.');
    return 1;
  }
  const receipt = await perform({ act: 'policy-approve', ...namesOfPolicy(file), digest, text, rules, mode });
  const value = { file, digest, approved: true, changes: changes as unknown as JsonValue, ...receiptJson(receipt) };
  const said = `Approved ${file}: ${digest}. It is recorded, and counts within a second where a gate runs.`;
  answer(terminal, value, safeLines(`${said}${receiptText(receipt)}`));
  return 0;
}

/** An approval is kept in a state folder; that of the keeper which the environment names is not to be reached from here. */
function refuseElsewhere(): void {
  if ((process.env['SALLYPORT_KEEPER'] ?? '') === '') return;
  throw new SallyportError(
    'USAGE',
    'SALLYPORT_KEEPER names a keeper: approve as its user, with --state and without that variable',
  );
}

/** What was approved that cannot be read is no reason to approve nothing: all of the policy is shown then. */
function readBefore(terminal: Terminal, { state, policyFile }: Settings): ApprovedPolicy | null {
  try {
    return readApproval(state, namesOfPolicy(policyFile));
  } catch (error) {
    if (!isSallyportError(error, 'POLICY_APPROVAL')) throw error;
    terminal.err(safeLines(`warning: ${error.message}: everything is shown as new`));
    return null;
  }
}

async function show(
  terminal: Terminal,
  settings: Settings,
  { before, written }: { readonly before: ApprovedPolicy | null; readonly written: Loaded },
) {
  const old = before === null ? null : tryLoad(terminal, before, settings);
  const changes = comparePolicies(old?.policy ?? policyFromObject({ version: 1 }), written.policy);
  terminal.err(safeLines(renderPolicyChanges(changes, settings.policyFile).join('\n')));
  if (old !== null) await showLog(terminal, settings, { old, written });
  return changes;
}

function tryLoad(terminal: Terminal, { text }: ApprovedPolicy, settings: Settings): Loaded | null {
  try {
    return loadPolicyText(text, gateSettings(settings));
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    terminal.err(safeLines(`warning: the approved policy cannot be used any more: ${error.message}`));
    return null;
  }
}

/** A log that is not there, or cannot be read, has no calls to show. */
async function showLog(
  terminal: Terminal,
  { state, policyFile }: Settings,
  { old, written }: { readonly old: Loaded; readonly written: Loaded },
): Promise<void> {
  try {
    const comparison = await compareOverLog({ before: old, after: written, state, lockBeside: policyFile });
    if (comparison.compared === 0) return;
    terminal.err(safeLines(`Recorded calls:\n${renderComparison(comparison)}\n${AS_IT_IS_NOW}`));
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    if (error.code !== 'AUDIT_NOT_FOUND') terminal.err(safeLines(`warning: the log cannot be read: ${error.message}`));
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
