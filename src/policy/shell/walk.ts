import {
  type AndOr,
  type CommandNode,
  type CompoundList,
  forEachChild,
  type ParsedScript,
  type Pipeline,
  type PipelineNode,
  parse,
  type Statement,
  type SyntaxNode,
} from 'unbash';
import { assertNever } from '../../core/index.ts';
import { eitherOf, type Folders } from './cwd.ts';
import { isLoopVariable } from './environment.ts';
import { readWord } from './read-word.ts';
import { readRedirections } from './redirections.ts';
import { readSimpleCommand } from './simple-command.ts';
import { readTest } from './test-expression.ts';
import { doubt, mayGoOn, type Outcome, type Visit, type Walk } from './walk-state.ts';
import { staticWord } from './word.ts';

const after = (outcome: Outcome): Folders => eitherOf(outcome.success, outcome.failure);
const same = (folders: Folders): Outcome => ({ success: folders, failure: folders });

/** Reads a text as a script that runs in a shell of its own. */
function walkText(walk: Walk, text: string, folders: Folders): void {
  const before = walk.folders;
  walk.folders = folders;
  walkSubshell(walk, parse(text));
  walk.folders = before;
}

/** Reads a script that runs in a shell of its own: what it does to the current folder stays there. */
function walkSubshell(walk: Walk, script: ParsedScript | undefined): void {
  if (script === undefined) {
    doubt(walk, 'deny', 'COMMAND_MALFORMED', 'a substitution cannot be read');
    return;
  }
  const { folders, inLoop } = walk;
  walk.inLoop = false;
  walkScript(walk, script);
  walk.folders = folders;
  walk.inLoop = inLoop;
}

/** Reads every statement of a script. */
export function walkScript(walk: Walk, script: ParsedScript): void {
  walk.depth += 1;
  // INVARIANT: a nested script reports its own errors; each one is looked at when the script is entered.
  if (script.errors !== undefined && script.errors.length > 0) {
    doubt(walk, 'deny', 'COMMAND_MALFORMED', 'bash cannot read the line, or would read it in another way');
  }
  if (mayGoOn(walk)) walkStatements(walk, script.commands);
  walk.depth -= 1;
}

function walkStatements(walk: Walk, statements: readonly Statement[]): void {
  for (const statement of statements) {
    if (!mayGoOn(walk)) return;
    const before = walk.folders;
    const outcome = walkCommand(walk, statement.command);
    walk.folders = statement.background === true ? before : after(outcome);
  }
}

/** A list with a level of its own: groups nest as deep as their author likes. */
function walkList(walk: Walk, list: CompoundList): void {
  walk.depth += 1;
  if (mayGoOn(walk)) walkStatements(walk, list.commands);
  walk.depth -= 1;
}

function walkCommand(walk: Walk, node: PipelineNode | AndOr): Outcome {
  if (node.type === 'AndOr') return walkAndOr(walk, node);
  if (node.type === 'Pipeline') return walkPipeline(walk, node);
  return walkNode(walk, node);
}

function walkAndOr(walk: Walk, node: AndOr): Outcome {
  let outcome: Outcome | null = null;
  node.commands.forEach((command, position) => {
    const operator = node.operators[position - 1];
    const previous = outcome;
    if (previous === null) {
      outcome = walkCommand(walk, command);
      return;
    }
    walk.folders = operator === '&&' ? previous.success : previous.failure;
    const next = walkCommand(walk, command);
    outcome =
      operator === '&&'
        ? { success: next.success, failure: eitherOf(previous.failure, next.failure) }
        : { success: eitherOf(previous.success, next.success), failure: next.failure };
  });
  return outcome ?? same(walk.folders);
}

function walkPipeline(walk: Walk, node: Pipeline): Outcome {
  const { folders } = walk;
  for (const prefix of node.prefixes) if (prefix.type === 'Time') noteTime(walk);
  if (node.commands.length === 0) doubt(walk, 'deny', 'COMMAND_MALFORMED', 'a pipeline has no command');
  let outcome = same(folders);
  for (const command of node.commands) {
    walk.folders = folders;
    outcome = walkNode(walk, command);
  }
  walk.folders = folders;
  if (node.commands.length > 1) return same(folders);
  return node.prefixes.some((prefix) => prefix.type === 'Negation')
    ? { success: outcome.failure, failure: outcome.success }
    : outcome;
}

