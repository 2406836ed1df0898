import { DEFAULT_LIMITS, isSallyportError, type Limits, quoteForMessage, SallyportError } from '../core/index.ts';
import type { SandboxProcess } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ServerDefinitions } from './definitions.ts';
import { type LockedServer, lockedServer, readLockToApprove, writeLock } from './lock.ts';
import { connectUpstream } from './upstream-connection.ts';

export interface FetchOptions {
  /** Starts the program of a server that is spawned: see `openServerSandboxes`. */
  readonly start: (rule: ServerRule) => Promise<SandboxProcess>;
  readonly version?: string;
  readonly limits?: Partial<Limits>;
}

/**
 * Starts (or calls) a server and fetches all that it says about itself, for an operator to look at. No tool is called.
 *
 * @throws SallyportError SERVER_UNAVAILABLE (with the end of what it wrote to standard error, quoted), SERVER_DEFINITIONS, RESULT_TOO_LARGE, RESULT_MALFORMED, TOOL_TIMEOUT
 */
export async function fetchDefinitions(rule: ServerRule, options: FetchOptions): Promise<ServerDefinitions> {
  const { start, version = '0.0.0' } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  try {
    const connection = await connectUpstream(rule, { start, version, limits });
    try {
      return await connection.definitions();
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw withErrorOutput(error);
  }
}

/** The words of a server are shown to the operator who starts it, and to nobody else. ATTACKER-CONTROLLED: both details. */
function withErrorOutput(error: unknown): unknown {
  if (!isSallyportError(error)) return error;
  const { words, stderr } = error.detail;
  const text = [error.message, ...told('it said', words), ...told('it wrote', stderr)].join('; ');
  return text === error.message ? error : new SallyportError(error.code, text, { cause: error });
}

const told = (label: string, words: unknown): string[] =>
  typeof words === 'string' && words.trim() !== ''
    ? [`${label}: ${quoteForMessage(words.trim().slice(-ERROR_CHARACTERS), ERROR_CHARACTERS)}`]
    : [];

const ERROR_CHARACTERS = 1_000;

/**
 * Keeps what an operator approved: these definitions of this server, and no others.
 *
 * @throws SallyportError LOCK_INVALID
 */
export async function approveServer(
  rule: ServerRule,
  definitions: ServerDefinitions,
  options: { readonly lockPath: string; readonly now?: Date },
): Promise<LockedServer> {
  const lock = await readLockToApprove(options.lockPath);
  const entry = lockedServer(rule, definitions, options.now ?? new Date(), lock.packages.get(rule.name));
  await writeLock(options.lockPath, { ...lock, servers: new Map([...lock.servers, [rule.name, entry]]) });
  return entry;
}
