import { type LinearPattern, quoteForMessage } from '../../core/index.ts';
import type { Effect } from '../decision.ts';
import { assignmentDoubts } from './assignments.ts';
import {
  type CommandCode,
  type CommandLine,
  type CommandTrouble,
  type Doubt,
  isCommandTrouble,
  type PathOperand,
  type SimpleCommand,
} from './command-line.ts';
import { words as splitWords } from './entries.ts';
import { findPattern, searchedTexts } from './patterns.ts';

/** What a policy says about command lines. */
export interface ShellRule {
  /** Programs, or beginnings of command lines word by word (C7). */
  readonly allowedCommands: readonly string[];
  /** Made by `compileDeniedPattern`. */
  readonly deniedPatterns: readonly LinearPattern[];
  /** Beginnings of command lines that a person has to agree to. */
  readonly confirmCommands: readonly string[];
}

/** The answer of the file rules for one path. */
export interface PathVerdict {
  readonly effect: Effect;
  readonly ruleKey: string;
  readonly code: CommandCode | 'PATH_DENIED' | 'PATH_NOT_ALLOWED' | 'PATH_MALFORMED' | (string & {});
}

/** What a decision needs besides rule and line. */
export interface CommandContext {
  /** Judges a path by the file rules; left out, the caller judges `reads` and `writes` itself. */
  readonly judgePath?: (path: PathOperand) => PathVerdict | Effect;
}

/** A decision about a command line. `reason` and `instead` are for the model: from templates, its text quoted. */
export interface CommandDecision {
  readonly effect: Effect;
  /** `allowedCommands[2]`, `deniedPatterns[0]`, `confirmCommands[1]`, or `builtin.CODE`. */
  readonly ruleKey: string;
  readonly code: CommandCode | PathVerdict['code'] | null;
  readonly reason: string;
  readonly instead: string;
  readonly reads: readonly PathOperand[];
  readonly writes: readonly PathOperand[];
}

/** Every path that a line touches, in the order in which the facts of a call number them. */
export const commandPaths = (line: CommandLine | CommandTrouble): readonly PathOperand[] =>
  isCommandTrouble(line) ? [] : [...line.paths, ...line.commands.flatMap((command) => command.paths)];

type Finding = Pick<CommandDecision, 'effect' | 'ruleKey' | 'code' | 'reason'>;

const RANK: Readonly<Record<Effect, number>> = { allow: 0, confirm: 1, deny: 2 };

/**
 * Decides about a line: deny beats confirm beats allow, and every command in it must be allowed by itself. Pure.
 * @example
 * decideCommandLine(rule, analyseCommandLine('git status'), {}).effect; // 'allow' if git is listed
 */
export function decideCommandLine(
  rule: ShellRule,
  line: CommandLine | CommandTrouble,
  context: CommandContext = {},
): CommandDecision {
  if (isCommandTrouble(line)) return decision(rule, [builtin('deny', line.trouble, line.about)], []);
  const paths = commandPaths(line);
  const findings = [
    ...(line.commands.length === 0 ? [builtin('deny', 'COMMAND_NOT_ALLOWED', 'the line runs no command')] : []),
    ...[...line.doubts, ...line.assignments.flatMap(assignmentDoubts)].map(doubtFinding),
    ...line.commands.flatMap((command) => judgeCommand(rule, line, command)),
    ...paths.map((path) => judgePath(path, context)),
  ];
  return decision(rule, findings, paths);
}

function decision(rule: ShellRule, findings: readonly Finding[], paths: readonly PathOperand[]): CommandDecision {
  const worst = findings.reduce(
    (left, right) => (RANK[right.effect] > RANK[left.effect] ? right : left),
    firstOf(findings),
  );
  return {
    ...worst,
    instead: worst.effect === 'allow' ? '' : insteadOf(rule),
    reads: paths.filter((path) => path.use === 'file_read'),
    writes: paths.filter((path) => path.use === 'file_write'),
  };
}

const firstOf = (findings: readonly Finding[]): Finding =>
  findings[0] ?? builtin('deny', 'COMMAND_NOT_ALLOWED', 'the line runs no command');

const builtin = (effect: Effect, code: CommandCode, about: string, word?: string): Finding => ({
  effect,
  ruleKey: `builtin.${code}`,
  code,
  reason: word === undefined ? about : `${about}: ${quoteForMessage(word)}`,
});

const doubtFinding = (doubt: Doubt): Finding => builtin(doubt.effect, doubt.code, doubt.about, doubt.word);

/** Names this caller's own list, capped. */
function insteadOf(rule: ShellRule): string {
  if (rule.allowedCommands.length === 0) return 'the rule allows no command';
  const shown = rule.allowedCommands.slice(0, 12).map((entry) => quoteForMessage(entry, 40));
  return `the rule allows ${shown.join(', ')}${rule.allowedCommands.length > shown.length ? ' and others' : ''}, each in ordinary use within the project`;
}

/** A match of an entry: its number, and how many words of the command it names. */
interface Match {
  readonly entry: number;
  readonly words: number;
}

