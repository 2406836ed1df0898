import type { ParsedScript, SyntaxNode } from 'unbash';
import type {
  CommandAssignment,
  CommandCode,
  CommandLimits,
  Doubt,
  PathOperand,
  SimpleCommand,
} from './command-line.ts';
import type { Folders } from './cwd.ts';

/** What a walk over the tree gathers, and where it is. */
export interface Walk {
  readonly limits: CommandLimits;
  readonly commands: SimpleCommand[];
  readonly paths: PathOperand[];
  readonly doubts: Doubt[];
  readonly assignments: CommandAssignment[];
  /** The folders the piece that is read now may run in. */
  folders: Folders;
  depth: number;
  /** Inside a loop, `cd` would add up. */
  inLoop: boolean;
  /** A limit was passed: nothing more is read. */
  exhausted: boolean;
  readonly visit: Visit;
}

/** How the pieces of the grammar reach each other: words hold scripts, and scripts hold words. */
export interface Visit {
  /** Reads a script that runs in a shell of its own. */
  subshell(walk: Walk, script: ParsedScript | undefined): void;
  /** Reads a text as a script that runs in a shell of its own, in one of `folders`. */
  text(walk: Walk, text: string, folders: Folders): void;
  /** Reads every script below a node that is refused anyway, so that its commands are known. */
  everything(walk: Walk, node: SyntaxNode): void;
}

/** Where the shell may be after a command, if it succeeds and if it fails. */
export interface Outcome {
  readonly success: Folders;
  readonly failure: Folders;
}

/** Notes something that policy has to weigh. */
export function doubt(walk: Walk, effect: Doubt['effect'], code: CommandCode, about: string, word?: string): void {
  walk.doubts.push({ effect, code, about, ...(word === undefined ? {} : { word }) });
}

/** Enters one level; false when a limit is reached, and then the line is denied. */
export function mayGoOn(walk: Walk): boolean {
  if (walk.exhausted) return false;
  if (walk.depth <= walk.limits.commandDepth && walk.commands.length < walk.limits.commandCount) return true;
  walk.exhausted = true;
  return false;
}
