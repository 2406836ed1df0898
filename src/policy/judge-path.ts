import { quoteForMessage, remedyOf } from '../core/index.ts';
import type { PathFacts, PathReading, PathTrouble, PathUse } from './facts.ts';
import { confirm, deny, type Finding, listSome, stronger, type Trace, traced } from './finding.ts';
import { findAllowed, findDenied, type PathLists } from './path-rule.ts';
import { type PathTarget, readTarget, readTargets } from './path-target.ts';
import { percentReadings } from './percent.ts';
import type { PolicyEntry } from './policy.ts';
import { findSelfRunning, namesSelfRunning } from './self-running.ts';

/** The lists that judge the paths of one tool and use: its own, and those of the rule that the use names. */
export interface PathJudges {
  readonly use: PathUse;
  /** Whose `allowedPaths` count: the tool's own where it has some; null when neither has. */
  readonly allow: PathLists | null;
  /** Whose `deniedPaths` count: all of them. */
  readonly deny: readonly PathLists[];
  /** Id of the rule that a path outside of every entry is denied by. */
  readonly allowRule: { readonly id: string; readonly file?: string; readonly line?: number };
}

interface PathCall {
  readonly judges: PathJudges;
  readonly facts: PathFacts;
  readonly root: string;
  readonly targets: readonly PathTarget[];
}

type PathCheck = readonly [name: string, check: (call: PathCall) => Finding | null, passed: (call: PathCall) => string];

/** In this order: what no policy can lift, then what the policy denies, then what it allows, then what needs a yes. */
const CHECKS: readonly PathCheck[] = [
  ['kernel files', judgeKernelFile, () => 'not in /proc, /sys or /dev'],
  ['control files', judgeControlFile, () => 'no control file'],
  ['kind', judgeKind, ({ facts }) => facts.kind],
  ['percent-encoding', judgePercent, () => 'no other path when decoded'],
  ['denied paths', judgeDenied, () => 'no entry denies it'],
  ['allowed paths', judgeAllowed, ({ judges, facts }) => `allowed by ${allowingEntry(judges, facts)?.rule.id ?? ''}`],
  ['self-running files', judgeSelfRunning, () => 'does not run by itself, or is named'],
  ['hard links', judgeHardLinks, () => 'one name'],
];

/** Judges one path argument. ATTACKER-CONTROLLED: `reading.given`, and what the links on the disk make of it. */
export function judgePath(judges: PathJudges, reading: PathReading, root: string, trace: Trace): Finding | null {
  if ('trouble' in reading) return judgeTrouble(reading, trace);
  const call = { judges, facts: reading, root, targets: readTargets(reading, root) };
  if (trace !== null) return explainPath(call, trace);
  let found: Finding | null = null;
  for (const [, check] of CHECKS) {
    found = stronger(found, check(call));
    if (found?.effect === 'deny') return found;
  }
  return found;
}

/**
 * Whether a path is one that nobody may read through us: kernel files, the state folder, what `deniedPaths` withhold.
 * Says nothing about whether it is allowed. `judges`: those of `file_read`, where the policy has a rule for it.
 */
export function judgeWithheld(judges: PathJudges | null, reading: PathReading, root: string): Finding | null {
  if ('trouble' in reading) return judgeTrouble(reading, null);
  const lists: PathJudges = judges ?? { use: 'file_read', allow: null, deny: [], allowRule: { id: 'builtin' } };
  const call = { judges: lists, facts: reading, root, targets: readTargets(reading, root) };
  return [judgeKernelFile, judgeControlFile, judgeKind, judgePercent, judgeDenied].reduce<Finding | null>(
    (found, check) => found ?? check(call),
    null,
  );
}

function judgeTrouble({ given, trouble }: PathTrouble, trace: Trace): Finding | null {
  const subject = quoteForMessage(given);
  const finding = deny(trouble, `${subject} cannot be used as a path: ${remedyOf(trouble)}`);
  return traced(trace, 'path', subject, finding, '');
}

/** The same checks, all of them, each noted. */
function explainPath(call: PathCall, trace: NonNullable<Trace>): Finding | null {
  const subject = quoteForMessage(call.facts.given);
  trace.push(describeReading(subject, call.facts));
  let found: Finding | null = null;
  for (const [name, check, passed] of CHECKS) {
    found = stronger(found, traced(trace, `path: ${name}`, subject, check(call), passed(call)));
  }
  return found;
}

const describeReading = (subject: string, { lexical, real, kind, links }: PathFacts): NonNullable<Trace>[number] => ({
  check: 'path',
  subject,
  effect: 'allow',
  rule: null,
  detail: `as text ${quoteForMessage(lexical, 400)}, real path ${quoteForMessage(real, 400)}, ${kind}, ${links} hard links`,
});

const KERNEL_FOLDERS = ['/proc', '/sys', '/dev'];

