import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EVENTS, ROUTES, WEBHOOK_ANSWERS } from '../../src/console/routes.ts';
import { MAIN, sallyport, startUp } from '../support/cli.ts';
import { OPENAPI } from '../support/console.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const POLICY = `version: 1
tools:
  file_write: { allowedPaths: [.], requiresConfirmation: always }
`;
const CHAT = fileURLToPath(new URL('../../examples/approvals-chat.mjs', import.meta.url));

let workspace: Workspace;
const children: ChildProcess[] = [];
beforeEach(() => {
  workspace = makeWorkspace(POLICY);
});
afterEach(async () => {
  for (const child of children.splice(0).reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  workspace.remove();
});

test('docs/openapi/approvals.yaml describes every route, and no other', () => {
  const described = Object.entries(OPENAPI.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== 'parameters')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect(described.sort()).toEqual([...served, `GET ${EVENTS}`, `POST ${WEBHOOK_ANSWERS}`].sort());
});

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' ? address?.port : 0);
}

/** What a child says from now on, until it has said something that fits. */
function hears(child: ChildProcess, stream: 'stdout' | 'stderr', wanted: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = '';
    child[stream]?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = wanted.exec(said);
      if (found !== null) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
}

function start(program: string, ...words: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...words], { cwd: workspace.root, stdio: 'pipe' });
  children.push(child);
  return child;
}

function secret(name: string): string {
  const file = join(workspace.base, name);
  writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return file;
}

test('[T5.4] a chat system is told what waits, and answers with its own credential', async () => {
  const [answers, notices] = [secret('answers.secret'), secret('notices.secret')];
  const state = ['--state', workspace.state];
  const chat = start(CHAT, '--operator', 'chat', '--secret-file', answers, '--notify-secret', notices);
  const [, url = ''] = await hears(chat, 'stdout', /listens on (\S+)/);
  const { child: up, started } = await startUp(
    [...state, '--console-port', await freePort(), '--notify', url, '--notify-secret', notices, '--print-codes'],
    workspace.root,
  );
  children.push(up);
  expect(started['console']).toMatch(/^http:\/\/localhost:\d+\/#spc_/);
  expect(statSync(join(workspace.state, 'console.token')).mode & 0o777).toBe(0o600);

  const code = hears(up, 'stderr', /good for ten minutes: (\S+)/);
  const adding = start(MAIN, 'operators', 'add', 'chat', '--class', 'webhook', '--secret-file', answers, ...state);
  adding.stdin?.end(`${(await code)[1]}\n`);
  expect((await once(adding, 'exit'))[0]).toBe(0);
  const run = (...words: readonly string[]) => sallyport([...words, ...state], { cwd: workspace.root });
  expect((await run('operators')).out).toMatch(/^chat +webhook +chat\n$/);

  const told = hears(chat, 'stdout', /content: "new"[\s\S]*\[ yes, once \].*(ask_[\w-]{22})/);
  const call = start(MAIN, 'call', 'file_write', JSON.stringify({ path: 'out.txt', content: 'new' }), ...state);
  const [, id = ''] = await told;
  // Who has no credential says yes no more.
  expect((await run('approvals', 'approve', id, '--yes', '--json')).out).toContain('APPROVER_REFUSED');
  expect(existsSync(join(workspace.root, 'out.txt'))).toBe(false);
  const granted = hears(chat, 'stdout', /(granted|refused) ask_/);
  chat.stdin?.write(`yes ${id}\n`);
  expect((await granted)[1]).toBe('granted');
  expect((await once(call, 'exit'))[0]).toBe(0);
  expect(readFileSync(join(workspace.root, 'out.txt'), 'utf8')).toBe('new');
  const again = hears(chat, 'stdout', /refused ask_\S+ (\w+)/);
  chat.stdin?.write(`yes ${id}\n`);
  expect((await again)[1]).toBe('APPROVAL_UNKNOWN');

  const removal = hears(up, 'stderr', /good for ten minutes: (\S+)/);
  const removing = start(MAIN, 'operators', 'remove', 'chat', ...state);
  const removed = hears(removing, 'stdout', /advisory now/);
  removing.stdin?.end(`${(await removal)[1]}\n`);
  await removed;
});

test('up without a console, and with flags that do not fit', async () => {
  const { started, stop } = await startUp(['--state', workspace.state, '--no-console'], workspace.root);
  expect(started['console']).toBeNull();
  await stop();
  const alone = await sallyport(['up', '--notify', 'https://chat.example/'], { cwd: workspace.root });
  expect([alone.code, alone.err]).toEqual([2, expect.stringContaining('--notify-secret')]);
  const file = secret('notices.secret');
  const words = ['up', '--port', '0', '--no-console', '--state', workspace.state, '--notify-secret', file, '--notify'];
  const plain = await sallyport([...words, 'http://chat.example/'], { cwd: workspace.root });
  expect([plain.code, plain.err]).toEqual([2, expect.stringContaining('NOTICE_INVALID')]);
});

test("[T5.4] the console's token, presented as the token of a client, opens nothing any more", async () => {
  const flags = ['--state', workspace.state, '--console-port', await freePort()];
  const { started, child } = await startUp(flags, workspace.root);
  children.push(child);
  const { origin, hash } = new URL(String(started['console']));
  const token = hash.slice(1);
  const list = async (): Promise<number> =>
    (await fetch(`${origin}/v1/requests`, { headers: { 'x-sallyport-console': token } })).status;
  expect(await list()).toBe(200);
  await fetch(String(started['url']), { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  expect(await list()).toBe(401);
});
