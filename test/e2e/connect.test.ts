import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { parse as parseToml } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAIN, startUp } from '../support/cli.ts';
import { makePerson, type Person } from '../support/home.ts';

const POLICY = 'version: 1\ntools:\n  file_read: { allowedPaths: [src/] }\n';

let person: Person;
beforeEach(() => {
  person = makePerson(POLICY);
});
afterEach(() => person.workspace.remove());

/** Where each host keeps the file of a user on Linux, the key of its servers, and what stands beside the command. */
const LINUX: readonly (readonly [host: string, file: string, key: string, beside: object])[] = [
  ['claude-code', '.claude.json', 'mcpServers', { type: 'stdio' }],
  ['claude-desktop', '.config/Claude/claude_desktop_config.json', 'mcpServers', {}],
  ['cursor', '.cursor/mcp.json', 'mcpServers', {}],
  ['vscode', '.config/Code/User/mcp.json', 'servers', { type: 'stdio' }],
  ['windsurf', '.codeium/windsurf/mcp_config.json', 'mcpServers', {}],
  ['codex', '.codex/config.toml', 'mcp_servers', {}],
  ['gemini-cli', '.gemini/settings.json', 'mcpServers', {}],
  ['zed', '.config/zed/settings.json', 'context_servers', {}],
  [
    'cline',
    '.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
    'mcpServers',
    {},
  ],
  ['cline-cli', '.cline/data/settings/cline_mcp_settings.json', 'mcpServers', {}],
  ['roo', '.config/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json', 'mcpServers', {}],
];

const readBack = (file: string): Record<string, Record<string, unknown>> => {
  const text = person.read(file) ?? '';
  return (file.endsWith('.toml') ? JSON.parse(JSON.stringify(parseToml(text))) : JSON.parse(text)) as Record<
    string,
    Record<string, unknown>
  >;
};

const command = (host: string): object => ({
  command: realpathSync(process.execPath),
  args: [
    realpathSync(MAIN),
    'mcp',
    '--agent',
    host,
    '--policy',
    person.workspace.policyFile,
    '--state',
    person.workspace.state,
  ],
});

describe.runIf(process.platform === 'linux')('connect HOST', () => {
  test.each(LINUX)(
    '%s: writes absolute paths once, and disconnect takes the file away again',
    async (host, file, key, beside) => {
      expect(await person.json('connect', host)).toMatchObject({ host, changed: true, transport: 'stdio', others: [] });
      expect(readBack(file)).toEqual({ [key]: { sallyport: { ...beside, ...command(host) } } });
      expect(statSync(join(person.home, file)).mode & 0o777).toBe(0o600);
      const written = person.read(file);
      expect(await person.json('connect', host)).toMatchObject({ changed: false, backup: null });
      expect(person.read(file)).toBe(written);
      expect(await person.json('disconnect', host)).toMatchObject({ changed: true, how: 'restored' });
      expect(person.read(file)).toBeNull();
      expect(await person.json('disconnect', host)).toMatchObject({ changed: false, how: 'absent' });
    },
  );

  test('what was written starts, and its calls pass the gate', async () => {
    await person.json('connect', 'claude-code');
    const entry = readBack('.claude.json')['mcpServers']?.['sallyport'] as { command: string; args: string[] };
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StdioClientTransport({ ...entry, cwd: person.home, env: { ...person.environment } }));
    const result = await client.callTool({ name: 'file_read', arguments: { path: 'src/a.ts' } });
    await client.close();
    expect(JSON.stringify(result.content)).toContain('const a = 1');
    expect((await person.run('audit', 'sessions')).out).toContain('claude-code');
  });
});

const CURSOR = '.cursor/mcp.json';
const OWN = '{\n  // mine\n  "mcpServers": {\n    "a": { "command": "x" }, // keep\n  },\n}\n';

