import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAIN, type Ran, type Serving, sallyport, startUp } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const POLICY = `version: 1
tools:
  file_read: { allowedPaths: [src/], deniedPaths: [.env] }
  file_write: { allowedPaths: [src/] }
`;

let workspace: Workspace;
let serving: Serving | null;
beforeEach(() => {
  workspace = makeWorkspace(POLICY, { 'src/a.ts': 'export const a = 1;\n', '.env': 'SECRET=1\n' });
  serving = null;
});
afterEach(async () => {
  await serving?.stop('SIGKILL');
  workspace.remove();
});

const run = (...words: string[]): Promise<Ran> =>
  sallyport([...words, '--state', workspace.state], { cwd: workspace.root });
const up = async (...words: string[]): Promise<Serving> =>
  (serving = await startUp(['--state', workspace.state, ...words], workspace.root));

async function connect(url: string, token: string | null): Promise<Client> {
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

const textOf = (result: Awaited<ReturnType<Client['callTool']>>): string => JSON.stringify(result.content);

describe('sallyport up', () => {
  test('prints address, token and policy; an MCP client calls; SIGTERM writes the shutdown record; the log verifies', async () => {
    const { started, stop } = await up();
    expect(started).toMatchObject({ policy: workspace.policyFile, root: workspace.root, state: workspace.state });
    const client = await connect(String(started['url']), String(started['token']));
    expect(textOf(await client.callTool({ name: 'file_read', arguments: { path: 'src/a.ts' } }))).toContain(
      'const a = 1',
    );
    const denied = await client.callTool({ name: 'file_read', arguments: { path: '.env' } });
    expect([denied.isError, textOf(denied)]).toEqual([
      true,
      expect.stringContaining('tools.file_read.deniedPaths[0] (sallyport.yaml:3)'),
    ]);
    await client.close();
    expect(await stop()).toBe(0);
    const verified = await run('audit', 'verify', '--json');
    expect(verified.code).toBe(0);
    expect((await run('audit', 'tail')).out).toContain('shutdown');
  });

  test('gives the same token at the next start, and none that was revoked', async () => {
    const first = await up();
    const token = String(first.started['token']);
    await first.stop();
    const second = await up();
    expect(second.started['token']).toBe(token);
    await run('token', 'revoke', 'local');
    await expect(connect(String(second.started['url']), token)).rejects.toThrow(/TOKEN_UNKNOWN/);
  });

  test('[T6.1] refuses no token, a wrong token, a foreign Host and a foreign Origin', async () => {
    const { started } = await up();
    const url = String(started['url']);
    const ask = (headers: Record<string, string>) => fetch(url, { method: 'POST', headers, body: '{' });
    const token = { authorization: `Bearer ${started['token']}` };
    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: `Bearer sp_${'A'.repeat(43)}` })).status).toBe(401);
    expect((await ask({ ...token, origin: 'https://evil.example' })).status).toBe(403);
    expect((await fetch(url.replace('/mcp', '/healthz'))).status).toBe(200);
    const added = await run('token', 'add', 'cursor');
    expect(added.out).toMatch(/^sp_[A-Za-z0-9_-]{43}\n$/);
    const client = await connect(url, added.out.trim());
    expect((await client.listTools()).tools.map(({ name }) => name).sort()).toEqual(['file_read', 'file_write']);
    await client.close();
  });

  test('says in one sentence when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const ran = await run('up', '--port', String(port));
    other.close();
    expect(ran.code).toBe(3);
    expect(ran.err).toMatch(new RegExp(`^sallyport: the address 127.0.0.1:${port} is in use\nNext: .*PORT_IN_USE`));
  });

  test('shares the state with a process that has it, also stops, and can have it after SIGKILL', async () => {
    const { stop } = await up();
    expect((await run('call', 'file_read', '{"path":"src/a.ts"}')).out).toContain('const a = 1');
    expect((await run('stop', 'all')).code).toBe(0);
    expect((await run('stops', '--json')).out).toBe('[{"kind":"all"}]\n');
    const stopped = await run('call', 'file_read', '{"path":"src/a.ts"}');
    expect([stopped.code, stopped.out]).toEqual([1, expect.stringContaining('STOPPED')]);
    expect((await run('resume', 'all')).code).toBe(0);
    await stop('SIGKILL');
    expect((await run('call', 'file_read', '{"path":"src/a.ts"}')).out).toContain('const a = 1');
  }, 60_000);

  test.skipIf(process.getuid?.() === 0)(
    'says in one sentence when the disk cannot be written (not as root)',
    async () => {
      mkdirSync(join(workspace.base, 'locked'));
      chmodSync(join(workspace.base, 'locked'), 0o500);
      const ran = await sallyport(['up', '--state', join(workspace.base, 'locked', 'state')], { cwd: workspace.root });
      expect([ran.code, ran.err]).toEqual([
        3,
        expect.stringMatching(/^sallyport: cannot make the state folder .*\nNext: .*STATE_UNWRITABLE/),
      ]);
    },
  );

  test('refuses a state folder inside the workspace, before making it', async () => {
    const ran = await sallyport(['up', '--state', 'src/state'], { cwd: workspace.root });
    expect([ran.code, ran.err]).toEqual([3, expect.stringContaining('STATE_EXPOSED')]);
    expect(existsSync(join(workspace.root, 'src', 'state'))).toBe(false);
  });

  test('listens without a token on loopback only, and says so', async () => {
    const ran = await run('up', '--auth', 'none', '--host', '0.0.0.0', '--port', '0');
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('loopback')]);
    const { started } = await up('--auth', 'none');
    expect(started['token']).toBeNull();
    const client = await connect(String(started['url']), null);
    expect((await client.listTools()).tools).toHaveLength(2);
    await client.close();
  });

  test('without a policy file the embedded one guards the current folder', async () => {
    rmSync(workspace.policyFile);
    const { started } = await up();
    const client = await connect(String(started['url']), String(started['token']));
    expect(textOf(await client.callTool({ name: 'file_read', arguments: { path: 'src/a.ts' } }))).toContain(
      'const a = 1',
    );
    expect(textOf(await client.callTool({ name: 'file_read', arguments: { path: '.env' } }))).toContain('PATH_DENIED');
    await client.close();
  });
});

