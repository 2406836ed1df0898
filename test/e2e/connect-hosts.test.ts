import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePerson, type Person } from '../support/home.ts';

/**
 * The clients themselves read what `connect` wrote. They are no dependencies: install some of `@anthropic-ai/claude-code`,
 * `@openai/codex` and `@google/gemini-cli` (with `--ignore-scripts`) into a folder and name it in SALLYPORT_HOSTS. They run
 * in a network namespace of their own, without a network.
 */
const FOLDER = process.env['SALLYPORT_HOSTS'];
const isolated = FOLDER !== undefined && spawnSync('unshare', ['-rn', 'true']).status === 0;
if (!isolated) {
  const why = FOLDER === undefined ? 'SALLYPORT_HOSTS is not set' : 'unshare does not work here';
  process.stderr.write(
    `connect-hosts: real clients are not asked, ${why}; formats are checked against documentation only\n`,
  );
}

const modules = join(FOLDER ?? '/nonexistent', 'node_modules');
const claude = join(modules, '@anthropic-ai', 'claude-code-linux-x64', 'claude');
const codex = join(modules, '@openai', 'codex-linux-x64', 'vendor', 'x86_64-unknown-linux-musl', 'bin', 'codex');
const gemini = join(modules, '@google', 'gemini-cli');

const POLICY = 'version: 1\ntools:\n  file_read: { allowedPaths: [src/] }\n';
let person: Person;
beforeEach(() => {
  person = makePerson(POLICY);
});
afterEach(() => person.workspace.remove());

function ask(...words: string[]): string {
  const env = { ...person.environment, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', NO_COLOR: '1' };
  const options = { cwd: person.workspace.root, env, encoding: 'utf8', timeout: 100_000 } as const;
  const { stdout, stderr } = spawnSync('unshare', ['-rn', ...words], options);
  return `${stdout}\n${stderr}`;
}

test.skipIf(!isolated || !existsSync(claude))(
  'Claude Code starts the gateway, keeps our entry, and reads ours over HTTP',
  async () => {
    await person.json('connect', 'claude-code');
    expect(ask(claude, 'mcp', 'list')).toMatch(/sallyport: .*--agent claude-code .*Connected/);
    expect(ask(claude, 'mcp', 'add', '-s', 'user', 'other', '--', 'true')).toContain('other');
    expect(await person.json('disconnect', 'claude-code')).toMatchObject({ how: 'removed' });
    expect(ask(claude, 'mcp', 'list')).not.toContain('sallyport:');
    await person.json('connect', 'claude-code', '--http');
    const shown = ask(claude, 'mcp', 'get', 'sallyport');
    expect(shown).toContain('URL: http://127.0.0.1:7332/mcp');
    expect(shown).toContain('Authorization: Bearer sp_');
  },
);

test.skipIf(!isolated || !existsSync(codex))(
  'Codex reads both forms, and our table survives its own editing',
  async () => {
    const get = (): unknown => {
      const text = ask(codex, 'mcp', 'get', 'sallyport', '--json');
      return (JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as { transport: unknown }).transport;
    };
    await person.json('connect', 'codex');
    expect(get()).toMatchObject({ type: 'stdio', args: expect.arrayContaining(['--agent', 'codex']) });
    ask(codex, 'mcp', 'add', 'other', '--', 'true');
    expect(person.read('.codex/config.toml')).toContain('[mcp_servers.other]');
    expect(await person.json('disconnect', 'codex')).toMatchObject({ how: 'removed' });
    expect(person.read('.codex/config.toml')).not.toContain('sallyport');
    await person.json('connect', 'codex', '--http');
    expect(get()).toMatchObject({
      type: 'streamable_http',
      http_headers: { Authorization: expect.stringMatching(/^Bearer sp_/) },
    });
  },
);

test.skipIf(!isolated || !existsSync(gemini))('Gemini CLI reads both forms', async () => {
  const { bin } = JSON.parse(readFileSync(join(gemini, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  const program = join(gemini, bin['gemini'] ?? readdirSync(gemini)[0] ?? '');
  await person.json('connect', 'gemini-cli');
  expect(ask(process.execPath, program, 'mcp', 'list')).toMatch(/sallyport: .*--agent gemini-cli .*\(stdio\)/);
  await person.json('connect', 'gemini-cli', '--http');
  expect(ask(process.execPath, program, 'mcp', 'list')).toContain('sallyport: http://127.0.0.1:7332/mcp (http)');
});
