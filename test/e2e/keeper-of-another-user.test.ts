import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openGate, readPolicyFile } from '../../src/gate/index.ts';
import { connectKeeper, type Keeper, namesOfPolicy, writeApproval } from '../../src/keeper/index.ts';
import { fileRead } from '../../src/tools/index.ts';
import { MAIN } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const policyOf = (...folders: readonly string[]): string =>
  `version: 1\ndefaults: { isolation: none }\ntools:\n  file_read:\n    allowedPaths: [${folders.join(', ')}]\n`;

/** Whom a command runs as; empty: the user of the tests. */
type Who = { readonly uid?: number; readonly gid?: number };
/** User ids that need no name, and the group of the gates. */
const KEEPER: Who = { uid: 64_201, gid: 64_201 };
const GATES = 64_203;
const WORKER: Who = { uid: 64_202, gid: GATES };
const isRoot = process.getuid?.() === 0;

let workspace: Workspace;
let socket: string;
let tokenFile: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  workspace = makeWorkspace(policyOf('src/'), { 'src/a.txt': 'source', 'docs/b.txt': 'document' });
  socket = join(workspace.base, 'run', 'keeper.sock');
  tokenFile = join(workspace.base, 'worker.token');
});
afterEach(async () => {
  for (const child of children.splice(0).reverse()) await stop(child);
  workspace.remove();
});

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function start(words: readonly string[], who: Who, more: NodeJS.ProcessEnv = {}): ChildProcess {
  const home = join(workspace.base, who.uid === WORKER.uid ? 'worker-home' : 'keeper-home');
  const env = { PATH: process.env['PATH'], HOME: home, ...more };
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: workspace.root, env, stdio: 'pipe', ...who });
  children.push(child);
  return child;
}

async function run(words: readonly string[], who: Who, more: NodeJS.ProcessEnv = {}) {
  const child = start(words, who, more);
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => {
    said.out += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    said.err += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code, ...said };
}

