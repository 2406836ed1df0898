import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isJsonObject, parseStrictJson, quoteForMessage } from '../core/index.ts';
import type { SandboxBackend, SandboxProcess } from './contract.ts';
import { PROBE_ATTEMPTS, PROBE_LIMITS } from './probe-attempts.ts';
import { type ProbeFolder, type ProbeUser, probeProfile } from './probe-folder.ts';

/** Runs the program of the probe in its workspace; `secret` is a variable of ours that must not be seen inside. */
export type Launch = (folder: ProbeFolder, secret: string) => Promise<{ output: string; failure: string | null }>;

/** The sandbox ends at its own limit; a backend that does not hold even that is given up a little later. In milliseconds. */
const GIVE_UP_MS = PROBE_LIMITS.wallMs + 2_000;
const OUTPUT_BYTES = PROBE_LIMITS.outputBytes;
/** How much of what the sandbox printed to standard error is told, in characters. */
const TOLD_CHARACTERS = 300;

const PROBE_PATH = '/usr/local/bin:/usr/bin:/bin';

/** The Node.js that runs us. */
const node = (): string => realpathSync(process.execPath);

/** Keeps the first bytes and drops the rest. */
function collect(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < OUTPUT_BYTES) chunks.push(chunk.subarray(0, OUTPUT_BYTES - bytes));
    bytes += chunk.length;
  });
  // A stream that breaks ends the output; that the program did not finish shows in what is missing.
  stream.on('error', () => stream.destroy());
  return () => Buffer.concat(chunks).toString('utf8');
}

/** Whether it ended in time; what did not is stopped. */
async function endOf(sandbox: SandboxProcess): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), GIVE_UP_MS);
  });
  const inTime = await Promise.race([sandbox.ended.then(() => true as const), late]);
  clearTimeout(timer);
  if (!inTime) await Promise.race([sandbox.stop(0), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  return inTime;
}

/** While it runs, a variable of our environment holds the secret: a backend that hands ours on shows it. */
async function withSecret<Value>(secret: string, run: () => Promise<Value>): Promise<Value> {
  const name = `SALLYPORT_PROBE_${secret.slice(-16)}`;
  process.env[name] = secret;
  try {
    return await run();
  } finally {
    delete process.env[name];
  }
}

/** By the backend under test. */
export function launchInside(start: SandboxBackend['start']): Launch {
  return (folder, secret) =>
    withSecret(secret, async () => {
      const sandbox = await start(
        probeProfile(folder.work, node()),
        {
          argv: [node(), join(folder.work, 'program.cjs')],
          env: { PATH: PROBE_PATH },
          cwd: folder.work,
          stdin: 'none',
        },
        { owner: null },
      );
      const [output, errors] = [collect(sandbox.stdout), collect(sandbox.stderr)];
      const inTime = await endOf(sandbox);
      const told = quoteForMessage(errors().slice(0, TOLD_CHARACTERS));
      return { output: output(), failure: inTime ? `it said ${told}` : 'it did not end in time' };
    });
}

async function outsideEnd(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
  await new Promise((resolve) => {
    child.once('close', resolve);
    child.once('error', resolve);
  });
  clearTimeout(timer);
}

/** Without a sandbox, as the same user: the positive control. It inherits what a careless backend would hand on. */
export function launchOutside(user: ProbeUser | null): Launch {
  return async (folder, secret) => {
    const inherited = openSync(join(folder.outside, 'canary.txt'), 'r');
    try {
      const child = spawn(node(), [join(folder.work, 'program.cjs')], {
        ...{ cwd: folder.work, env: { PATH: PROBE_PATH, SECRET: secret }, ...user },
        stdio: ['ignore', 'pipe', 'ignore', inherited],
      });
      const output = child.stdout === null ? () => '' : collect(child.stdout);
      await outsideEnd(child);
      return { output: output(), failure: null };
    } finally {
      closeSync(inherited);
    }
  };
}

const KNOWN = new Set(PROBE_ATTEMPTS.map(({ name }) => name));

/** ATTACKER-CONTROLLED: a backend that is not what it says may print anything. What does not parse is no result. */
export function readResults(output: string): ReadonlyMap<string, string> {
  try {
    const value = parseStrictJson(output, { maxBytes: OUTPUT_BYTES });
    if (!isJsonObject(value)) return new Map();
    const rows = Object.entries(value).filter(([name]) => KNOWN.has(name));
    return new Map(rows.map(([name, outcome]) => [name, String(outcome)]));
  } catch {
    return new Map();
  }
}
