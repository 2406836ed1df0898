import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openWorld } from '../../test/attacks/endpoints-world.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { type LogRecord, readRecords, verifyLog } from '../audit/index.ts';
import type { Clock } from '../core/index.ts';
import { apiCall, fileRead, fileWrite, shell } from '../tools/index.ts';
import { type Gate, type GateOptions, openGate } from './index.ts';

let workspace: Workspace | null = null;
let gate: Gate | null = null;
afterEach(async () => {
  await gate?.close();
  workspace?.remove();
});

async function open(
  policy: string,
  more: Partial<GateOptions> = {},
  files: Record<string, string> = {},
): Promise<Gate> {
  workspace = makeWorkspace(`version: 1\n${policy}`, files);
  const tools = [fileRead(), fileWrite(), shell(), apiCall()];
  gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools, ...more });
  return gate;
}

async function recordsOf(type: string): Promise<LogRecord[]> {
  await gate?.close();
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace?.state ?? '')) if (record.type === type) found.push(record);
  return found;
}

const codeOf = (result: object): unknown => ('code' in result ? result.code : 'delivered');

test('rateLimit counts admitted calls of a principal, however many come at once', async () => {
  let micros = 0;
  const clock: Clock = { now: () => Date.now(), mono: () => micros };
  const policy = 'tools: { file_read: { allowedPaths: [.], rateLimit: { maxCallsPerMinute: 3 } } }';
  const opened = await open(policy, { clock }, { 'a.txt': 'a' });
  const [first, second] = [await opened.openSession({ agent: 'one' }), await opened.openSession({ agent: 'two' })];
  const call = (session: typeof first, path = 'a.txt') => session.call('file_read', { path });

  expect(codeOf(await call(first, '../outside'))).toBe('PATH_NOT_ALLOWED'); // a denial does not count
  const codes = (await Promise.all(Array.from({ length: 6 }, () => call(first)))).map(codeOf);
  expect(codes.filter((code) => code === 'delivered')).toHaveLength(3);
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(3);
  // Another session of the same caller is the same caller; another agent is not.
  expect(codeOf(await call(await opened.openSession({ agent: 'one' })))).toBe('RATE_LIMITED');
  expect(codeOf(await call(second))).toBe('delivered');
  micros = 60_000_000;
  expect(codeOf(await call(first))).toBe('delivered');
});

test('confirm waits for a person, and the reason tells what asked', async () => {
  const opened = await open(
    'defaults: { isolation: none }\ntools: { shell: { allowedCommands: [git], requiresConfirmation: { commands: [git push] } } }',
    { limits: { approvalWaitMs: 0 } },
  );
  const result = await opened.call('shell', { command: 'git push' });
  expect(result).toMatchObject({
    kind: 'denied',
    code: 'APPROVAL_PENDING',
    rule: { id: 'tools.shell.requiresConfirmation.commands[0]', line: 3 },
  });
  expect(result.text).toContain('COMMAND_CONFIRM');
  const programs = (await opened.keeper.approval(String('request' in result && result.request))).request.binding.facts
    .programs;
  expect(programs).toMatchObject([{ name: 'git', real: expect.stringMatching(/^\/.*git$/) }]);
  expect(await recordsOf('intent')).toMatchObject([
    { decision: 'confirm', code: 'COMMAND_CONFIRM' },
    { decision: 'confirm', code: 'APPROVAL_PENDING' },
  ]);
});

test('api_call connects to the addresses that were judged, looks up once, and follows only allowed redirects', async () => {
  const world = await openWorld(['api.example.com'], (request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: 'https://evil.example/' }).end();
    else response.end('hello');
  });
  try {
    const lookedUp: string[] = [];
    const opened = await open('tools: { api_call: { allowedEndpoints: [api.example.com] } }', {
      dial: world.dial,
      certificates: [world.certificate],
      resolve: async (host) => {
        lookedUp.push(host);
        return lookedUp.length > 1 ? ['127.0.0.1'] : ['93.184.216.66'];
      },
    });
    const get = (url: string) => opened.call('api_call', { method: 'GET', url });
    expect(await get('https://api.example.com/x')).toMatchObject({ kind: 'delivered', isError: false });
    expect(world.dialled).toEqual([{ address: '93.184.216.66', port: 443 }]);
    expect(lookedUp).toEqual(['api.example.com']);
    expect(codeOf(await get('https://evil.example/'))).toBe('ENDPOINT_NOT_ALLOWED');
    expect(lookedUp).toEqual(['api.example.com']); // a name that is not allowed is not even looked up
    expect(codeOf(await get('https://api.example.com/x'))).toBe('ENDPOINT_ADDRESS');
    expect(world.dialled).toHaveLength(1);
    lookedUp.length = 0;
    const away = await get('https://api.example.com/away');
    expect(away).toMatchObject({ kind: 'delivered', isError: true });
    expect(away.text).toContain('ENDPOINT_REDIRECT');
    expect(world.arrived.map(({ url }) => url)).not.toContain('https://evil.example/');
  } finally {
    await world.close();
  }
});

