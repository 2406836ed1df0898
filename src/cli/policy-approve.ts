import { createInterface } from 'node:readline/promises';
import { isSallyportError, type JsonValue, SallyportError } from '../core/index.ts';
import { loadPolicyText, readPolicyFile } from '../gate/index.ts';
import {
  type ApprovedPolicy,
  joinKeeper,
  namesOfPolicy,
  openStateFolder,
  readApproval,
  writeApproval,
} from '../keeper/index.ts';
import { comparePolicies, policyFromObject, reachableFolders, renderPolicyChanges } from '../policy/index.ts';
import { renderComparison } from './decision-change.ts';
import { refuseInside } from './operator-only.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { AS_IT_IS_NOW, compareOverLog } from './policy-diff.ts';
import { type CommonFlags, gateSettings, type Settings, settingsOf } from './settings.ts';

export interface PolicyApproveFlags extends CommonFlags {
  readonly yes?: boolean;
}

type Loaded = Awaited<ReturnType<typeof loadPolicyText>>;

/** `policy approve`: shows what a change of the policy file widens and narrows, asks, and lets it in. */
export async function policyApprove(terminal: Terminal, flags: PolicyApproveFlags): Promise<number> {
  refuseInside();
  refuseElsewhere();
  const settings = settingsOf(flags);
  if (settings.embedded)
    throw new SallyportError('USAGE', 'there is no policy file here: the embedded policy needs no approval');
  const { policyFile } = settings;
  const { text } = await readPolicyFile(policyFile);
  // INVARIANT: what is shown, and what is approved, is this text, whatever becomes of the file meanwhile.
  const written = loadPolicyText(text, gateSettings(settings));
  openStateFolder(settings.state, reachableFolders(written.policy, written.root));
  const before = readBefore(terminal, settings);
  const { digest } = written.policy;
  if (before?.digest === digest) {
    answer(terminal, { file: policyFile, digest, approved: true, changes: [] }, 'Nothing waits for approval.');
    return 0;
  }
  const changes = await show(terminal, settings, { before, written });
  if (flags.yes !== true && !(await agreed(policyFile))) {
    terminal.err('Not approved. Nothing was written.');
    return 1;
  }
  writeApproval(settings.state, { ...namesOfPolicy(policyFile), digest, text, approvedAt: Date.now() });
  const record = await recordApproval(settings, written).catch((cause: unknown) => {
    throw asApproved(cause);
  });
  const value = { file: policyFile, digest, approved: true, changes: changes as unknown as JsonValue, record };
  answer(terminal, value, safeLines(`Approved ${policyFile}: ${digest}. ${SAID[record]}`));
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

/** What went wrong after the approval was written, and that it was. */
function asApproved(cause: unknown): unknown {
  if (!isSallyportError(cause)) return cause;
  return new SallyportError(cause.code, `the approval was written, and could not be recorded here: ${cause.message}`, {
    cause,
  });
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

const SAID = {
  here: 'It is recorded, and counts within a second where a gate runs, else from the next start on.',
  gate: 'The process that has the state takes it over, and records it, within a second if it serves this policy.',
} as const;

/** Whoever has the state records it: a gate that runs when it takes the policy over, else this command. */
async function recordApproval({ state, policyFile }: Settings, { policy, root }: Loaded): Promise<keyof typeof SAID> {
  const { digest, rules, mode } = policy;
  try {
    const keeper = await joinKeeper({ state, reachable: reachableFolders(policy, root), role: 'operator' });
    const detail = { approved: true, by: 'policy approve' };
    try {
      await keeper.policyLoaded({ scope: policyFile, digest, source: policyFile, rules, mode, detail });
    } finally {
      await keeper.close('the policy was approved');
    }
    return 'here';
  } catch (error) {
    if (isSallyportError(error, 'STATE_OWNED')) return 'gate';
    throw error;
  }
}
