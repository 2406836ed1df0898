import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAIN, type Serving, startUp } from '../support/cli.ts';
import { peakMemory } from '../support/memory.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** MiB by which the gateway may grow for clients that ask for gigabytes and read nothing. */
const GROWTH = 450;
const REQUESTS = 2_000;

let workspace: Workspace;
let ends: (() => unknown)[] = [];
beforeEach(() => {
  workspace = makeWorkspace('version: 1\ntools: { file_read: { allowedPaths: ["*.txt"] } }\n', {
    'large.txt': 'x'.repeat(900_000),
    'small.txt': 'small',
  });
});
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
  workspace.remove();
});

const request = (id: number, method: string, params: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const initialize = request(0, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'deaf', version: '0' },
});
const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
const readLarge = (id: number): string =>
  request(id, 'tools/call', { name: 'file_read', arguments: { path: 'large.txt' } });

/** How far a process grows until its peak has not moved for two seconds. */
async function growth(pid: number, before: number | null): Promise<number> {
  let peak = peakMemory(pid) ?? 0;
  for (let still = 0; still < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = peakMemory(pid) ?? 0;
    still = now === peak ? still + 1 : 0;
    peak = now;
  }
  return peak - (before ?? peak);
}

it('[T1.8] a client on stdio that never reads: memory stays bounded', async () => {
  const child = spawn(process.execPath, [MAIN, 'mcp', '--state', workspace.state], {
    cwd: workspace.root,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  ends.push(async () => {
    child.kill('SIGKILL');
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
  });
  child.stdin.on('error', () => child.stdin.destroy());
  child.stdin.write(`${initialize}\n${initialized}\n`);
  await once(child.stdout, 'readable');
  const pid = child.pid ?? 0;
  const before = peakMemory(pid);
  for (let id = 1; id <= REQUESTS; id++) child.stdin.write(`${readLarge(id)}\n`);
  expect(await growth(pid, before)).toBeLessThan(GROWTH);
});

async function session(url: string): Promise<Record<string, string>> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
  };
  const answer = await fetch(url, { method: 'POST', headers, body: initialize });
  await answer.text();
  const id = answer.headers.get('mcp-session-id');
  const with_ = { ...headers, ...(id === null ? {} : { 'mcp-session-id': id }) };
  await (await fetch(url, { method: 'POST', headers: with_, body: initialized })).text();
  return with_;
}

/** A connection that sends one request after the other and reads no answer. */
function deaf(serving: Serving, headers: Record<string, string>): Socket {
  const url = new URL(String(serving.started['url']));
  const socket = connect(Number(url.port), url.hostname).pause();
  socket.on('error', () => socket.destroy());
  const head = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  for (let id = 1; id <= REQUESTS / 40; id++) {
    const body = readLarge(id);
    socket.write(`POST ${url.pathname} HTTP/1.1\r\n${head.join('')}content-length: ${body.length}\r\n\r\n${body}`);
  }
  return socket;
}

it('[T1.8] clients over HTTP that never read: memory stays bounded, and others are served', async () => {
  const serving = await startUp(['--state', workspace.state, '--auth', 'none'], workspace.root);
  ends.push(() => serving.stop('SIGKILL'));
  const url = String(serving.started['url']);
  const client = new Client({ name: 'test', version: '0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const read = async (): Promise<string> =>
    JSON.stringify((await client.callTool({ name: 'file_read', arguments: { path: 'small.txt' } })).content);
  expect(await read()).toContain('small');
  const pid = serving.child.pid ?? 0;
  const before = peakMemory(pid);
  const headers = await session(url);
  for (let count = 0; count < 40; count++) {
    const socket = deaf(serving, headers);
    ends.push(() => socket.destroy());
  }
  expect(await growth(pid, before)).toBeLessThan(GROWTH);
  expect(await read()).toContain('small');
  await client.close();
});
