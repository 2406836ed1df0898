import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { MAIN } from '../support/cli.ts';
import type { Workspace } from '../support/workspace.ts';

const GATE = fileURLToPath(new URL('fire-gate.mjs', import.meta.url));

/** Something that works on the shared state and can be killed. */
export interface Worker {
  /** Kills one of its processes with SIGKILL; true when it is gone with that and needs a successor. */
  hurt(): Promise<boolean>;
  /** Kills it; resolves when it is gone. */
  kill(): Promise<void>;
  /** What it said was acknowledged, one line each. */
  said(): readonly string[];
}

/** A gate in a process of its own, under load. */
export async function startGate(state: string, name: string): Promise<Worker> {
  const child = spawn(process.execPath, [GATE, state, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // Not ready is fine: others may be killed around it. A gate that ends by itself is not.
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => text.includes('ready\n') && resolve());
    child.once('exit', (code) => reject(new Error(`the gate ${name} ended with ${code}`)));
  });
  return {
    async hurt() {
      await killed(child);
      return true;
    },
    kill: () => killed(child),
    // What the kill cut off was not said.
    said: () => text.slice(0, text.lastIndexOf('\n') + 1).split('\n'),
  };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error('a gate ended by itself');
  child.kill('SIGKILL');
  await once(child, 'close');
}

/** The gateway on stdio with a server behind it, and a client that calls without rest. `hurt` takes gateway or server. */
export async function startGateway(workspace: Workspace, takeServer: () => boolean): Promise<Worker> {
  const args = [MAIN, 'mcp', '--state', workspace.state];
  const transport = new StdioClientTransport({
    command: process.execPath,
    args,
    cwd: workspace.root,
    stderr: 'ignore',
  });
  const client = new Client({ name: 'fire', version: '0' });
  await client.connect(transport);
  let server = 0;
  let ended = false;
  const calling = (async () => {
    while (!ended) {
      await client.callTool({ name: 's__echo', arguments: {} }).then(
        ({ content }) => {
          const [first] = content;
          server =
            first?.type === 'text' && /^"?\d+"?$/.test(first.text) ? Number(first.text.replaceAll('"', '')) : server;
        },
        // The gateway was killed in mid-call.
        (error: unknown) => error,
      );
    }
  })();
  const kill = async (): Promise<void> => {
    ended = true;
    const { pid } = transport;
    if (pid !== null) killIfThere(pid);
    await client.close();
    await calling;
  };
  return {
    kill,
    async hurt() {
      if (takeServer() && server > 0) {
        killIfThere(server);
        server = 0;
        return false;
      }
      await kill();
      return true;
    },
    said: () => [],
  };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
