// The gateway beside a direct connection and beside a bare proxy on the same SDK: one official client, one echo server,
// over stdio and over HTTP, 1 and 16 calls in flight. The three are measured in turns, so that a slow moment of the
// machine meets all of them. Needs dist/. Run it alone: node bench/gateway.mjs
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const self = fileURLToPath(import.meta.url);
const ROUNDS = 4;
const CALLS = { 1: 300, 16: 1_200 };
const MESSAGE = 'x'.repeat(1_024);
const tool = {
  name: 'echo',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
};

const newClient = () => new Client({ name: 'bench', version: '0' });
const onStdio = async (...args) => {
  const client = newClient();
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [self, ...args], stderr: 'inherit' }),
  );
  return client;
};
const onHttp = async (url) => {
  const client = newClient();
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
};

/** A server that answers `tools/call` with `call`. */
function serverOf(call) {
  const server = new Server({ name: 'echo', version: '0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', async () => ({ tools: [tool] }));
  server.setRequestHandler('tools/call', async ({ params }) => call(params));
  return server;
}
const echo = async ({ arguments: { message } }) => ({ content: [{ type: 'text', text: message }] });

/** Serves `call` over Streamable HTTP with sessions, as the SDK does it; prints the address. */
function listen(call) {
  const sessions = new Map();
  const server = createServer(async (request, response) => {
    const known = sessions.get(request.headers['mcp-session-id']);
    if (known !== undefined) return known.handleRequest(request, response);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await serverOf(call).connect(transport);
    return transport.handleRequest(request, response);
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
}

async function forwardTo(client) {
  return ({ name, arguments: args }) => client.callTool({ name, arguments: args });
}

/** The gateway over the echo server in `folder`, as `sallyport up` and `sallyport mcp` put it together. */
async function openGateway(folder) {
  const { loadPolicy, openGate } = await import('../dist/gate/index.js');
  const { createUpstreams, lockPathOf } = await import('../dist/gateway/index.js');
  const policyFile = join(folder, 'work', 'sallyport.yaml');
  const { policy, root } = await loadPolicy({ policy: policyFile });
  const upstreams = createUpstreams({ servers: policy.servers, lockPath: lockPathOf(policyFile), root });
  const state = join(folder, `state-${process.pid}`);
  const gate = await openGate({ policy, policyFile, state, missing: upstreams.missing });
  await upstreams.attach(gate);
  return { gate, upstreams };
}

const ROLES = {
  'server-stdio': () => serverOf(echo).connect(new StdioServerTransport()),
  'server-http': () => listen(echo),
  'proxy-stdio': async () =>
    serverOf(await forwardTo(await onStdio('server-stdio'))).connect(new StdioServerTransport()),
  'proxy-http': async (url) => listen(await forwardTo(await onHttp(url))),
  'gateway-stdio': async (folder) => {
    const { serveStdio } = await import('../dist/gateway/index.js');
    const front = { user: 'bench', agent: 'bench', input: process.stdin, output: process.stdout };
    await (await serveStdio({ ...(await openGateway(folder)), ...front })).closed;
    process.exit(0);
  },
  'gateway-http': async (folder) => {
    const { serveHttp } = await import('../dist/gateway/index.js');
    const { url } = await serveHttp({ ...(await openGateway(folder)), port: 0, authenticate: 'none' });
    console.log(url);
  },
};

/** Starts a role that listens; its address, and how to end it. */
async function start(...args) {
  const child = spawn(process.execPath, [self, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = await once(createInterface({ input: child.stdout }), 'line');
  return { url, stop: () => child.kill('SIGKILL') };
}

/** A workspace whose policy allows the echo tool of one approved server. */
async function prepare(folder, server) {
  const { loadPolicy } = await import('../dist/gate/index.js');
  const { approveServer, fetchDefinitions, lockPathOf } = await import('../dist/gateway/index.js');
  const { mkdirSync } = await import('node:fs');
  mkdirSync(join(folder, 'work'), { recursive: true });
  const policyFile = join(folder, 'work', 'sallyport.yaml');
  const policy = {
    version: 1,
    defaults: { isolation: 'none' },
    tools: { mcp__echo__echo: {} },
    servers: { echo: server },
  };
  writeFileSync(policyFile, JSON.stringify(policy));
  const loaded = await loadPolicy({ policy: policyFile });
  const rule = loaded.policy.servers.get('echo');
  await approveServer(rule, await fetchDefinitions(rule, { root: loaded.root }), { lockPath: lockPathOf(policyFile) });
  return folder;
}

/** Makes `count` calls, `inFlight` at a time: seconds, and each call's milliseconds. */
async function measure(client, name, count, inFlight) {
  const times = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const begin = performance.now();
      const result = await client.callTool({ name, arguments: { message: MESSAGE } });
      if (result.isError === true) throw new Error(`the call failed: ${JSON.stringify(result)}`);
      times.push(performance.now() - begin);
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { seconds: (performance.now() - begin) / 1_000, times };
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
const round = (value, digits = 2) => Number(value.toFixed(digits));

async function compare(surface, ways, inFlight) {
  for (const { client, name } of ways) await measure(client, name, 200, inFlight); // warm
  const totals = ways.map(() => ({ seconds: 0, times: [] }));
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const [index, { client, name }] of ways.entries()) {
      const { seconds, times } = await measure(client, name, CALLS[inFlight] / ROUNDS, inFlight);
      totals[index].seconds += seconds;
      totals[index].times.push(...times);
    }
  }
  const read = totals.map(({ seconds, times }) => {
    const sorted = times.sort((a, b) => a - b);
    return { rate: sorted.length / seconds, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
  });
  const [direct] = read;
  return ways.flatMap(({ label }, index) => {
    const { rate, p50, p99 } = read[index];
    const title = `${surface}, ${inFlight} in flight, ${label}`;
    const added = index === 0 ? '' : `adds p50 ${round(p50 - direct.p50)} ms, p99 ${round(p99 - direct.p99)} ms`;
    const note =
      index === 0 ? `p50 ${round(p50)} ms, p99 ${round(p99)} ms` : `${round(rate / direct.rate)} x direct; ${added}`;
    return [{ name: title, value: Math.round(rate), unit: 'calls/s', note }];
  });
}

/** @returns {Promise<{title: string, rows: {name: string, value: number, unit: string, note?: string}[]}>} */
export async function run() {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-bench-')));
  const running = [];
  const clients = [];
  try {
    const server = await start('server-http');
    running.push(server);
    const command = [process.execPath, self, 'server-stdio'];
    const stdioFolder = await prepare(join(base, 'stdio'), { command, protocol: '2025-11-25' });
    const httpFolder = await prepare(join(base, 'http'), { url: server.url, protocol: '2025-11-25' });
    running.push(await start('proxy-http', server.url), await start('gateway-http', httpFolder));
    const [, proxy, gateway] = running;
    const way = async (label, client, name) => {
      clients.push(client);
      return { label, client, name };
    };
    const stdio = [
      await way('direct', await onStdio('server-stdio'), 'echo'),
      await way('bare SDK proxy', await onStdio('proxy-stdio'), 'echo'),
      await way('sallyport', await onStdio('gateway-stdio', stdioFolder), 'echo__echo'),
    ];
    const http = [
      await way('direct', await onHttp(server.url), 'echo'),
      await way('bare SDK proxy', await onHttp(proxy.url), 'echo'),
      await way('sallyport', await onHttp(gateway.url), 'echo__echo'),
    ];
    const rows = [];
    for (const inFlight of [1, 16]) rows.push(...(await compare('stdio', stdio, inFlight)));
    for (const inFlight of [1, 16]) rows.push(...(await compare('HTTP', http, inFlight)));
    return { title: 'MCP gateway, 1 KiB in and out, durable records, beside a direct connection', rows };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    for (const { stop } of running) stop();
    rmSync(base, { recursive: true, force: true });
  }
}

if (process.argv[1] === self) {
  const [role, argument] = process.argv.slice(2);
  if (role !== undefined) await ROLES[role](argument);
  else {
    const { title, rows } = await run();
    console.log(title);
    for (const { name, value, unit, note } of rows)
      console.log(`  ${name.padEnd(40)} ${String(value).padStart(7)} ${unit}  ${note}`);
    process.exit(0);
  }
}
