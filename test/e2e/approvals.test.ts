import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogRecord, readRecords } from '../../src/audit/index.ts';
import { openGate } from '../../src/gate/index.ts';
import { serveHttp } from '../../src/gateway/index.ts';
import { LOCAL, ONCE } from '../support/approvals.ts';
import { MAIN, type Ran, sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_write: { allowedPaths: [.], requiresConfirmation: always }
  shell: { allowedCommands: [node, echo], requiresConfirmation: { commands: [echo] } }
  pay: { requiresConfirmation: always }
`;

let workspace: Workspace;
const children: ReturnType<typeof spawn>[] = [];
/** A grant outlives the process that owns the state only where the machine has a folder that ends with its run. */
let environment: Readonly<Record<string, string>> = {};
beforeEach(() => {
  workspace = makeWorkspace(POLICY);
  const runtime = join(workspace.base, 'runtime');
  mkdirSync(runtime, { mode: 0o700 });
  environment = { XDG_RUNTIME_DIR: runtime };
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  workspace.remove();
});

const run = (...words: readonly string[]): Promise<Ran> =>
  sallyport([...words, '--state', workspace.state], { cwd: workspace.root, environment });

interface WaitingProcess {
  /** The request that its standard error names. */
  readonly request: Promise<string>;
  readonly ended: Promise<Ran>;
}

/** A command that waits for a person, in a process of its own. */
function start(...words: readonly string[]): WaitingProcess {
  const at = words.indexOf('--');
  const [own, rest] = at < 0 ? [words, []] : [words.slice(0, at), words.slice(at)];
  const child = spawn(process.execPath, [MAIN, ...own, '--state', workspace.state, ...rest], {
    ...{ cwd: workspace.root, env: { ...process.env, ...environment } },
  });
  children.push(child);
  child.stdin.end('y\ny\n'); // what is piped in answers nothing
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const request = new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
      const [id] = /ask_[A-Za-z0-9_-]{22}/.exec(err) ?? [];
      if (id !== undefined) resolve(id);
    });
    child.once('exit', () => reject(new Error(`it ended without a question: ${out}${err}`)));
  });
  request.catch(() => undefined);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { request, ended };
}

const write = (content: string, ...more: readonly string[]): WaitingProcess =>
  start('call', 'file_write', JSON.stringify({ path: 'out.txt', content }), ...more);

const outFile = (): string => join(workspace.root, 'out.txt');

async function records(type: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) if (record.type === type) found.push(record);
  return found;
}

describe('a call of one process, answered from another', () => {
  test('[T5.1] waits, is shown whole, and runs once after the yes', async () => {
    const call = write('new');
    const id = await call.request;
    const listed = await run('approvals', 'list');
    expect(listed.out).toMatch(new RegExp(`^${id} {2}file_write {2}cli for `));
    const shown = await run('approvals', 'show', id);
    expect(shown.out).toContain('content: "new"');
    expect(shown.out).toContain('Advisory: agent and person share a user id here');
    expect(existsSync(outFile())).toBe(false);

    const approved = await run('approvals', 'approve', id, '--yes');
    expect([approved.code, approved.out]).toEqual([
      0,
      expect.stringContaining('Runs this call once, exactly as shown'),
    ]);
    expect(approved.err).toContain('content: "new"');
    expect((await call.ended).code).toBe(0);
    expect(readFileSync(outFile(), 'utf8')).toBe('new');
    expect(await records('admitted')).toMatchObject([{ grant: expect.stringMatching(/^grant_/) }]);
    expect((await run('approvals', 'approve', id, '--yes', '--json')).out).toContain('APPROVAL_UNKNOWN');
  });

  test('[T5.1] is not run after a no, nor with nobody there', async () => {
    const call = write('new', '--json');
    const denied = await run('approvals', 'deny', await call.request, '--reason', 'not today');
    expect([denied.code, denied.out.trim()]).toEqual([0, 'Denied.']);
    const ended = await call.ended;
    expect([ended.code, JSON.parse(ended.out).code]).toEqual([1, 'APPROVAL_DENIED']);

    const late = await write('other', '--wait', '0s', '--json').ended;
    expect([late.code, JSON.parse(late.out)]).toEqual([
      1,
      expect.objectContaining({ code: 'APPROVAL_PENDING', request: expect.stringMatching(/^ask_/) }),
    ]);
    expect(existsSync(outFile())).toBe(false);
  });

  test('[T5.1] a retry joins the request, and one yes runs one of two', async () => {
    const [first, second] = [write('new', '--json'), write('new', '--json')];
    expect(await first.request).toBe(await second.request);
    expect((await run('approvals', 'approve', await first.request, '--yes')).code).toBe(0);
    const codes = [await first.ended, await second.ended].map(({ out }) => JSON.parse(out).code ?? 'delivered');
    expect(codes.sort()).toEqual(['GRANT_SPENT', 'delivered']);
    expect(await records('admitted')).toHaveLength(1);
  });

  test('[T5.2] with another file behind the path is not run after the yes', async () => {
    workspace.write({ 'out.txt': 'before' });
    const call = write('new', '--json');
    const id = await call.request;
    workspace.write({ 'other.txt': 'mine' });
    writeFileSync(`${outFile()}.new`, 'swapped');
    renameSync(`${outFile()}.new`, outFile());
    await run('approvals', 'approve', id, '--yes');
    const ended = await call.ended;
    expect([ended.code, JSON.parse(ended.out).code]).toEqual([1, 'GRANT_VOID']);
    expect(readFileSync(outFile(), 'utf8')).toBe('swapped');
  });

  test('[T5.1] goes on waiting when the process that owns the state dies', async () => {
    const owner = start('call', 'file_write', JSON.stringify({ path: 'first.txt', content: 'lost' }));
    await owner.request;
    const call = write('new');
    const id = await call.request;
    children[0]?.kill('SIGKILL');
    await owner.ended;
    expect((await run('approvals', 'approve', id, '--yes')).code).toBe(0);
    expect((await call.ended).code).toBe(0);
    expect(readFileSync(outFile(), 'utf8')).toBe('new');
    expect(existsSync(join(workspace.root, 'first.txt'))).toBe(false);
  });

  test('a wider yes says what it opens, and is used without another question', async () => {
    workspace.write({ 'out.txt': 'before' });
    const call = write('new');
    const approved = await run(
      'approvals',
      'approve',
      await call.request,
      '--yes',
      '--scope',
      '3',
      '--free',
      'content',
    );
    expect(approved.out).toContain('ANY value of "content"');
    expect(approved.out).toContain('3 times in all');
    expect((await call.ended).code).toBe(0);
    expect(await write('second').ended).toMatchObject({ code: 0, err: expect.not.stringContaining('ask_') });
    expect((await run('approvals', 'approve', 'ask_x', '--scope', 'once', '--for', '1h')).code).toBe(2);
  });

  test('`run` waits as well, and passes its exit code on', async () => {
    const command = start('run', '--', 'echo', 'hello');
    expect((await run('approvals', 'approve', await command.request, '--yes')).code).toBe(0);
    expect(await command.ended).toMatchObject({ code: 0, out: 'hello\n' });
  });
});

test('[T5.3] what a tool of an agent started does not answer', async () => {
  const call = write('new', '--json');
  const id = await call.request;
  const script = `const { spawnSync } = require('node:child_process');
const { status, stderr } = spawnSync(${JSON.stringify(process.execPath)}, ${JSON.stringify([MAIN, 'approvals', 'approve', id, '--yes', '--state', workspace.state])});
console.log(status, String(stderr));`;
  workspace.write({ 'answer.cjs': script });
  const tried = await run('call', 'shell', JSON.stringify({ command: 'node answer.cjs' }));
  expect(tried.out).toContain('OPERATOR_ONLY');
  expect(existsSync(outFile())).toBe(false);
  await run('approvals', 'deny', id);
  expect(JSON.parse((await call.ended).out).code).toBe('APPROVAL_DENIED');
});

/** A pseudo-terminal, where the machine has `script` of util-linux. */
const hasScript = existsSync('/usr/bin/script');

test.skipIf(!hasScript)('whoever sits at a call is asked there', async () => {
  const words = [process.execPath, MAIN, 'call', 'file_write', JSON.stringify({ path: 'out.txt', content: 'typed' })];
  const line = [...words, '--state', workspace.state].map((word) => `'${word}'`).join(' ');
  const child = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], {
    ...{ cwd: workspace.root, env: { ...process.env, ...environment, SHELL: '/bin/sh' } },
  });
  children.push(child);
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (!seen.includes('Say yes?') && `${seen}${chunk}`.includes('Say yes?')) child.stdin.write('y\n');
    seen += chunk.toString();
  });
  const [code] = await once(child, 'close');
  expect([code, seen]).toEqual([0, expect.stringContaining('content: "typed"')]);
  expect(readFileSync(outFile(), 'utf8')).toBe('typed');
});

describe('over MCP', () => {
  async function serve() {
    const gate = await openGate({
      ...{ policy: workspace.policyFile, state: workspace.state },
      tools: [{ name: 'pay', schema: { type: 'object' }, execute: async () => 'paid' }],
    });
    const front = await serveHttp({
      ...{ gate, authenticate: 'none', local: { user: 'ann', agent: 'client' }, version: '1' },
      ...{ host: '127.0.0.1', port: 0, approvalWaitMs: 100, console: 'http://localhost:7333/' },
    });
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(front.url)));
    const close = async (): Promise<void> => {
      await client.close();
      await front.close(0);
      await gate.close();
    };
    return { gate, client, close };
  }

  test('[T5.1] a client without progress is told to come again, and joins the request then', async () => {
    const { gate, client, close } = await serve();
    try {
      const pay = { name: 'pay', arguments: { amount: 1 } };
      const first = await client.callTool(pay);
      const [request] = await gate.keeper.approvals();
      expect(first).toMatchObject({ isError: true, _meta: { 'dev.sallyport/decision': { code: 'APPROVAL_PENDING' } } });
      expect(JSON.stringify(first.content)).toContain(`sallyport approvals approve ${request?.id}`);
      expect(JSON.stringify(first.content)).toContain('http://localhost:7333/');
      await gate.keeper.answer(request?.id ?? '', ONCE, LOCAL);
      expect(await client.callTool(pay)).toMatchObject({ content: [{ type: 'text', text: 'paid' }] });
    } finally {
      await close();
    }
  });

  test('[T5.1] a client with progress is kept waiting, and hears for what', async () => {
    const { gate, client, close } = await serve();
    try {
      let heard: (message: string) => void = () => undefined;
      const message = new Promise<string>((resolve) => {
        heard = resolve;
      });
      const onprogress = (progress: { message?: string | undefined }): void => heard(progress.message ?? '');
      const call = client.callTool({ name: 'pay', arguments: { amount: 2 } }, { onprogress });
      const told = await message;
      const [, id = ''] = /(ask_[A-Za-z0-9_-]{22})/.exec(told) ?? [];
      expect(told).toBe(
        `The call waits for a person: ${id}; answered with: sallyport approvals approve ${id}, or at http://localhost:7333/`,
      );
      // Longer than a client without progress may wait.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await gate.keeper.answer(id, ONCE, LOCAL);
      expect(await call).toMatchObject({ content: [{ type: 'text', text: 'paid' }] });
    } finally {
      await close();
    }
  });
});
