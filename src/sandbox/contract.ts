import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { IsolationLevel } from '../core/index.ts';

/** A file or folder of the host that is shown inside at the same path. */
export interface Mount {
  /** Absolute real path: no link in it. It must exist, or the start fails. */
  readonly path: string;
  readonly access: 'read' | 'write';
}

/** A place below a mount that is not what the mount says. */
export interface Cover {
  /** Absolute real path of something that exists below a mount. */
  readonly path: string;
  /** `hidden`: there and empty, and opening it for reading or writing fails. `read-only`: as it is, and cannot be changed. */
  readonly kind: 'hidden' | 'read-only';
}

/** What a sandboxed program may use at most. 0: no limit. */
export interface SandboxLimits {
  /** Milliseconds until everything in the sandbox is killed. */
  readonly wallMs: number;
  /** Bytes of memory of all its processes together. */
  readonly memoryBytes: number;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Bytes of the largest file that it may write. */
  readonly fileBytes: number;
  /** Descriptors open at once, for each process. */
  readonly openFiles: number;
  /** Bytes that it may print to standard output and error together before it is killed. */
  readonly outputBytes: number;
  /** Bytes of its private temporary folder and home; also how much the free space of a writable mount may fall before it is killed. */
  readonly diskBytes: number;
}

/**
 * What a program may see and use, compiled from the policy: plain, frozen data. Besides it a sandbox shows the runtime only:
 * system programs and libraries, certificates of authorities, a made-up user and host, private `/tmp` and home, all empty.
 */
export interface SandboxProfile {
  /** Parents before children. */
  readonly mounts: readonly Mount[];
  readonly covers: readonly Cover[];
  /**
   * Absolute paths that do not exist, and that the program must not bring into being (`.mcp.json` in a writable workspace).
   * Their parent folder exists and is a writable mount or lies below one.
   */
  readonly reserved: readonly string[];
  /** Further read-only parts of the runtime: absolute real paths, such as the prefix of a Node.js that is not under /usr. */
  readonly runtime: readonly string[];
  readonly limits: SandboxLimits;
  /** The only way to a network; null: there is none, not even to loopback of the host. */
  readonly egress: EgressDoor | null;
}

/** One program to run: no shell, no inherited environment. */
export interface SandboxCommand {
  /** Program (looked up on `PATH` of `env` inside the sandbox, or an absolute path) and its arguments; no NUL. */
  readonly argv: readonly [string, ...string[]];
  /** Its `argv[0]`, where that differs from the program. */
  readonly argv0?: string;
  /** The whole environment besides `HOME`, `TMPDIR` and the variables of the proxy, which the sandbox sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path inside; below a mount, or the private home. */
  readonly cwd: string;
  /** `pipe`: the caller writes; `none`: it reads the end of the file at once. */
  readonly stdin: 'pipe' | 'none';
}

/** How a level is available on this machine: what was proven, or what keeps it from being used. */
export interface LevelReport {
  readonly level: IsolationLevel;
  readonly available: boolean;
  /** `bubblewrap 0.8.0`, `runsc release-20240729.0 (systrap)`; empty when there is no program. */
  readonly backend: string;
  /** Why it is not available, a sentence each; empty when it is. */
  readonly reasons: readonly string[];
  /** How to make it available. */
  readonly remedy: string;
  /** Attempts that were made inside, and which got through. */
  readonly probe: { readonly attempts: number; readonly leaked: readonly string[]; readonly digest: string } | null;
  /** What holds each limit: `cgroup`, `rlimit`, `watchdog`, `tmpfs`, or `none`. */
  readonly limits: Readonly<Record<keyof SandboxLimits, string>>;
}

/** A level that was proven here, to start programs at. */
export interface ChosenLevel {
  readonly level: IsolationLevel;
  readonly report: LevelReport;
}

/** What stands in the record about where a program ran. */
export interface SandboxEvidence {
  readonly level: IsolationLevel;
  readonly backend: string;
  /** SHA-256 of the canonical JSON of the profile (without its functions). */
  readonly profile: string;
  readonly probe: string | null;
  readonly limits: Readonly<Record<keyof SandboxLimits, string>>;
  readonly network: 'none' | 'proxy' | 'host';
}

