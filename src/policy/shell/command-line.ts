import type { ErrorCode } from '../../core/index.ts';
import type { Effect } from '../decision.ts';
import type { PathUse } from '../facts.ts';
import type { Word } from './word.ts';

/** The named limits of DESIGN section 10 for one command line. */
export interface CommandLimits {
  readonly commandBytes: number;
  /** Simple commands in one line. */
  readonly commandCount: number;
  /** Nesting of substitutions, groups and wrapped commands. */
  readonly commandDepth: number;
}

export const DEFAULT_COMMAND_LIMITS: CommandLimits = Object.freeze({
  commandBytes: 65_536,
  commandCount: 256,
  commandDepth: 32,
});

/** The codes that a command line can be refused or questioned with. */
export type CommandCode = Extract<ErrorCode, `COMMAND_${string}`>;

/** A line that could not be read: a denial by itself. `about` is text of ours. */
export interface CommandTrouble {
  readonly trouble: CommandCode;
  readonly about: string;
}

/** Something in a line that policy has to weigh. `about` is text of ours, never the line's. */
export interface Doubt {
  readonly effect: Exclude<Effect, 'allow'>;
  readonly code: CommandCode;
  readonly about: string;
  /** The word it stands in. ATTACKER-CONTROLLED. */
  readonly word?: string;
  /** Number of that word in its command: an entry of allowedCommands that names the word itself answers the doubt. */
  readonly index?: number;
}

/** A file or folder that a command would touch. */
export interface PathOperand {
  /** As written, after quote removal. ATTACKER-CONTROLLED. */
  readonly text: string;
  readonly use: PathUse;
  /** The folder that relative paths are read against: relative to the root (`.`), absolute, or null: not known. */
  readonly cwd: string | null;
  readonly via: 'operand' | 'redirection';
  /** `text` is a pattern of bash: it stands for every path that it matches. */
  readonly pattern: boolean;
}

/** One assignment before a command, or by `export`, `env` and the like. */
export interface CommandAssignment {
  readonly name: string;
  readonly value: Word | null;
}

/** One command that the line could run, with what is known about its program. */
export interface SimpleCommand {
  /** Command word first. */
  readonly words: readonly Word[];
  readonly assignments: readonly CommandAssignment[];
  readonly paths: readonly PathOperand[];
  readonly doubts: readonly Doubt[];
  /** The sub-command's words: `words` without the global options before the sub-command. */
  readonly stripped: readonly Word[];
  /** `stripped` with aliases resolved, options in full and clusters apart. */
  readonly canonical: readonly Word[];
  /** What started it: the line itself, a wrapper (C11), or a command that hands it to a container. */
  readonly origin: 'line' | 'wrapper' | 'container';
  /** For what another command started: which one, and which of its words an entry has to reach to name this one too. */
  readonly startedBy: { readonly command: number; readonly word: number } | null;
  /** Run by bash itself. */
  readonly builtin: boolean;
  /** It only sets variables, whose names are judged: it need not be listed. */
  readonly assigning: boolean;
  /** A table describes its program. */
  readonly known: boolean;
  /** A keyword of bash (`time`), not a program. */
  readonly keyword: boolean;
  readonly redirected: boolean;
}

/** What a command line could do: facts, no policy. */
export interface CommandLine {
  readonly text: string;
  readonly commands: readonly SimpleCommand[];
  /** Redirections of groups and loops; those of a command stand with it. */
  readonly paths: readonly PathOperand[];
  readonly doubts: readonly Doubt[];
  /** Assignments without a command. */
  readonly assignments: readonly CommandAssignment[];
  /** One simple command and nothing else: no shell is needed. */
  readonly simple: boolean;
}

/** True for a line that could not be read. */
export const isCommandTrouble = (reading: CommandLine | CommandTrouble): reading is CommandTrouble =>
  'trouble' in reading;