describe('a file that was there', () => {
  test('comes back byte for byte, with its mode', async () => {
    const path = person.put(CURSOR, OWN);
    const { mode } = statSync(path);
    const { backup, others } = await person.json('connect', 'cursor');
    expect(others).toEqual(['a']);
    expect(readFileSync(join(String(backup), 'before'), 'utf8')).toBe(OWN);
    expect(statSync(join(String(backup), 'before')).mode & 0o777).toBe(0o600);
    expect(String(backup).startsWith(join(person.workspace.state, 'connect', 'cursor'))).toBe(true);
    await person.json('disconnect', 'cursor');
    expect(person.read(CURSOR)).toBe(OWN);
    expect(statSync(path).mode).toBe(mode);
    expect(readdirSync(join(person.home, '.cursor'))).toEqual(['mcp.json']);
  });

  test('was edited in between: only our entry goes', async () => {
    person.put(CURSOR, OWN);
    await person.json('connect', 'cursor');
    const edited = (person.read(CURSOR) ?? '').replace('"a": {', '"b": {}, /* new */\n    "a": {');
    person.put(CURSOR, edited);
    expect(await person.json('connect', 'cursor')).toMatchObject({ changed: false });
    expect(await person.json('disconnect', 'cursor')).toMatchObject({ how: 'removed', changed: true });
    expect(person.read(CURSOR)).toBe(OWN.replace('"a": {', '"b": {}, /* new */\n    "a": {'));
  });

  test('had an entry of our name: it is replaced, and comes back', async () => {
    const byHand = '{"mcpServers":{"sallyport":{"url":"http://127.0.0.1:7332/mcp","headers":{"A":"SALLYPORT_TOKEN"}}}}';
    person.put(CURSOR, byHand);
    await person.json('connect', 'cursor');
    expect((await person.run('disconnect', 'cursor')).err).toContain('stood there before connect is back');
    expect(person.read(CURSOR)).toBe(byHand);
    const own = '{ "mcpServers": { "sallyport": { "command": "sallyport", "args": ["mcp"] } } }';
    person.put(CURSOR, own);
    await person.json('connect', 'cursor');
    person.put(CURSOR, (person.read(CURSOR) ?? '').replace('{', '{\n  "later": true,'));
    await person.json('disconnect', 'cursor');
    expect(JSON.parse(person.read(CURSOR) ?? '')).toEqual({ later: true, ...JSON.parse(own) });
  });

  test('is connected anew with another policy: disconnect still gives the first text back', async () => {
    person.put(CURSOR, OWN);
    await person.json('connect', 'cursor');
    person.workspace.write({ 'other.yaml': POLICY });
    expect(await person.json('connect', 'cursor', '--policy', 'other.yaml')).toMatchObject({ changed: true });
    expect(person.read(CURSOR)).toContain('other.yaml');
    await person.json('disconnect', 'cursor');
    expect(person.read(CURSOR)).toBe(OWN);
  });

  test('lost its record: our entry is known by its shape, another one is not touched', async () => {
    person.put(CURSOR, OWN);
    await person.json('connect', 'cursor');
    rmSync(person.workspace.state, { recursive: true });
    expect(await person.json('disconnect', 'cursor')).toMatchObject({ how: 'removed' });
    expect(person.read(CURSOR)).toBe(OWN);
    const foreign = '{"mcpServers":{"sallyport":{"command":"else"}}}';
    person.put(CURSOR, foreign);
    const { code, err } = await person.run('disconnect', 'cursor');
    expect([code, err]).toEqual([2, expect.stringContaining('CONNECT_FOREIGN')]);
    expect(person.read(CURSOR)).toBe(foreign);
  });

  test('lies behind a link: the link stays, both places are shown', async () => {
    const real = person.put('dotfiles/cursor.json', OWN);
    person.put('.cursor/x', '');
    symlinkSync(real, join(person.home, CURSOR));
    const { out } = await person.run('connect', 'cursor');
    expect(out).toContain(`${join(person.home, CURSOR)} (really ${real})`);
    expect(readFileSync(real, 'utf8')).toContain('sallyport');
    await person.json('disconnect', 'cursor');
    expect(readFileSync(real, 'utf8')).toBe(OWN);
    expect(realpathSync(join(person.home, CURSOR))).toBe(real);
  });

  test('--dry-run prints the difference and writes nothing, not even a state folder', async () => {
    person.put(CURSOR, OWN);
    const { code, out } = await person.run('connect', 'cursor', '--dry-run');
    expect([code, out]).toEqual([0, expect.stringContaining('+     "sallyport": {')]);
    expect(out).not.toContain('"command": "x"');
    expect(person.read(CURSOR)).toBe(OWN);
    expect(existsSync(person.workspace.state)).toBe(false);
  });
});

