import type { Readable, Writable } from 'node:stream';
import { isSallyportError, SallyportError } from '../core/index.ts';
import type { SandboxProcess } from '../gate/index.ts';

/** A server process that was started. */
export interface ServerProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves with a sentence about how the process ended. */
  readonly ended: Promise<string>;
  /** The last of what it wrote to standard error, at most 8 KiB. ATTACKER-CONTROLLED. */
  errorTail(): string;
  /** Bytes that it wrote to standard error. */
  errorBytes(): number;
  /** Ends the process and everything it started: SIGTERM, then SIGKILL. Resolves when all of it is gone. */
  stop(): Promise<void>;
}

/** Starts the program of a server, in the isolation that its policy asks for. */
export type StartServer = () => Promise<SandboxProcess>;

const KILL_AFTER_MS = 2_000;
const ERROR_TAIL_BYTES = 8_192;

/**
 * Starts a server.
 * @throws SallyportError SERVER_UNAVAILABLE, ISOLATION_UNAVAILABLE
 */
export async function startProcess(start: StartServer): Promise<ServerProcess> {
  const child = await started(start);
  const { pid, stdin, stdout, stderr } = child;
  if (stdin === null) throw new SallyportError('SERVER_UNAVAILABLE', 'the server has no standard input');
  // A pipe to a process that died is the process's end, which `ended` reports.
  stdin.on('error', () => undefined);
  const errors = keepTail(stderr);
  const ended = endOf(child);
  return { pid, stdin, stdout, ended, ...errors, stop: () => child.stop(KILL_AFTER_MS) };
}

async function started(start: StartServer): Promise<SandboxProcess> {
  try {
    return await start();
  } catch (cause) {
    if (!isSallyportError(cause, 'SANDBOX_FAILED') && !isSallyportError(cause, 'PROGRAM_UNAVAILABLE')) throw cause;
    throw new SallyportError('SERVER_UNAVAILABLE', `the server cannot be started: ${cause.message}`, { cause });
  }
}

/** A limit of its sandbox that ended it is said before how it ended. */
async function endOf({ ended }: SandboxProcess): Promise<string> {
  const { status, signal, killedBy } = await ended;
  if (killedBy !== null && killedBy !== 'stopped') return `the server was ended by its limit of ${killedBy}`;
  return signal === null ? `the server ended with exit code ${status}` : `the server was ended by ${signal}`;
}

/** Drains a stream so that its writer never blocks, counts it, and keeps only the end of it. */
function keepTail(stream: Readable): Pick<ServerProcess, 'errorTail' | 'errorBytes'> {
  let tail: Buffer = Buffer.alloc(0);
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    tail = Buffer.concat([tail, chunk.subarray(-ERROR_TAIL_BYTES)]).subarray(-ERROR_TAIL_BYTES);
  });
  stream.on('error', () => undefined);
  return { errorTail: () => tail.toString('utf8'), errorBytes: () => bytes };
}