test('mode: observe lets pass what policy denies, says so in every record, and holds what no policy could allow', async () => {
  const policy = 'mode: observe\ntools: { file_read: { allowedPaths: [src/] }, file_write: { allowedPaths: [src/] } }';
  const opened = await open(policy, {}, { 'notes.txt': 'seen', 'src/a.txt': 'a' });
  expect(await opened.call('file_read', { path: 'notes.txt' })).toMatchObject({ kind: 'delivered', text: 'seen' });
  expect(codeOf(await opened.call('file_write', { path: 'sallyport.yaml', content: 'x' }))).toBe('PATH_CONTROL_FILE');
  expect(codeOf(await opened.call('file_write', { path: '.git/config', content: 'x' }))).toBe('PATH_CONTROL_FILE');
  expect(codeOf(await opened.call('file_read', { path: 'a\0b' }))).toBe('PATH_MALFORMED');
  expect(codeOf(await opened.call('file_read', { path: 1 }))).toBe('INPUT_SCHEMA_MISMATCH');
  expect(codeOf(await opened.call('no_such_tool', {}))).toBe('TOOL_NOT_ALLOWED');
  expect(codeOf(await opened.call('api_call', { method: 'GET', url: 'http://169.254.169.254/' }))).toBe(
    'TOOL_NOT_ALLOWED',
  );
  const intents = await recordsOf('intent');
  expect(intents.every(({ detail }) => detail?.['mode'] === 'observe')).toBe(true);
  expect(intents[0]).toMatchObject({
    decision: 'allow',
    detail: { mode: 'observe', decided: 'deny', code: 'PATH_NOT_ALLOWED' },
  });
  for (const type of ['admitted', 'outcome']) {
    expect((await recordsOf(type)).map(({ detail }) => detail)).toEqual([{ mode: 'observe' }]);
  }
  expect((await recordsOf('policy-loaded'))[0]?.detail).toMatchObject({ mode: 'observe' });
  const report = await verifyLog({
    ...{ directory: workspace?.state ?? '', verifierKey: opened.keeper.verifier, now: Date.now() },
  });
  expect(report).toMatchObject({ integrity: { status: 'ok' }, completeness: { status: 'ok' } });
});

test("a rule's own allowedPaths limit also what its commands read", async () => {
  const policy = 'defaults: { isolation: none }\ntools: { shell: { allowedCommands: [cat], allowedPaths: [src/] } }';
  const opened = await open(policy, {}, { 'src/a.txt': 'a', 'b.txt': 'b' });
  expect((await opened.call('shell', { command: 'cat src/a.txt' })).kind).toBe('delivered');
  expect(codeOf(await opened.call('shell', { command: 'cat b.txt' }))).toBe('PATH_NOT_ALLOWED');
});

test('a command line is judged by what its paths lead to', async () => {
  const policy = `defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [.], deniedPaths: [secrets/] }
  shell: { allowedCommands: [cat, cd] }`;
  const opened = await open(policy, {}, { 'src/a.txt': 'fine', 'secrets/key.txt': 'hidden' });
  const root = workspace?.root ?? '';
  symlinkSync('../secrets', join(root, 'src', 'notes'));
  symlinkSync('/etc', join(root, 'src', 'etc'));
  writeFileSync(join(root, 'src', 'b.txt'), 'too');
  const run = async (command: string, cwd?: string) =>
    opened.call('shell', cwd === undefined ? { command } : { command, cwd });
  expect(await run('cat src/a.txt')).toMatchObject({ kind: 'delivered', isError: false });
  expect((await run('cat a.txt b.txt', 'src')).text).toContain('finetoo');
  for (const command of [
    'cat src/notes/key.txt',
    'cat src/notes/*',
    'cat src/*/passwd',
    'cat src/etc/passwd',
    'cd src && cat notes/key.txt',
    'cat < src/notes/key.txt',
    'cat ../../x',
    'cd src/etc; cat passwd',
  ]) {
    expect((await run(command)).kind, command).toBe('denied');
  }
  expect(codeOf(await run('cat key.txt', 'secrets'))).toBe('PATH_DENIED');
  expect(codeOf(await run('cat passwd', 'src/etc'))).toBe('PATH_NOT_ALLOWED');
  expect(codeOf(await run('cat passwd', '/etc'))).toBe('PATH_NOT_ALLOWED');
  expect(codeOf(await run('cat a', 'src/a.txt'))).toBe('PATH_NOT_FOLDER');
});