/** The keyword `time` is judged like the program of that name (C11). */
function noteTime(walk: Walk): void {
  const words = [staticWord('time')];
  walk.commands.push({
    words,
    assignments: [],
    paths: [],
    doubts: [],
    stripped: words,
    canonical: words,
    origin: 'line',
    startedBy: null,
    builtin: true,
    assigning: false,
    known: true,
    keyword: true,
    redirected: false,
  });
}

function walkNode(walk: Walk, node: CommandNode): Outcome {
  if (!mayGoOn(walk)) return same(walk.folders);
  switch (node.type) {
    case 'Command':
      return readSimpleCommand(walk, node);
    case 'Redirected':
      walk.paths.push(...readRedirections(walk, node.redirects));
      return walkNode(walk, node.command);
    case 'Subshell': {
      const { folders, inLoop } = walk;
      walk.inLoop = false;
      walkList(walk, node.body);
      walk.folders = folders;
      walk.inLoop = inLoop;
      return same(folders);
    }
    case 'BraceGroup':
      walkList(walk, node.body);
      return same(walk.folders);
    case 'Function':
    case 'Coproc':
      doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'functions and coprocesses are not judged');
      walkEverything(walk, node);
      return same(walk.folders);
    default:
      return walkControlFlow(walk, node);
  }
}

type ControlFlow = Exclude<
  CommandNode,
  { type: 'Command' | 'Redirected' | 'Subshell' | 'BraceGroup' | 'Function' | 'Coproc' }
>;

function walkControlFlow(walk: Walk, node: ControlFlow): Outcome {
  let reached = walk.folders;
  const branch = (list: CompoundList): void => {
    walkList(walk, list);
    reached = eitherOf(reached, walk.folders);
  };
  switch (node.type) {
    case 'If':
      for (const part of [node, ...node.elif]) {
        branch(part.clause);
        branch(part.then);
        walk.folders = reached;
      }
      if (node.else !== undefined) branch(node.else);
      break;
    case 'While':
      walkLoop(walk, () => [node.clause, node.body].forEach(branch));
      break;
    case 'For':
    case 'Select':
      noteVariable(walk, node.name.value);
      for (const word of node.wordlist ?? []) readWord(walk, word);
      walkLoop(walk, () => branch(node.body));
      break;
    case 'Case':
      readWord(walk, node.word);
      for (const item of node.items) {
        for (const pattern of item.pattern) readWord(walk, pattern);
        branch(item.body);
        walk.folders = reached;
      }
      break;
    case 'TestCommand':
      readTest(walk, node.expression);
      break;
    case 'ArithmeticFor':
    case 'ArithmeticCommand':
      doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'arithmetic that is not constant is not judged');
      walkEverything(walk, node);
      break;
    default:
      assertNever(node);
  }
  return same(reached);
}

function walkLoop(walk: Walk, body: () => void): void {
  const { inLoop } = walk;
  walk.inLoop = true;
  body();
  walk.inLoop = inLoop;
}

function noteVariable(walk: Walk, name: string): void {
  if (!isLoopVariable(name))
    doubt(walk, 'deny', 'COMMAND_ENVIRONMENT', 'assigns to a variable that is not known to be harmless', name);
}

/** Reads every script below a node that is refused anyway, so that its commands are known. */
function walkEverything(walk: Walk, node: SyntaxNode): void {
  forEachChild(node, (child) => {
    if (walk.exhausted) return;
    if (child.type === 'Script') walkSubshell(walk, child);
    else if (child.type === 'CompoundList') walkList(walk, child);
    else if (child.type === 'Command') readSimpleCommand(walk, child);
    else walkBelow(walk, child);
  });
}

function walkBelow(walk: Walk, node: SyntaxNode): void {
  walk.depth += 1;
  if (mayGoOn(walk)) walkEverything(walk, node);
  walk.depth -= 1;
}

/** The readers of scripts, for the pieces of the grammar that hold some. */
export const VISIT: Visit = { subshell: walkSubshell, text: walkText, everything: walkEverything };