function judgeKernelFile({ facts: { given, lexical, real } }: PathCall): Finding | null {
  const isKernel = (path: string): boolean =>
    path !== '/dev/null' && KERNEL_FOLDERS.some((folder) => path === folder || path.startsWith(`${folder}/`));
  if (!isKernel(real) && !isKernel(lexical)) return null;
  return deny('PATH_SPECIAL_FILE', `${quoteForMessage(given)} is an interface of the kernel, not a file`);
}

function judgeControlFile({ judges, facts }: PathCall): Finding | null {
  const given = quoteForMessage(facts.given);
  if (facts.stateFolder === true) {
    return deny('PATH_CONTROL_FILE', `${given} belongs to the state of Sallyport: no tool may use it`);
  }
  if (!facts.controlFile || judges.use !== 'file_write') return null;
  if (facts.ownCode === true) {
    const reason = `${given} lies where Sallyport itself is loaded from: no tool may write there, whatever the policy says`;
    return deny('PATH_CONTROL_FILE', reason, { instead: 'Work in a folder that Sallyport does not run from' });
  }
  return deny('PATH_CONTROL_FILE', `${given} is a control file: no tool may write it, whatever the policy says`);
}

function judgeKind({ facts: { given, kind, real } }: PathCall): Finding | null {
  if (kind !== 'special' || real === '/dev/null') return null;
  return deny('PATH_SPECIAL_FILE', `${quoteForMessage(given)} is a device, a pipe or a socket`);
}

/** Percent-encoding is literal here, but a path that would be a denied one to somebody who decodes it is denied. */
function judgePercent({ judges, facts: { given }, root }: PathCall): Finding | null {
  if (!given.includes('%')) return null;
  const readings = percentReadings(given);
  if (readings === null) {
    return deny('PATH_MALFORMED', `${quoteForMessage(given)} names another path when it is decoded`);
  }
  for (const reading of readings) {
    const entry = denyingEntry(judges, [readTarget(reading, root)]);
    if (entry !== null) return deniedBy(given, entry);
  }
  return null;
}

function judgeDenied({ judges, facts, targets }: PathCall): Finding | null {
  const entry = denyingEntry(judges, targets);
  return entry === null ? null : deniedBy(facts.given, entry);
}

function denyingEntry(judges: PathJudges, targets: readonly PathTarget[]): PolicyEntry | null {
  for (const lists of judges.deny) {
    for (const target of targets) {
      const entry = findDenied(lists, target);
      if (entry !== null) return entry;
    }
  }
  return null;
}

const deniedBy = (given: string, { rule }: PolicyEntry): Finding =>
  deny('PATH_DENIED', `${quoteForMessage(given)} is withheld by ${rule.id}`, { rule });

const allowingEntry = ({ allow }: PathJudges, { real }: PathFacts): PolicyEntry | null =>
  allow?.allowed == null ? null : findAllowed(allow.allowed, real);

function judgeAllowed({ judges, facts }: PathCall): Finding | null {
  if (allowingEntry(judges, facts) !== null) return null;
  const entries = judges.allow?.allowed?.map(({ entry }) => entry.text) ?? [];
  const instead = entries.length === 0 ? 'No path is allowed for this tool' : `Allowed paths: ${listSome(entries)}`;
  const what = facts.real === facts.lexical ? 'is' : 'leads to a place that is';
  const reason = `${quoteForMessage(facts.given)} ${what} not inside an allowed path`;
  return deny('PATH_NOT_ALLOWED', reason, { rule: judges.allowRule, instead });
}

function judgeSelfRunning({ judges, facts, targets }: PathCall): Finding | null {
  if (judges.use !== 'file_write') return null;
  const rows = new Set(targets.flatMap(({ folded }) => findSelfRunning(folded)));
  for (const row of rows) {
    if (isNamed(judges, facts, row)) continue;
    const reason = `${quoteForMessage(facts.given)} can run by itself later: ${row.reason}`;
    return confirm('PATH_SELF_RUNNING', reason, remedyOf('PATH_SELF_RUNNING'));
  }
  return null;
}

/** Whether some entry both allows the real path and names the self-running file. */
function isNamed(judges: PathJudges, { real }: PathFacts, row: Parameters<typeof namesSelfRunning>[1]): boolean {
  const bound = judges.allow?.allowed ?? [];
  return bound.some((allowed) => namesSelfRunning(allowed.entry.text, row) && findAllowed([allowed], real) !== null);
}

function judgeHardLinks({ facts: { given, kind, links } }: PathCall): Finding | null {
  if (kind !== 'file' || links <= 1) return null;
  const reason = `${quoteForMessage(given)} has ${links} hard links: another name of it may be withheld`;
  return confirm('PATH_HARD_LINK', reason, remedyOf('PATH_HARD_LINK'));
}
