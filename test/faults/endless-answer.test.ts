import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ListeningServer, listeningServer, serverScript } from '../e2e/stand.ts';
import { type Serving, sallyport, startUp } from '../support/cli.ts';
import { peakMemory } from '../support/memory.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** MiB by which the gateway may grow while a server sends gigabytes: a few copies of what a result may have, and slack. */
const GROWTH = 250;

let workspace: Workspace;
let serving: Serving | null = null;
const remote: ListeningServer[] = [];

beforeEach(async () => {
  remote.push(await listeningServer('hostile-http.mjs', 'flood-json'));
  remote.push(await listeningServer('hostile-http.mjs', 'flood-events'));
  const spawned = (mode: string): object => ({
    command: [process.execPath, serverScript('hostile.mjs'), mode],
    protocol: '2025-11-25',
  });
  const servers = {
    ...{ line: spawned('flood-line'), noise: spawned('flood-noise'), fine: spawned('pid') },
    ...{ json: { url: remote[0]?.url }, events: { url: remote[1]?.url } },
  };
  const tools = Object.fromEntries(Object.keys(servers).map((name) => [`mcp__${name}__echo`, {}]));
  workspace = makeWorkspace(JSON.stringify({ version: 1, defaults: { isolation: 'none' }, tools, servers }));
  for (const name of Object.keys(servers)) {
    const approved = await sallyport(['servers', 'approve', name, '--yes', '--state', workspace.state], {
      cwd: workspace.root,
    });
    expect([approved.code, approved.err]).toEqual([0, expect.anything()]);
  }
  serving = await startUp(['--state', workspace.state, '--auth', 'none'], workspace.root);
});
afterEach(async () => {
  await serving?.stop('SIGKILL');
  for (const server of remote.splice(0)) await server.close();
  workspace.remove();
});

it('[T1.8] answers without end: each call ends with its code, memory stays bounded, other servers are used meanwhile', async () => {
  const client = new Client({ name: 'test', version: '0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(String(serving?.started['url']))));
  const call = async (name: string): Promise<string> =>
    JSON.stringify(await client.callTool({ name: `${name}__echo`, arguments: {} }));
  expect(await call('fine')).toMatch(/"\d+"/);
  const pid = serving?.child.pid ?? 0;
  const before = peakMemory(pid);
  const floods = ['line', 'noise', 'json', 'events'].map(call);
  expect(await call('fine')).toMatch(/"\d+"/);
  for (const answer of await Promise.all(floods)) expect(answer).toMatch(/RESULT_TOO_LARGE|SERVER_UNAVAILABLE/);
  expect(await call('fine')).toMatch(/"\d+"/);
  const after = peakMemory(pid);
  if (before !== null && after !== null) expect(after - before).toBeLessThan(GROWTH);
  await client.close();
});
