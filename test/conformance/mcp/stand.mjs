// What the suite talks to: the upstream by itself, and the gateway in front of it as an operator starts it.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const upstreamScript = fileURLToPath(new URL('server.mjs', import.meta.url));
const commandLine = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const START_MS = 30_000;

/** Starts a script that prints one line when it listens. */
async function start(args, quiet) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'] });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  };
  try {
    const lines = createInterface({ input: child.stdout });
    const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(START_MS) });
    child.stdout.resume();
    return { line, stop };
  } catch (cause) {
    await stop();
    throw new Error(`${args.join(' ')} did not start`, { cause });
  }
}

/** The upstream on loopback. */
export async function startUpstream() {
  const { line, stop } = await start([upstreamScript], true);
  return { url: line, stop };
}

/** The upstream as a process that the gateway starts: its entry in the policy. */
export const upstreamCommand = { command: [process.execPath, upstreamScript, '--stdio'] };

/** Everything that MCP speaks, allowed: the suite shows what the gateway carries, not what it denies. */
const policyFor = (server, protocol) => ({
  version: 1,
  defaults: { isolation: 'none' },
  tools: { 'mcp__s__*': {} },
  servers: {
    s: {
      ...server,
      ...{ protocol, expose: 'as-is' },
      ...{ resources: ['**'], prompts: ['*'], completion: true, subscriptions: true, tasks: true },
      ...{ sampling: true, elicitation: true, roots: true, logging: true },
    },
  },
});

/** The gateway over HTTP in front of `server` (`{ url }` or `{ command }`), with an approved lock, in a temporary folder. */
export async function startGateway(server, protocol) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-conformance-')));
  try {
    const work = join(folder, 'work');
    mkdirSync(work);
    const policy = join(work, 'sallyport.yaml');
    writeFileSync(policy, JSON.stringify(policyFor(server, protocol)));
    const places = ['--policy', policy, '--state', join(folder, 'state')];
    const approve = ['servers', 'approve', 's', '--yes', ...places];
    await promisify(execFile)(process.execPath, [commandLine, ...approve], { timeout: START_MS });
    const { line, stop } = await start(
      [commandLine, 'up', '--port', '0', '--auth', 'none', '--json', ...places],
      false,
    );
    const end = async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { url: JSON.parse(line).url, stop: end };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
