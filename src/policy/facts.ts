import type { JsonObject, Principal } from '../core/index.ts';
import type { FlowEffect } from './policy.ts';

/**
 * What the file system said about a path argument, gathered by the gate before the decision: policy itself does no I/O.
 * All paths are absolute.
 */
export interface PathFacts {
  /** As the caller wrote it. ATTACKER-CONTROLLED. */
  readonly given: string;
  /** `given` against the root, `.` and `..` removed as text. */
  readonly lexical: string;
  /** Every symbolic link followed; for a missing leaf the deepest existing ancestor with the rest appended. */
  readonly real: string;
  readonly kind: 'file' | 'folder' | 'missing' | 'special';
  /** Number of hard links; 0 if missing. */
  readonly links: number;
  /** `device:inode` of what `real` names, or of nothing. */
  readonly identity: string | null;
  /** Set when `real`, or the inode behind it, is a control file (DESIGN section 2). */
  readonly controlFile: boolean;
  /** Set, with `controlFile`, when it lies in the state folder: no use of it is allowed, not even reading. */
  readonly stateFolder?: boolean;
}

/** What a path argument could not be read as: a denial by itself. */
export interface PathTrouble {
  readonly given: string;
  readonly trouble:
    | 'PATH_MALFORMED'
    | 'PATH_TOO_LONG'
    | 'PATH_TOO_MANY_LINKS'
    | 'PATH_SPECIAL_FILE'
    | 'PATH_UNREADABLE';
}

export type PathReading = PathFacts | PathTrouble;

/** What an argument stands for: judged by the rule of the tool it names. */
export type PathUse = 'file_read' | 'file_write';

/** Everything a decision is made from. Plain data, gathered once, frozen. */
export interface CallFacts {
  /** Name in the policy: `file_read`, `mcp__SERVER__TOOL`. */
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly principal: Principal;
  /** How each path argument was read: under its name, items of a list under `NAME/INDEX`. */
  readonly paths: Readonly<Record<string, { readonly use: PathUse; readonly reading: PathReading }>>;
  /** Where the effect takes place: `built-in` is our own code, which spawns nothing. */
  readonly runs: 'built-in' | 'in-process' | 'spawned' | 'remote';
  /** What the tool does to the world, as far as we or the developer say; a server's word about itself does not count. */
  readonly effect?: FlowEffect;
  /** The keeper knows that an identical call was under way when a process died. */
  readonly uncertain: boolean;
}