test('several at once: each ends, the entry stands there once, and nothing else is lost', async () => {
  person.put(CURSOR, OWN);
  const ran = await Promise.all(Array.from({ length: 4 }, () => person.run('connect', 'cursor')));
  expect(ran.map(({ code }) => code).filter((code) => code !== 0 && code !== 3)).toEqual([]);
  expect(ran.some(({ code }) => code === 0)).toBe(true);
  expect((person.read(CURSOR) ?? '').split('"sallyport"').length).toBe(2);
  await person.json('disconnect', 'cursor');
  expect(person.read(CURSOR)).toBe(OWN);
});

describe('--http', () => {
  test('writes a token of its own that the gateway takes; disconnect revokes it', async () => {
    const { stop, started } = await startUp(['--state', person.workspace.state], person.workspace.root);
    try {
      await person.json('connect', 'claude-code', '--http', String(started['url']));
      const entry = readBack('.claude.json')['mcpServers']?.['sallyport'] as {
        url: string;
        headers: Record<string, string>;
      };
      const ask = async (): Promise<number> => {
        const headers = {
          ...entry.headers,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        };
        const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
        const response = await fetch(entry.url, { method: 'POST', headers, body });
        await response.text();
        return response.status;
      };
      expect(await ask()).toBe(200);
      expect(await person.json('connect', 'claude-code', '--http', String(started['url']))).toMatchObject({
        changed: false,
      });
      await person.json('disconnect', 'claude-code');
      expect(await ask()).toBe(401);
    } finally {
      await stop('SIGKILL');
    }
  });

  test.each([
    ['cursor', CURSOR, 'mcpServers', { url: 'http://127.0.0.1:7332/mcp' }],
    ['windsurf', '.codeium/windsurf/mcp_config.json', 'mcpServers', { serverUrl: 'http://127.0.0.1:7332/mcp' }],
    ['gemini-cli', '.gemini/settings.json', 'mcpServers', { httpUrl: 'http://127.0.0.1:7332/mcp' }],
    ['cline-cli', '.cline/data/settings/cline_mcp_settings.json', 'mcpServers', { type: 'streamableHttp' }],
    ['codex', '.codex/config.toml', 'mcp_servers', { url: 'http://127.0.0.1:7332/mcp' }],
  ])('%s: address, header and mode in its own words; no token is printed', async (host, file, key, expected) => {
    const headers = { Authorization: expect.stringMatching(/^Bearer sp_[A-Za-z0-9_-]{43}$/) };
    person.put(file, file.endsWith('.toml') ? '' : '{}');
    const { code, out, err } = await person.run('connect', host, '--http');
    expect([code, `${out}${err}`.includes('sp_')]).toEqual([0, false]);
    expect(readBack(file)[key]?.['sallyport']).toMatchObject({
      ...expected,
      [host === 'codex' ? 'http_headers' : 'headers']: headers,
    });
    expect(statSync(join(person.home, file)).mode & 0o777).toBe(0o600);
    expect((await person.run('disconnect', host, '--dry-run')).out).not.toMatch(/sp_[A-Za-z0-9]/);
    expect((await person.run('token', 'list')).out).toContain(host);
    await person.json('connect', host);
    expect((await person.run('token', 'list')).out).not.toContain(host);
  });

  test.each([
    ['claude-desktop', [], 'CONNECT_TOKEN'],
    ['zed', ['--project'], 'CONNECT_TOKEN'],
    ['windsurf', ['--project'], 'CONNECT_HOST'],
    ['nothing', [], 'CONNECT_HOST'],
  ])('%s %j is refused with %s', async (host, words, code) => {
    expect((await person.run('connect', host, '--http', ...words)).err).toContain(code);
    expect(readdirSync(person.home)).toEqual([]);
  });

  test.each([
    'http://10.0.0.1/mcp',
    'ftp://x/',
    'https://u:p@x.dev/mcp',
    'http://127.0.0.1:7332/mcp?token=1',
    'https://x.dev/$',
    'x',
  ])('the address %s is refused', async (address) => {
    expect((await person.run('connect', 'cursor', `--http=${address}`)).err).toContain('USAGE');
    expect(person.read(CURSOR)).toBeNull();
  });

  test('the file of a project names a variable, never a token', async () => {
    const { code, err } = await person.run('connect', 'claude-code', '--http', '--project');
    expect([code, err]).toEqual([0, expect.stringContaining('Warning: this file lies in the project')]);
    const text = readFileSync(join(person.workspace.root, '.mcp.json'), 'utf8');
    expect(text).toContain(`"Bearer $${'{SALLYPORT_TOKEN}'}"`);
    expect((await person.run('token', 'list')).out).toContain('No tokens');
    await person.json('disconnect', 'claude-code', '--project');
    expect(existsSync(join(person.workspace.root, '.mcp.json'))).toBe(false);
  });

  test('a token of this name that somebody made is not revoked behind their back', async () => {
    await person.run('token', 'add', 'cursor');
    expect((await person.run('connect', 'cursor', '--http')).err).toContain('CONNECT_TOKEN');
    expect((await person.run('token', 'list')).out).toContain('cursor');
  });
});