test('sallyport mcp serves the official client on stdio', async () => {
  const client = new Client({ name: 'test', version: '1' });
  const args = [MAIN, 'mcp', '--state', workspace.state];
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, cwd: workspace.root, stderr: 'pipe' }),
  );
  expect(textOf(await client.callTool({ name: 'file_read', arguments: { path: 'src/a.ts' } }))).toContain(
    'const a = 1',
  );
  expect(textOf(await client.callTool({ name: 'file_read', arguments: { path: '../x' } }))).toContain(
    'PATH_NOT_ALLOWED',
  );
  await client.close();
  expect((await run('audit', 'verify')).code).toBe(0);
});

describe('sallyport policy', () => {
  test('check names every problem with file, line, column and remedy', async () => {
    workspace.write({
      'sallyport.yaml': 'version: 1\ntools:\n  file_read: { allowedPath: [src/] }\n  shell: { isolation: process }\n',
    });
    const ran = await run('policy', 'check');
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/sallyport\.yaml:3:\d+: .*allowedPath/);
    expect(ran.err).toMatch(/sallyport\.yaml:4:\d+: .*process/);
    expect(ran.err).toContain('did you mean');
  });

  test('explain derives a decision without a record', async () => {
    const allowed = await run('policy', 'explain', 'file_read', '{"path":"src/a.ts"}');
    expect([allowed.code, allowed.out]).toEqual([0, expect.stringContaining('tools.file_read.allowedPaths[0]')]);
    const denied = await run('policy', 'explain', 'file_read', '{"path":"src/../.env"}', '--json');
    expect([denied.code, JSON.parse(denied.out)]).toMatchObject([1, { decision: { code: 'PATH_DENIED' } }]);
    expect(existsSync(workspace.state)).toBe(false);
  });
});

describe('wrong use', () => {
  test.each([
    [['nonsense'], 2],
    [['call', 'file_read'], 2],
    [['call', 'file_read', '{"path":"src/a.ts","path":".env"}'], 2],
    [['up', '--port', 'x'], 2],
    [['token', 'add', '../x'], 2],
    [['policy', 'check', '--policy', 'missing.yaml'], 2],
    [['servers', 'approve', 'nobody'], 2],
  ])('%j exits %i', async (words, code) => {
    expect((await sallyport(words, { cwd: workspace.root })).code).toBe(code);
  });

  test('help and version are fine', async () => {
    expect((await sallyport(['--help'], { cwd: workspace.root })).code).toBe(0);
    expect((await sallyport(['--version'], { cwd: workspace.root })).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
