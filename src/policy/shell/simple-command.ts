import type { Assignment, Command, Redirection } from 'unbash';
import { assignmentDoubts } from './assignments.ts';
import type { CommandAssignment, Doubt, PathOperand, SimpleCommand } from './command-line.ts';
import { enter, type Folders } from './cwd.ts';
import { interpret, type Started } from './interpret.ts';
import { readWord } from './read-word.ts';
import { readRedirections } from './redirections.ts';
import { doubt, mayGoOn, type Outcome, type Walk } from './walk-state.ts';
import { expandBraces, staticWord, type Word } from './word.ts';

/** Reads one simple command and everything that it starts. ATTACKER-CONTROLLED: `node`. */
export function readSimpleCommand(walk: Walk, node: Command): Outcome {
  const before = walk.folders;
  const assignments = node.prefix.filter((one) => one.type === 'Assignment').map((one) => readAssignment(walk, one));
  const redirections: readonly Redirection[] = node.redirects;
  const opened = readRedirections(walk, redirections);
  if (node.name === undefined) {
    walk.assignments.push(...assignments.flatMap((one) => (one === null ? [] : [one])));
    walk.paths.push(...opened);
    if (walk.depth <= 1) doubt(walk, 'deny', 'COMMAND_NOT_ALLOWED', 'a part of the line has no command');
    return { success: before, failure: before };
  }
  const words = [readWord(walk, node.name), ...node.args.flatMap((one) => readArgument(walk, one))];
  const command = {
    words,
    assignments: assignments.flatMap((one) => (one === null ? [] : [one])),
    opened,
    redirected: redirections.length > 0,
    startedBy: null,
  };
  return noteCommand(walk, command, 'line', before);
}

function readArgument(walk: Walk, argument: Command['args'][number]): readonly Word[] {
  if (argument.type === 'Word') {
    const word = readWord(walk, argument);
    return word.shape === 'braces' && !word.quoted ? (expandBraces(argument.text) ?? [word]) : [word];
  }
  const value = readAssignment(walk, argument)?.value ?? null;
  if (value === null) return [staticWord(argument.text)];
  const prefix = `${argument.name}${argument.append === true ? '+' : ''}=`;
  return [{ ...value, text: prefix + value.text, lead: prefix + value.lead }];
}

/** An assignment to a subscript would compute it; one of a list has no place here. */
function readAssignment(walk: Walk, assignment: Assignment): CommandAssignment | null {
  const { name, value } = assignment;
  if (assignment.index !== undefined) {
    readWord(walk, assignment.index);
    doubt(walk, 'deny', 'COMMAND_ENVIRONMENT', 'assigns to a subscript', name);
  }
  if (value.type !== 'Word') {
    for (const element of value.elements) readWord(walk, element);
    doubt(walk, 'deny', 'COMMAND_ENVIRONMENT', 'assigns a list', name);
    return null;
  }
  // bash expands neither patterns nor braces in the value of an assignment.
  const word = readWord(walk, value);
  const known = word.shape === 'glob' || word.shape === 'braces';
  return { name, value: known ? { ...word, shape: 'static' } : word };
}

interface Reading {
  readonly words: readonly Word[];
  readonly assignments: readonly CommandAssignment[];
  readonly opened: readonly PathOperand[];
  readonly redirected: boolean;
  readonly startedBy: SimpleCommand['startedBy'];
}

/** A folder that a `cd` before may have led to is one that the command reads. */
const workingFolder = (folder: string | null): readonly PathOperand[] =>
  folder === '.' || folder === null
    ? []
    : [{ text: folder, use: 'file_read', cwd: '.', via: 'operand', pattern: false }];

/** Adds the command, then what it starts. */
function noteCommand(walk: Walk, reading: Reading, origin: SimpleCommand['origin'], folders: Folders): Outcome {
  const { words, assignments } = reading;
  // A `cd` is judged as if those before it went well; what runs after it, in every folder that it may run in.
  const isChange = words[0]?.text === 'cd';
  const meaning = interpret(words, isChange ? folders.slice(0, 1) : folders);
  walk.commands.push({
    words,
    assignments,
    paths: [...reading.opened, ...(isChange ? [] : folders.flatMap(workingFolder)), ...meaning.paths],
    doubts: [...commandWordDoubts(words[0]), ...assignments.flatMap(assignmentDoubts), ...meaning.doubts],
    stripped: meaning.stripped,
    canonical: meaning.canonical,
    origin,
    startedBy: reading.startedBy,
    builtin: meaning.builtin,
    assigning: meaning.assignment,
    known: meaning.known,
    keyword: false,
    redirected: reading.redirected,
  });
  const position = walk.commands.length - 1;
  for (const script of meaning.scripts) walk.visit.text(walk, script.text, script.folders);
  let outcome = changeFolder(walk, words, folders);
  for (const started of meaning.started) outcome = noteStarted(walk, started, position) ?? outcome;
  return outcome;
}

/** Wrappers that run inside the shell, where `cd` has its effect. */
const IN_SHELL: ReadonlySet<string> = new Set(['command', 'builtin']);

function noteStarted(walk: Walk, started: Started, starter: number): Outcome | null {
  if (started.origin === 'container') {
    noteContained(walk, started, starter);
    return null;
  }
  walk.depth += 1;
  const startedBy = { command: starter, word: started.word };
  const reading = { words: started.words, assignments: [], opened: [], redirected: false, startedBy };
  const outcome = mayGoOn(walk) ? noteCommand(walk, reading, started.origin, started.folders) : null;
  walk.depth -= 1;
  return IN_SHELL.has(walk.commands[starter]?.words[0]?.text ?? '') ? outcome : null;
}

/** A command that runs in a container: its paths are not ours, and only what it is called is judged. */
function noteContained(walk: Walk, started: Started, starter: number): void {
  const { words } = started;
  walk.commands.push({
    words,
    assignments: [],
    paths: [],
    doubts: commandWordDoubts(words[0]),
    stripped: words,
    canonical: words,
    origin: 'container',
    startedBy: { command: starter, word: started.word },
    builtin: false,
    assigning: false,
    known: true,
    keyword: false,
    redirected: false,
  });
}

function commandWordDoubts(word: Word | undefined): readonly Doubt[] {
  if (word === undefined || (word.shape === 'static' && word.text !== '' && !word.text.startsWith('~'))) return [];
  return [{ effect: 'deny', code: 'COMMAND_DYNAMIC', about: 'the command word is not a plain word', word: word.text }];
}

/** Follows `cd`; every other builtin that moves leads to where nobody knows. */
function changeFolder(walk: Walk, words: readonly Word[], folders: Folders): Outcome {
  const name = words[0]?.text ?? '';
  // What eval runs, runs here.
  if (name === 'eval' || name === 'source' || name === '.') return { success: [null], failure: [null] };
  if (name !== 'cd' && name !== 'pushd' && name !== 'popd') return { success: folders, failure: folders };
  if (walk.inLoop) doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'a loop changes the folder');
  const operands = words.slice(1).filter((word) => !/^-[LPe@]+$|^--$/.test(word.text));
  const physical = words.some((word) => /^-[LPe@]*P/.test(word.text));
  const [target] = operands;
  const followed =
    name === 'cd' && target?.shape === 'static' && operands.length === 1 && !physical && !/^[-+~]|^$/.test(target.text);
  if (followed) return { success: enter(folders, target.text), failure: folders };
  doubt(
    walk,
    'deny',
    'COMMAND_OUTSIDE',
    'the folder that it changes to is not known, or lies outside the project',
    target?.text ?? name,
  );
  return { success: [null], failure: folders };
}