/** The longest entry that the command starts with, word by word (C7). */
function matchEntry(
  entries: readonly string[],
  command: readonly { readonly text: string; readonly shape: string }[],
): Match | null {
  let best: Match | null = null;
  entries.forEach((text, entry) => {
    const wanted = splitWords(text);
    const fits =
      wanted.length > 0 && wanted.every((one, at) => command[at]?.shape === 'static' && command[at].text === one);
    if (fits && wanted.length > (best?.words ?? 0)) best = { entry, words: wanted.length };
  });
  return best;
}

function judgeCommand(rule: ShellRule, line: CommandLine, command: SimpleCommand): readonly Finding[] {
  const match = command.assigning ? { entry: -1, words: 1 } : matchEntry(rule.allowedCommands, command.words);
  const named = match ?? entryOfStarter(rule, line, command);
  const findings = named === null ? [unlisted(rule, command)] : listed(command, named);
  return [...findings, ...deniedBy(rule, command), ...confirmedBy(rule, command)];
}

/** An entry that reaches into what a listed command starts: `docker run`, whatever runs there, or `uv run pytest`. */
function entryOfStarter(rule: ShellRule, line: CommandLine, command: SimpleCommand): Match | null {
  const { startedBy } = command;
  const starter = startedBy === null ? undefined : line.commands[startedBy.command];
  if (startedBy === null || starter === undefined) return null;
  const match = matchEntry(rule.allowedCommands, starter.words);
  if (match === null || match.words <= startedBy.word) return null;
  return { entry: match.entry, words: command.origin === 'container' ? 1 : match.words - startedBy.word };
}

const FIXED_PATH = /^\/(?:usr\/(?:local\/)?)?bin\/([^/]+)$/;

function unlisted(rule: ShellRule, command: SimpleCommand): Finding {
  const name = command.words[0]?.text ?? '';
  const inPath = FIXED_PATH.exec(name)?.[1];
  const named =
    inPath !== undefined &&
    matchEntry(rule.allowedCommands, [{ text: inPath, shape: 'static' }, ...command.words.slice(1)]) !== null;
  if (named)
    return builtin('confirm', 'COMMAND_NOT_ALLOWED', 'the rule lists the program by its name, not by its path', name);
  const effect = command.keyword || command.origin === 'container' ? 'confirm' : 'deny';
  return builtin(effect, 'COMMAND_NOT_ALLOWED', 'the rule does not list the command', startOf(command));
}

const startOf = (command: SimpleCommand): string =>
  command.words
    .slice(0, 2)
    .map((word) => word.text)
    .join(' ');

function listed(command: SimpleCommand, match: Match): readonly Finding[] {
  const found: Finding[] = [
    {
      effect: 'allow',
      ruleKey: match.entry < 0 ? 'builtin.COMMAND_ENVIRONMENT' : `allowedCommands[${match.entry}]`,
      code: null,
      reason: 'the rule lists the command',
    },
  ];
  if (!command.known && match.words < command.words.length) {
    const about =
      'what this program does with its arguments is not known; an entry with all of its words would allow it';
    found.push(builtin('confirm', 'COMMAND_UNKNOWN', about, startOf(command)));
  }
  // An entry that spells out a sub-command or an option answers the doubt about that word.
  const open = command.doubts.filter(
    (doubt) => doubt.index === undefined || doubt.index === 0 || doubt.index >= match.words,
  );
  return [...found, ...open.map(doubtFinding)];
}

function deniedBy(rule: ShellRule, command: SimpleCommand): readonly Finding[] {
  const found = findPattern(rule.deniedPatterns, searchedTexts(command));
  if (found === null) return [];
  if (found < 0)
    return [builtin('deny', 'COMMAND_TOO_LARGE', 'the command is too long for the patterns that judge it')];
  return [
    {
      effect: 'deny',
      ruleKey: `deniedPatterns[${found}]`,
      code: 'COMMAND_PATTERN',
      reason: `the rule forbids ${quoteForMessage(startOf(command))} in this form`,
    },
  ];
}

function confirmedBy(rule: ShellRule, command: SimpleCommand): readonly Finding[] {
  const match = [command.words, command.stripped, command.canonical]
    .map((form) => matchEntry(rule.confirmCommands, form))
    .find((one) => one !== null);
  if (match === undefined || match === null) return [];
  const reason = `the rule asks for a yes to ${quoteForMessage(startOf(command))}`;
  return [{ effect: 'confirm', ruleKey: `confirmCommands[${match.entry}]`, code: 'COMMAND_CONFIRM', reason }];
}

function judgePath(path: PathOperand, context: CommandContext): Finding {
  if (path.text.startsWith('~')) return builtin('deny', 'COMMAND_OUTSIDE', 'a path in a home folder', path.text);
  if (path.cwd === null && !path.text.startsWith('/')) {
    return builtin('confirm', 'COMMAND_DYNAMIC', 'the folder of a path is not known', path.text);
  }
  const answer = context.judgePath?.(path) ?? 'allow';
  const verdict: PathVerdict =
    typeof answer === 'string' ? { effect: answer, ruleKey: 'builtin.PATH_DENIED', code: 'PATH_DENIED' } : answer;
  const doing = path.use === 'file_read' ? 'reads' : 'writes';
  return {
    ...verdict,
    code: verdict.effect === 'allow' ? null : verdict.code,
    reason: `the command ${doing} ${quoteForMessage(path.text)}`,
  };
}
