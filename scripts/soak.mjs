// Half load on a gateway over HTTP and one over stdio that share a state, for SOAK_MINUTES (30), and ends non-zero when memory
// or file descriptors are not flat. Prevents: a leak that no short test shows.
// Run it with --no-warnings: Node's own fetch, in the client here, keeps its listeners on one signal until memory is collected.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 30);
const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
/** Over the second half: what a straight line through the samples may rise by. What was freed goes back to the system late, so the resident size breathes. */
const BOUNDS = {
  rssMiB: { share: 0.1, least: 24 },
  heapMiB: { share: 0.1, least: 4 },
  files: { share: 0, least: 8 },
};
/** Calls of one client that are under way at the same time. */
const IN_FLIGHT = 4;
const SAMPLE_MS = Math.min(10_000, (MINUTES * 60_000) / 60);
const PRINT_EVERY = Math.max(1, Math.round(Math.min(60_000, MINUTES * 6_000) / SAMPLE_MS));
/** The process says how large its heap is when what nobody holds was collected; nobody outside can see it. */
const REPORTER = `data:text/javascript,import{isMainThread}from'node:worker_threads';import{setFlagsFromString}from'node:v8';import{runInNewContext}from'node:vm';setFlagsFromString('--expose-gc');const collect=runInNewContext('gc');if(isMainThread)setInterval(()=>{collect();process.stderr.write('HEAP '+process.memoryUsage().heapUsed+String.fromCharCode(10))},${Math.round(SAMPLE_MS / 2)}).unref()`;
const env = { ...process.env, NODE_OPTIONS: `--import "${REPORTER}"` };

const base = mkdtempSync(join(tmpdir(), 'sallyport-soak-'));
const work = join(base, 'work');
const ends = [() => rmSync(base, { recursive: true, force: true })];
let failed = false;
try {
  mkdirSync(work);
  writeFileSync(join(work, 'sallyport.yaml'), 'version: 1\ntools: { file_read: { allowedPaths: ["*.txt"] } }\n');
  writeFileSync(join(work, 'note.txt'), 'a line of text\n'.repeat(64));
  const gateways = [await startHttp(), await startStdio()];
  let running = true;
  const load = gateways.flatMap(({ client }) => Array.from({ length: IN_FLIGHT }, () => call(client, () => running)));
  const ending = Date.now() + MINUTES * 60_000;
  for (let count = 1; Date.now() < ending; count++) {
    await sleep(SAMPLE_MS);
    for (const gateway of gateways) gateway.samples.push(sample(gateway));
    if (count % PRINT_EVERY === 0) for (const gateway of gateways) print(gateway);
  }
  running = false;
  await Promise.all(load);
  failed = gateways.map(judge).includes(false);
} finally {
  for (const end of ends.reverse()) await end();
}
process.exit(failed ? 1 : 0);

/** A call, and then a rest as long as it took: half of what this client could ask. */
async function call(client, running) {
  while (running()) {
    const started = performance.now();
    const { isError } = await client.callTool({ name: 'file_read', arguments: { path: 'note.txt' } });
    if (isError) throw new Error('a call was refused');
    client.calls += 1;
    await sleep(performance.now() - started);
  }
}

async function ended(child) {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

function gatewayOf(name, pid, stderr, client) {
  const gateway = { name, pid, client, heap: 0, samples: [] };
  client.calls = 0;
  let line = '';
  stderr.on('data', (chunk) => {
    line = (line + chunk).slice(-200);
    gateway.heap = Number(/HEAP (\d+)\n[^\n]*$/.exec(line)?.[1] ?? gateway.heap);
  });
  return gateway;
}

async function startHttp() {
  const child = spawn(
    process.execPath,
    [MAIN, 'up', '--json', '--port', '0', '--auth', 'none', '--state', join(base, 'state')],
    {
      ...{ cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] },
    },
  );
  ends.push(() => ended(child));
  const url = await new Promise((resolve, reject) => {
    child.stdout.once('data', (line) => resolve(String(JSON.parse(line).url)));
    child.once('exit', (code) => reject(new Error(`sallyport up ended with ${code}`)));
  });
  const client = new Client({ name: 'soak', version: '0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  ends.push(() => client.close());
  return gatewayOf('http', child.pid, child.stderr, client);
}

async function startStdio() {
  const transport = new StdioClientTransport({
    ...{ command: process.execPath, args: [MAIN, 'mcp', '--state', join(base, 'state')] },
    ...{ cwd: work, env, stderr: 'pipe' },
  });
  const client = new Client({ name: 'soak', version: '0' });
  await client.connect(transport);
  ends.push(() => client.close());
  return gatewayOf('stdio', transport.pid, transport.stderr, client);
}

function sample({ pid, heap }) {
  const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024;
  return { rssMiB: rss, heapMiB: heap / 1_048_576, files: readdirSync(`/proc/${pid}/fd`).length };
}

function print({ name, samples, client }) {
  const { rssMiB, heapMiB, files } = samples.at(-1);
  console.log(
    `${name.padEnd(6)} rss ${rssMiB.toFixed(1)} MiB  heap ${heapMiB.toFixed(1)} MiB  files ${files}  calls ${client.calls}`,
  );
}

/** True when nothing rises over the second half of the samples. */
function judge({ name, samples, client }) {
  const half = samples.slice(Math.floor(samples.length / 2));
  let flat = client.calls > 0;
  for (const [what, { share, least }] of Object.entries(BOUNDS)) {
    const values = half.map((taken) => taken[what]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const rise = slope(values) * (values.length - 1);
    const bound = Math.max(least, share * mean);
    if (rise > bound) flat = false;
    console.log(
      `${name} ${what}: rises by ${rise.toFixed(2)} over the second half, at most ${bound.toFixed(2)}: ${rise > bound ? 'NOT FLAT' : 'flat'}`,
    );
  }
  return flat;
}

/** Least squares, for each step from one value to the next. */
function slope(values) {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const above = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  const below = values.reduce((sum, _value, at) => sum + (at - middle) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
