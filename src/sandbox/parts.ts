import type { EgressDoor } from './contract.ts';

/** How sandboxes are made on this machine: an operator's settings. */
export interface SandboxOptions {
  /** Absolute path of `runsc`; looked up on PATH and in /usr/local/bin when absent. */
  readonly runscPath?: string;
  /** Oldest `runsc` that is taken, such as `20240729`. */
  readonly minRunscVersion?: string;
  readonly bubblewrapPath?: string;
  /** Whom programs run as when we are root: never root. Without it a level that must not start as root is not available. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
}

/**
 * A folder of this process (0700, outside every workspace) for what sandboxes need on the host: sockets, bundles, placeholders.
 * What a process left behind that died is removed when the next one opens its own.
 */
export interface RuntimeFolder {
  readonly path: string;
  /** A new folder in it, 0700. */
  make(name: string): string;
  /** Notes, before it exists, something outside the folder that must not outlive this process. */
  note(kind: 'placeholder' | 'runsc' | 'container' | 'cgroup', what: string): Leftover;
  close(): Promise<void>;
}

export interface Leftover {
  /** It is gone: nothing is to be swept. */
  done(): void;
}

/** The door to the network of one sandbox, opened on the host. */
export interface EgressSession {
  /** Host folder with nothing but the socket of the proxy, to be shown inside at the same path. */
  readonly folder: string;
  /** Absolute real paths that must be readable inside: the relay, the Node.js that runs it, certificates. */
  readonly runtime: readonly string[];
  /** The command that starts the relay inside and then becomes, or runs, `argv` with its signals and exit status. */
  readonly wrap: (argv: readonly [string, ...string[]]) => readonly [string, ...string[]];
  /** Variables for the command: proxies for curl, git, npm, Node.js and Python, with the token of this session. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Opens a proxy with a token of its own. `owner`: who may connect to its socket, where that is another user. */
export type OpenEgress = (
  door: EgressDoor,
  parts: { readonly folder: string; readonly owner: { readonly uid: number; readonly gid: number } | null },
) => Promise<EgressSession>;
