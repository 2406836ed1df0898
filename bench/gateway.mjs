// The gateway beside a direct connection and beside a bare proxy on the same SDK: one official client, one echo server,
// over stdio and over HTTP, 1 and 16 calls in flight. The three are measured in turns, so that a slow moment of the
// machine meets all of them. The gateway is the command line itself, with durable records. Needs dist/.
// Run it alone: node bench/gateway.mjs
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { clientOnHttp, clientOnStdio, PEERS } from './mcp-peers.mjs';

const COMMAND_LINE = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ROUNDS = 8;
/** Calls in all, by how many are in flight. */
const CALLS = { 1: 400, 16: 1_600 };
const MESSAGE = 'x'.repeat(1_024);
/** Budgets of the design: milliseconds added on stdio with 1 in flight, calls/s on stdio with 16, share of direct on HTTP. */
const BUDGET = { addedMs: 1, callsPerSecond: 1_500, ofDirect: 0.4 };

/** Starts a process that prints one line when it listens. */
async function start(...args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { line, stop: () => child.kill('SIGKILL') };
}

/** A workspace whose policy allows the echo tool of one approved server: the flags that name it. */
async function prepare(folder, server) {
  const work = join(folder, 'work');
  mkdirSync(work, { recursive: true });
  const policy = join(work, 'sallyport.yaml');
  const servers = { echo: { ...server, protocol: '2025-11-25' } };
  const rules = { version: 1, defaults: { isolation: 'none' }, tools: { mcp__echo__echo: {} }, servers };
  writeFileSync(policy, JSON.stringify(rules));
  const flags = ['--policy', policy, '--state', join(folder, 'state')];
  await promisify(execFile)(process.execPath, [COMMAND_LINE, 'servers', 'approve', 'echo', '--yes', ...flags]);
  return flags;
}

/** Makes `count` calls, `inFlight` at a time: seconds, and each call's milliseconds. */
async function measure({ client, name }, count, inFlight) {
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

function summary({ seconds, times }) {
  const sorted = times.sort((a, b) => a - b);
  return { rate: sorted.length / seconds, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** All ways, in turns. */
async function inTurns(ways, inFlight) {
  for (const way of ways) await measure(way, 200, inFlight); // warm
  const totals = ways.map(() => ({ seconds: 0, times: [] }));
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const [index, way] of ways.entries()) {
      const { seconds, times } = await measure(way, CALLS[inFlight] / ROUNDS, inFlight);
      totals[index].seconds += seconds;
      totals[index].times.push(...times);
    }
  }
  return totals.map(summary);
}

/** The rows of one surface: direct, bare proxy, gateway, the latter two beside those before them. */
async function compare(surface, ways, inFlight) {
  const [direct, proxy, gateway] = await inTurns(ways, inFlight);
  const row = (label, { rate, p50, p99 }, ...notes) => ({
    name: `${surface}, ${inFlight} in flight, ${label}`,
    ...{ value: Math.round(rate), unit: 'calls/s' },
    note: [`p50 ${round(p50)} ms, p99 ${round(p99)} ms`, ...notes].join('; '),
  });
  const beside = (one, other, name) => `${round(one.rate / other.rate)} x ${name}`;
  return [
    row('direct', direct),
    row('bare SDK proxy', proxy, beside(proxy, direct, 'direct')),
    row(
      'sallyport',
      gateway,
      beside(gateway, direct, 'direct'),
      beside(gateway, proxy, 'the bare proxy'),
      budget(surface, inFlight, direct, gateway),
    ),
  ];
}

function budget(surface, inFlight, direct, gateway) {
  const said = (text, met) => `budget ${text}: ${met ? 'met' : 'NOT met'}`;
  if (surface === 'HTTP') return said(`${BUDGET.ofDirect} x direct`, gateway.rate >= BUDGET.ofDirect * direct.rate);
  const added = gateway.p50 - direct.p50;
  if (inFlight > 1) return said(`${BUDGET.callsPerSecond}/s`, gateway.rate >= BUDGET.callsPerSecond);
  return `adds p50 ${round(added)} ms; ${said(`${BUDGET.addedMs} ms besides a sync`, added <= BUDGET.addedMs)}`;
}

const ways = (clients, toolName) =>
  clients.map((client, index) => ({ client, name: index === clients.length - 1 ? toolName : 'echo' }));

/** @returns {Promise<{title: string, rows: {name: string, value: number, unit: string, note?: string}[]}>} */
export async function run() {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-bench-')));
  const running = [];
  const clients = [];
  const started = async (...args) => {
    running.push(await start(...args));
    return running.at(-1).line;
  };
  try {
    const url = await started(PEERS, 'server-http');
    const stdioFlags = await prepare(join(base, 'stdio'), { command: [process.execPath, PEERS, 'server-stdio'] });
    const httpFlags = await prepare(join(base, 'http'), { url });
    const up = await started(COMMAND_LINE, 'up', '--port', '0', '--auth', 'none', '--json', ...httpFlags);
    clients.push(
      await clientOnStdio(PEERS, 'server-stdio'),
      await clientOnStdio(PEERS, 'proxy-stdio'),
      await clientOnStdio(COMMAND_LINE, 'mcp', ...stdioFlags),
      await clientOnHttp(url),
      await clientOnHttp(await started(PEERS, 'proxy-http', url)),
      await clientOnHttp(JSON.parse(up).url),
    );
    const stdio = ways(clients.slice(0, 3), 'echo__echo');
    const http = ways(clients.slice(3), 'echo__echo');
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { title, rows } = await run();
  console.log(title);
  for (const { name, value, unit, note } of rows)
    console.log(`  ${name.padEnd(40)} ${String(value).padStart(7)} ${unit}  ${note}`);
  process.exit(0);
}
