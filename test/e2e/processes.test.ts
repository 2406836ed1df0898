import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Serving, sallyport, startUp } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { serverScript } from './stand.ts';

let workspace: Workspace;
let serving: Serving | null = null;
beforeEach(() => {
  const servers = { s: { command: [process.execPath, serverScript('hostile.mjs'), 'pid'], protocol: '2025-11-25' } };
  workspace = makeWorkspace(
    `version: 1\ndefaults: { isolation: none }\ntools: { mcp__s__echo: {} }\nservers: ${JSON.stringify(servers)}\n`,
  );
});
afterEach(async () => {
  await serving?.stop('SIGKILL');
  workspace.remove();
});

/** Starts the gateway as a process, with one call to its server: the process id of that server. */
async function serverPid(): Promise<number> {
  const approved = await sallyport(['servers', 'approve', 's', '--yes', '--state', workspace.state], {
    cwd: workspace.root,
  });
  expect([approved.code, approved.err]).toEqual([0, expect.stringContaining('Returns what it was sent')]);
  serving = await startUp(['--state', workspace.state, '--auth', 'none'], workspace.root);
  const client = new Client({ name: 'test', version: '0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(String(serving.started['url']))));
  const { content } = await client.callTool({ name: 's__echo', arguments: {} });
  await client.close();
  const [first] = content;
  return Number(first?.type === 'text' ? first.text : Number.NaN);
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a server process', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('ends with the gateway (%s)', async (signal) => {
    const pid = await serverPid();
    expect(isAlive(pid)).toBe(true);
    await serving?.stop(signal);
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('is started again after it was killed', async () => {
    const pid = await serverPid();
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
    const client = new Client({ name: 'test', version: '0' });
    await client.connect(new StreamableHTTPClientTransport(new URL(String(serving?.started['url']))));
    const call = async (): Promise<string> => JSON.stringify((await client.callTool({ name: 's__echo' })).content);
    expect(await call()).not.toContain(String(pid));
    expect(await call()).toMatch(/"\d+"/);
    await client.close();
  });
});