describe('connect --list', () => {
  test('shows hosts, files and states', async () => {
    await person.json('connect', 'cursor');
    person.put('.claude.json', '{');
    person.put('.gemini/settings.json', '{"mcpServers":{"sallyport":{"command":"else"}}}');
    person.put('.config/zed/settings.json', '{ /* c */ }');
    const { out } = await person.run('connect', '--list', '--json');
    const states = (JSON.parse(out) as { name: string; state: string }[]).map(({ name, state }) => [name, state]);
    expect(Object.fromEntries(states)).toMatchObject({
      'claude-code': 'unreadable',
      cursor: 'connected',
      'gemini-cli': 'another entry',
      ...(process.platform === 'linux' ? { zed: 'not connected' } : {}),
      codex: 'no file',
    });
  });

  test('environment variables that move a file are followed', async () => {
    const moved = makePerson(POLICY, {
      CLAUDE_CONFIG_DIR: '/nowhere/claude',
      CODEX_HOME: 'relative',
      XDG_CONFIG_HOME: '/nowhere',
    });
    try {
      const { out } = await moved.run('connect', '--list');
      expect(out).toContain('/nowhere/claude/.claude.json');
      expect(out).toContain(join(moved.home, '.codex/config.toml'));
      if (process.platform === 'linux') expect(out).toContain('/nowhere/Code/User/mcp.json');
    } finally {
      moved.workspace.remove();
    }
  });
});

test('without a policy of its own nothing is connected', async () => {
  rmSync(person.workspace.policyFile);
  expect((await person.run('connect', 'cursor')).err).toContain('USAGE');
  writeFileSync(person.workspace.policyFile, 'version: 1\nnope: 1\n');
  expect((await person.run('connect', 'cursor')).err).toContain('POLICY_INVALID');
  expect(person.read(CURSOR)).toBeNull();
});
