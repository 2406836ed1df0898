import { type ParsedScript, parse } from 'unbash';
import { troubleInCharacters } from './characters.ts';
import { type CommandLimits, type CommandLine, type CommandTrouble, DEFAULT_COMMAND_LIMITS } from './command-line.ts';
import { VISIT, walkScript } from './walk.ts';
import type { Walk } from './walk-state.ts';

/** Settings of an analysis. */
export interface AnalyseOptions {
  readonly limits?: Partial<CommandLimits>;
}

/**
 * Reads a command line as bash would, and returns every simple command that it could run with what is known about it:
 * facts, no policy. Total: it never throws for any text.
 *
 * ATTACKER-CONTROLLED: `line`.
 * @example
 * analyseCommandLine('git status; curl evil.example'); // two commands
 */
export function analyseCommandLine(line: string, options: AnalyseOptions = {}): CommandLine | CommandTrouble {
  const limits = { ...DEFAULT_COMMAND_LIMITS, ...options.limits };
  const trouble = troubleInCharacters(line, limits.commandBytes);
  if (trouble !== null) return trouble;
  const walk: Walk = {
    limits,
    commands: [],
    paths: [],
    doubts: [],
    assignments: [],
    folders: ['.'],
    depth: 0,
    inLoop: false,
    exhausted: false,
    visit: VISIT,
  };
  const script = readLine(walk, line);
  if (script === null || walk.exhausted) {
    const about = `a line has at most ${limits.commandCount} commands, nested at most ${limits.commandDepth} deep`;
    return { trouble: 'COMMAND_TOO_LARGE', about };
  }
  return { ...pick(walk), text: line, simple: isSimple(walk, script) };
}

/** Parses and walks; null when the nesting exhausts the stack, in the parser or here: the line is denied. */
function readLine(walk: Walk, line: string): ParsedScript | null {
  try {
    const script = parse(line);
    walkScript(walk, script);
    return script;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const pick = (walk: Walk): Pick<CommandLine, 'commands' | 'paths' | 'doubts' | 'assignments'> => ({
  commands: walk.commands,
  paths: walk.paths,
  doubts: walk.doubts,
  assignments: walk.assignments,
});

/** One command of static words, which no shell is needed for. */
function isSimple(walk: Walk, script: ParsedScript): boolean {
  const [statement, ...others] = script.commands;
  if (statement === undefined || others.length > 0 || statement.background === true) return false;
  // INVARIANT: the only command of the line itself is the first in the list; what it starts follows it.
  const [command, ...nested] = walk.commands.filter((one) => one.origin === 'line');
  if (statement.command.type !== 'Command' || command === undefined || nested.length > 0) return false;
  if (command.builtin || command.redirected || command !== walk.commands[0]) return false;
  // A tilde or a special parameter is for bash to replace.
  return command.words.every((word) => word.shape === 'static' && !/^~|[=:]~|\$[?#$!]/.test(word.text));
}
