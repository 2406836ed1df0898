import type { JsonValue } from '../core/index.ts';
import {
  type CallFacts,
  commandOf,
  commandPaths,
  isCommandTrouble,
  type PathOperand,
  type PathReading,
} from '../policy/index.ts';
import { expandPattern } from './expand-pattern.ts';
import type { ArgumentReader } from './facts.ts';
import type { ParsedCall } from './parse.ts';
import { readPath } from './path-facts.ts';

/** What the command line of a call could do, and every path that it touches as the disk has it now. */
export interface CommandReading {
  readonly command?: CallFacts['command'];
  readonly paths: CallFacts['paths'];
}

/**
 * Reads the command line of a call. Paths are read against the folder that the line would be in when it comes to them, which
 * starts at the call's own `cwd`.
 *
 * ATTACKER-CONTROLLED: the line, and the links on the disk.
 */
export function readCommand(reader: ArgumentReader, parsed: ParsedCall): CommandReading {
  const command = parsed.trouble === null ? commandOf(parsed.name, parsed.arguments, reader.limits) : undefined;
  if (command === undefined) return { paths: {} };
  const folder = readFolder(reader, parsed.arguments['cwd']);
  const paths: Record<string, CallFacts['paths'][string]> = folder === null ? {} : { 'command:cwd': folder };
  const start = folder === null || 'trouble' in folder.reading ? reader.root : folder.reading.real;
  if (isCommandTrouble(command)) return { command, paths };
  for (const [number, operand] of commandPaths(command).entries()) {
    const at = `command:${number}`;
    const text = textOf(operand);
    if (text === null) continue;
    paths[at] = readOperand(reader, operand, text, start);
    if (operand.pattern) addMatches(paths, at, { reader, operand, text, start });
  }
  return { command, paths };
}

function readFolder(reader: ArgumentReader, given: JsonValue | undefined): CallFacts['paths'][string] | null {
  if (given === undefined) return null;
  const { root, control, limits } = reader;
  const reading: PathReading =
    typeof given === 'string'
      ? readPath(given, { root, use: 'file_read', control, limits, openedElsewhere: true })
      : { given: '', trouble: 'PATH_MALFORMED' };
  return Object.freeze({ use: 'file_read', reading });
}

interface Expanding {
  readonly reader: ArgumentReader;
  readonly operand: PathOperand;
  readonly text: string;
  readonly start: string;
}

/** What a pattern stands for; more than the limit cannot be judged one by one. */
function addMatches(
  into: Record<string, CallFacts['paths'][string]>,
  at: string,
  { reader, operand, text, start }: Expanding,
): void {
  const { patternMatches } = reader.limits;
  const matches = expandPattern(text, start, reader.limits);
  if (matches.length > patternMatches) {
    const reading: PathReading = { given: text, trouble: 'PATH_UNREADABLE' };
    into[`${at}/0`] = Object.freeze({ use: operand.use, reading });
    return;
  }
  for (const [index, match] of matches.entries()) into[`${at}/${index}`] = readOperand(reader, operand, match, start);
}

/** The path as bash would hand it to the kernel in that folder; `null` where that is not known, which policy judges. */
function textOf({ text, cwd }: PathOperand): string | null {
  if (text.startsWith('/') || cwd === '.') return text;
  return cwd === null ? null : `${cwd}/${text}`;
}

/** What a command writes may be a folder: only the reading of the text differs for the tool `file_write`. */
function readOperand(
  { control, limits }: ArgumentReader,
  { use }: PathOperand,
  text: string,
  start: string,
): CallFacts['paths'][string] {
  const reading = readPath(text, { root: start, use: 'file_read', control, limits, openedElsewhere: true });
  return Object.freeze({ use, reading });
}