/** Why a program was ended from outside; null: it ended by itself. */
export type KilledBy = null | 'timeout' | 'memory' | 'processes' | 'output' | 'disk' | 'stopped';

export interface SandboxEnd {
  /** Exit status of the program; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly killedBy: KilledBy;
}

/** A program that runs in a sandbox. Its streams have back-pressure. */
export interface SandboxProcess {
  readonly pid: number;
  /** Null with `stdin: 'none'`. */
  readonly stdin: Writable | null;
  /** ATTACKER-CONTROLLED, as is `stderr`. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly evidence: SandboxEvidence;
  /** Settles when every process of the sandbox is gone and nothing of it is left on the host. Never rejects. */
  readonly ended: Promise<SandboxEnd>;
  /** Asks the program to end (SIGTERM), then kills everything in the sandbox. Idempotent. */
  stop(graceMs?: number): Promise<void>;
}

export interface StartOptions {
  /** Ends everything at once when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Programs with the same owner (a principal's session) and profile may share one warm sandbox where the level has such;
   * null: one of its own.
   */
  readonly owner: string | null;
}

/** One way to isolate. Siblings behind one contract suite. */
export interface SandboxBackend {
  readonly level: IsolationLevel;
  /** Proves itself by attempts from inside, with a positive control outside; the result is kept while nothing changes. */
  report(): Promise<LevelReport>;
  /**
   * @throws SallyportError SANDBOX_FAILED: nothing ran; PROGRAM_UNAVAILABLE: there is no such program, where that can be told;
   * ISOLATION_UNAVAILABLE: it cannot do what the profile asks
   */
  start(profile: SandboxProfile, command: SandboxCommand, options: StartOptions): Promise<SandboxProcess>;
  /** Ends warm sandboxes of an owner (null: of all): its profile became narrower, or its session is over. */
  release(owner: string | null): Promise<void>;
  /** Ends everything that was started, and leaves nothing behind. */
  close(): Promise<void>;
}

/** What wants out of a sandbox. ATTACKER-CONTROLLED: every field but `scheme`. */
export interface EgressAsk {
  /** `tcp`: a tunnel whose content is not seen. */
  readonly scheme: 'http' | 'https' | 'tcp';
  /** As the client wrote it; a name is not looked up before it is judged. */
  readonly host: string;
  readonly port: number;
  /** Null for a tunnel. */
  readonly method: string | null;
  /** The absolute URL of the request; null for a tunnel. */
  readonly url: string | null;
}

export type EgressAnswer =
  | {
      readonly allowed: true;
      readonly rule: string;
      /** Whether an address that is not public may be dialled: the policy named exactly this endpoint as internal. */
      readonly internal: boolean;
      /** Credentials that the client sends (`Authorization`, `Cookie` and the like) go through; else they are taken out. */
      readonly credentials?: true;
      /**
       * For `tcp`: anything may go through the tunnel. Else its first bytes must be a TLS ClientHello that names the judged
       * host, or nothing is sent.
       */
      readonly tunnel?: 'any';
    }
  | { readonly allowed: false; readonly rule: string; readonly reason: string };

/** One connection or request that left, or was refused. */
export interface EgressEvent {
  readonly ask: EgressAsk;
  readonly allowed: boolean;
  readonly rule: string;
  /** What was dialled; null where nothing was. */
  readonly address: string | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Status of the answer where it is seen; null else. */
  readonly status: number | null;
  readonly error: string | null;
}

/** The one door to the network. The policy stands behind `judge`. */
export interface EgressDoor {
  /** What the door lets out, in canonical words: part of the digest of the profile. */
  readonly digest: string;
  /** Judges before any look-up of a name. Never rejects; may wait for a person. */
  readonly judge: (ask: EgressAsk) => Promise<EgressAnswer>;
  readonly record: (event: EgressEvent) => void;
  /** TLS ends at the proxy, with an authority made for this sandbox alone, so that methods and paths are judged. */
  readonly terminateTls: boolean;
  /** Certificates (PEM) of authorities that are trusted besides those of Node.js when TLS is terminated. */
  readonly certificates?: readonly string[];
  /** Every address of a name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Connects to exactly this address. */
  readonly dial: (target: { address: string; port: number }, signal: AbortSignal) => Promise<Socket>;
}