/** Resolves with what a command says on a stream, once that holds `text`. */
function saying(child: ChildProcess, stream: 'stdout' | 'stderr', text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    let err = '';
    child.stderr?.on('data', (chunk) => {
      err += String(chunk);
    });
    child[stream]?.on('data', (chunk) => {
      seen += String(chunk);
      if (seen.includes(text)) resolve(seen);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${err}`)));
  });
}

/** The folder of the socket, the keeper, and a token of the gate. */
async function startKeeper(keeper: Who, worker: Who): Promise<void> {
  const { base, state } = workspace;
  chmodSync(base, 0o755);
  for (const name of ['run', 'state', 'keeper-home', 'worker-home']) mkdirSync(join(base, name), { mode: 0o700 });
  const { uid } = keeper;
  if (uid !== undefined) {
    for (const name of ['state', 'keeper-home']) chownSync(join(base, name), uid, uid);
    chownSync(join(base, 'worker-home'), worker.uid ?? 0, GATES);
    chownSync(join(base, 'run'), uid, GATES);
    chmodSync(join(base, 'run'), 0o2750);
  }
  await saying(start(['keeper', '--state', state, '--socket', socket], keeper), 'stdout', 'log key');
  const made = join(state, 'worker.token');
  const added = await run(['keeper', 'peer', 'add', 'worker', '--state', state, '--token-file', made], keeper);
  expect(added).toMatchObject({ code: 0 });
  copyFileSync(made, tokenFile);
  chmodSync(tokenFile, 0o400);
  if (worker.uid !== undefined) chownSync(tokenFile, worker.uid, GATES);
}

const pointed = (): NodeJS.ProcessEnv => ({ SALLYPORT_KEEPER: socket, SALLYPORT_KEEPER_TOKEN_FILE: tokenFile });

/** The file, replaced at once. */
function change(text: string): void {
  writeFileSync(`${workspace.policyFile}.new`, text);
  renameSync(`${workspace.policyFile}.new`, workspace.policyFile);
}

async function readsBy(url: string, path: string): Promise<string> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  try {
    return JSON.stringify((await client.callTool({ name: 'file_read', arguments: { path } })).content);
  } finally {
    await client.close();
  }
}

const title = isRoot ? 'as another user' : 'as another user (skipped: only root can start processes of two users)';
describe.skipIf(!isRoot)(title, () => {
  test('call, mcp and up work with a policy file, and an approval of the keeper reaches them', async () => {
    await startKeeper(KEEPER, WORKER);
    const first = await run(['call', 'file_read', '{"path":"src/a.txt"}'], WORKER, pointed());
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining('source') });

    const mcp = start(['mcp'], WORKER, pointed());
    const answered = saying(mcp, 'stdout', '\n');
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    mcp.stdin?.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);
    expect(await answered).toContain('serverInfo');

    const up = start(['up', '--json', '--port', '0', '--auth', 'none'], WORKER, pointed());
    const started = JSON.parse(await saying(up, 'stdout', '\n')) as { url: string; approvedDigest: string | null };
    expect(started.approvedDigest).toBeNull();
    const waits = saying(up, 'stderr', 'what it widens waits');
    change(policyOf('src/', 'docs/'));
    await waits;
    expect(await readsBy(started.url, 'docs/b.txt')).toContain('waits for approval');

    const inForce = saying(up, 'stderr', 'is in force\n');
    const approved = await run(['policy', 'approve', '--yes', '--state', workspace.state], KEEPER);
    expect(approved).toMatchObject({ code: 0 });
    await inForce;
    expect(await readsBy(started.url, 'docs/b.txt')).toContain('document');
    const verified = await run(['audit', 'verify', '--state', workspace.state], KEEPER);
    expect(verified).toMatchObject({ code: 0 });
  });

  test('the gate cannot approve, and reads nothing of the state', async () => {
    await startKeeper(KEEPER, WORKER);
    expect(await run(['policy', 'approve', '--yes'], WORKER, pointed())).toMatchObject({
      ...{ code: 3, err: expect.stringContaining('PEER_REFUSED') },
    });
    const direct = await run(['policy', 'approve', '--yes', '--state', workspace.state], WORKER);
    expect(direct).toMatchObject({ code: 3, err: expect.stringContaining('STATE_') });
  });
});

describe('over the socket only', () => {
  /** A keeper of which the gate knows a state folder that is not there. */
  const elsewhere = (keeper: Keeper): Keeper =>
    new Proxy(keeper, {
      get: (target, name) => {
        if (name === 'state') return join(workspace.base, 'nowhere', 'state');
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });

  test('a gate that sees no state folder waits with what widens until the keeper has its approval', async () => {
    await startKeeper({}, {});
    const keeper = await connectKeeper({ socket, tokenFile });
    const notices: string[] = [];
    const gate = await openGate({
      policy: workspace.policyFile,
      keeper: elsewhere(keeper),
      tools: [fileRead()],
      onPolicyNotice: (line) => notices.push(line),
    });
    try {
      expect(await gate.call('file_read', { path: 'src/a.txt' })).toMatchObject({ kind: 'delivered' });
      const next = (): Promise<unknown> => new Promise((resolve) => gate.onPolicyChanged(resolve));
      let changed = next();
      change(policyOf('src/', 'docs/'));
      await changed;
      expect(gate.policyStatus().approvedDigest).toMatch(/^[0-9a-f]{64}$/);
      expect(await gate.call('file_read', { path: 'docs/b.txt' })).toMatchObject({ kind: 'denied' });
      changed = next();
      expect(await run(['policy', 'approve', '--yes', '--state', workspace.state], {})).toMatchObject({ code: 0 });
      await changed;
      expect(gate.policyStatus()).toMatchObject({ approvedDigest: null, trouble: null });
      expect(await gate.call('file_read', { path: 'docs/b.txt' })).toMatchObject({ kind: 'delivered' });
      expect(notices).toHaveLength(2);

      changed = next();
      change(policyOf('src/', 'docs/', 'more/'));
      await changed;
      // Nobody tells the keeper of this approval: the gate asks.
      changed = next();
      const { policy, text } = await readPolicyFile(workspace.policyFile);
      const { digest } = policy;
      writeApproval(workspace.state, { ...namesOfPolicy(workspace.policyFile), digest, text, approvedAt: 1 });
      await changed;
      expect(gate.policyStatus()).toMatchObject({ digest, approvedDigest: null, trouble: null });
    } finally {
      await gate.close();
      await keeper.close();
    }
  });

  test('a policy that would reach the state is refused by the text of its path', async () => {
    await startKeeper({}, {});
    const keeper = await connectKeeper({ socket, tokenFile });
    change(policyOf(`"${workspace.base}"`));
    const opened = openGate({ policy: workspace.policyFile, keeper: elsewhere(keeper), tools: [fileRead()] });
    await expect(opened).rejects.toMatchObject({ code: 'STATE_EXPOSED' });
    await keeper.close();
  });
});
