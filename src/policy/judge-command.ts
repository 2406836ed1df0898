import { ERROR_TABLE, type ErrorCode, quoteForMessage } from '../core/index.ts';
import type { CompiledCommands, CompiledPolicy, CompiledTool } from './compiled.ts';
import type { RuleReference } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { builtInRule, deny, type Finding, stronger, type Trace, traced } from './finding.ts';
import { judgePath, type PathJudges } from './judge-path.ts';
import {
  type CommandDecision,
  commandPaths,
  decideCommandLine,
  globsOverlap,
  type PathOperand,
  type PathVerdict,
} from './shell/index.ts';

/** What the paths of one line are judged with. */
interface LineCall {
  readonly tool: CompiledTool;
  readonly commands: CompiledCommands;
  readonly facts: CallFacts;
  readonly root: string;
  readonly trace: Trace;
  /** Findings by the key that the decision about the line names. */
  readonly findings: Map<string, Finding>;
}

/** Judges the command line of a call: every command that it could run and every path that these touch. */
export function judgeCommand(
  tool: CompiledTool,
  facts: CallFacts,
  { root }: CompiledPolicy,
  trace: Trace,
): Finding | null {
  const { commands } = tool;
  if (commands === null) return null;
  const { command } = facts;
  if (command === undefined) return deny('COMMAND_MALFORMED', 'the call has no command line that was read');
  const call: LineCall = { tool, commands, facts, root, trace, findings: new Map() };
  const numbers = new Map(commandPaths(command).map((operand, number) => [operand, number]));
  const folder = judgeFolder(call);
  const decision = decideCommandLine(commands.rule, command, {
    judgePath: (operand) => judgeOperand(call, operand, numbers.get(operand) ?? -1),
  });
  const found = decision.effect === 'allow' ? null : findingOf(call, decision, decision.effect);
  traced(
    trace,
    'command line',
    quoteForMessage('text' in command ? command.text : ''),
    found,
    allowedBy(call, decision),
  );
  return stronger(folder, found);
}

const allowedBy = ({ commands }: LineCall, { ruleKey }: CommandDecision): string =>
  `every command in it is listed (${commands.references.get(ruleKey)?.id ?? ruleKey} and others)`;

/** The denial of a path says more than the line's; everything else is told in the words of the line. */
function findingOf(
  { tool, commands, findings }: LineCall,
  decision: CommandDecision,
  effect: 'confirm' | 'deny',
): Finding {
  const found = findings.get(decision.ruleKey);
  const reason = found === undefined ? decision.reason : `${decision.reason}: ${found.reason}`;
  const code = codeOf(decision.code);
  const rule: RuleReference = found?.rule ?? commands.references.get(decision.ruleKey) ?? ruleOf(tool, code);
  return { effect, code, rule, reason, instead: found?.instead ?? capital(decision.instead) };
}

/** What no entry lists is denied by the list; everything else that no entry says is built in. */
const ruleOf = ({ rule: { rule } }: CompiledTool, code: ErrorCode): RuleReference =>
  code === 'COMMAND_NOT_ALLOWED' ? { ...rule, id: `${rule.id}.allowedCommands` } : builtInRule(code);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** INVARIANT: a code that is none of ours is still a denial. */
const codeOf = (code: string | null): ErrorCode => (isCode(code) ? code : 'COMMAND_NOT_ALLOWED');
const isCode = (code: string | null): code is ErrorCode => code !== null && Object.hasOwn(ERROR_TABLE, code);

/** The folder that the line starts in must be one, inside the root. */
function judgeFolder({ commands, facts, root, trace }: LineCall): Finding | null {
  const folder = facts.paths['command:cwd'];
  if (folder === undefined)
    return facts.arguments['cwd'] === undefined ? null : deny('PATH_MALFORMED', 'the working folder was not read');
  const found = judgePath(commands.operands, folder.reading, root, trace);
  if (found !== null || 'trouble' in folder.reading || folder.reading.kind === 'folder') return found;
  return deny(
    'PATH_NOT_FOLDER',
    `${quoteForMessage(folder.reading.given)} is not a folder that a command could run in`,
  );
}

const ALLOWED: PathVerdict = { effect: 'allow', ruleKey: '', code: '' };

/** Judges one path of the line, and everything that it stands for when it is a pattern. */
function judgeOperand(call: LineCall, operand: PathOperand, number: number): PathVerdict {
  const { tool, commands, findings } = call;
  const judges = operand.use === 'file_read' && operand.via === 'operand' ? commands.operands : tool.paths[operand.use];
  let found: Finding | null = null;
  for (const at of pointersOf(call.facts, number)) found = stronger(found, judgeReading(call, judges, at));
  if (number < 0 || call.facts.paths[`command:${number}`] === undefined) {
    found = deny('PATH_MALFORMED', 'a path of the command line was not read');
  }
  if (operand.pattern) found = stronger(found, judgePattern(call, judges, number));
  if (found === null) return ALLOWED;
  const ruleKey = `path ${number}`;
  findings.set(ruleKey, found);
  return { effect: found.effect, ruleKey, code: found.code };
}

/** `command:N`, then `command:N/0` and so on. */
function pointersOf({ paths }: CallFacts, number: number): readonly string[] {
  const pointers = [`command:${number}`];
  while (paths[`command:${number}/${pointers.length - 1}`] !== undefined) {
    pointers.push(`command:${number}/${pointers.length - 1}`);
  }
  return pointers;
}

function judgeReading({ facts, root, trace }: LineCall, judges: PathJudges, at: string): Finding | null {
  const path = facts.paths[at];
  return path === undefined ? null : judgePath(judges, path.reading, root, trace);
}

/** A pattern could match a withheld file by the time that bash expands it. */
function judgePattern({ facts, root }: LineCall, judges: PathJudges, number: number): Finding | null {
  const reading = facts.paths[`command:${number}`]?.reading;
  if (reading === undefined || 'trouble' in reading) return null;
  const below = reading.lexical.startsWith(`${root}/`)
    ? reading.lexical.slice(root.length + 1)
    : reading.lexical.slice(1);
  const hit = judges.deny
    .flatMap(({ denied }) => denied)
    .find(({ entry }) => patternsOf(entry.text).some((pattern) => globsOverlap(below, pattern)));
  if (hit === undefined) return null;
  const { rule } = hit.entry;
  const reason = `${quoteForMessage(reading.given)} may stand for a file that ${rule.id} withholds`;
  return { effect: 'confirm', code: 'PATH_DENIED', rule, reason, instead: 'Write the names of the files out' };
}

/** An entry of `deniedPaths` as the patterns that are compared: at any depth where it has no slash. */
function patternsOf(text: string): readonly string[] {
  const trimmed = text.replace(/\/$/, '');
  return trimmed.includes('/') ? [trimmed.replace(/^\//, '')] : [`**/${trimmed}`];
}
