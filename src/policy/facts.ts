import type { CanonicalUrl, IsolationLevel, JsonObject, JsonValue, Principal, UrlTrouble } from '../core/index.ts';
import type { FlowEffect } from './policy.ts';
import type { CommandLine, CommandTrouble } from './shell/index.ts';

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
  /** Set, with `controlFile`, when Sallyport itself is loaded from there. */
  readonly ownCode?: boolean;
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

/** One HTTP request that a call would make, or the URL that an argument stands for. ATTACKER-CONTROLLED throughout. */
export interface RequestFacts {
  /** `null`: only a URL is known (`as: api_call`). */
  readonly method: string | null;
  readonly url: CanonicalUrl | UrlTrouble;
  readonly headers: JsonObject;
  /** `null`: none. */
  readonly body: JsonValue;
  /** Every address that the name resolved to; `null`: not looked up, which is done for names that a rule allows only. */
  readonly addresses: readonly string[] | null;
}

/** Everything a decision is made from. Plain data, gathered once, frozen. */
export interface CallFacts {
  /** Name in the policy: `file_read`, `mcp__SERVER__TOOL`. */
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly principal: Principal;
  /**
   * How each path was read: that of an argument under its name, items of a list under `NAME/INDEX`; what a command line
   * touches under `command:N` in the order of `commandPaths`, what its pattern stands for under `command:N/M`, and the
   * folder that it starts in, where the call names one, under `command:cwd`.
   */
  readonly paths: Readonly<Record<string, { readonly use: PathUse; readonly reading: PathReading }>>;
  /** What the tool itself declares to be paths; what a policy declares besides is read by each policy that counts. */
  readonly declaredPaths?: Readonly<Record<string, PathUse>>;
  /** Where the effect takes place: `built-in` is our own code, which spawns nothing. */
  readonly runs: 'built-in' | 'in-process' | 'spawned' | 'remote';
  /** What the tool does to the world, as far as we or the developer say; a server's word about itself does not count. */
  readonly effect?: FlowEffect;
  /** What the command line of a shell tool could do. */
  readonly command?: CommandLine | CommandTrouble;
  /** The requests of a call: `url` for the call of `api_call` itself, else the name of the argument, `NAME/INDEX` in lists. */
  readonly requests?: Readonly<Record<string, RequestFacts>>;
  /** When this principal's calls of this tool were admitted, in milliseconds on the clock of `now`, oldest first. */
  readonly history?: readonly number[];
  /** When the call was made. */
  readonly now?: number;
  /**
   * Where what the call spawns would run on this machine: the first of the levels asked for that was proven; `null` and why where
   * none was. `terms`: digest of what it would see there. Absent: nothing is spawned, or nobody looked.
   */
  readonly isolation?: {
    readonly asked: readonly IsolationLevel[];
    readonly achieved: IsolationLevel | null;
    readonly reason: string;
    readonly terms: string | null;
  };
  /** What the guard finds suspicious about the call, or has found in its session; `null`: nothing; absent: nobody looked. */
  readonly suspicion?: string | null;
  /** The keeper knows that an identical call was under way when a process died. */
  readonly uncertain: boolean;
}
