import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makePerson, type Person, runProgram } from '../support/home.ts';

const POLICY = 'version: 1\ntools:\n  file_read: { allowedPaths: [src/] }\n';
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const CURSOR = '.cursor/mcp.json';

let person: Person;
beforeEach(() => {
  person = makePerson(POLICY);
});
afterEach(() => person.workspace.remove());

/** Refused with this code, and nothing was written to the file. */
async function refused(code: string, ...words: string[]): Promise<string> {
  const before = person.read(CURSOR);
  const { code: exit, out, err } = await person.run('connect', ...words);
  expect([exit === 0, out, err]).toEqual([false, '', expect.stringContaining(`(${code})`)]);
  expect(person.read(CURSOR)).toBe(before);
  expect(existsSync(join(person.workspace.state, 'connect'))).toBe(false);
  return err;
}

describe('a program that an agent could rewrite is never what a host starts', () => {
  test('Sallyport lies inside the root of the policy', async () => {
    person.workspace.write({ 'sallyport.yaml': `root: ${REPOSITORY}\n${POLICY}` });
    await refused('CONNECT_PROGRAM', 'cursor');
  });

  test('node lies in a path that a tool may use', async () => {
    person.workspace.write({ 'sallyport.yaml': POLICY.replace('[src/]', `["${join(process.execPath, '..')}/"]`) });
    await refused('CONNECT_PROGRAM', 'cursor');
  });

  test('Sallyport is a package of the project, and the workspace is only a part of the project', async () => {
    const { root } = person.workspace;
    const modules = join(root, 'node_modules');
    mkdirSync(join(modules, 'sallyport'), { recursive: true });
    cpSync(join(REPOSITORY, 'dist'), join(modules, 'sallyport', 'dist'), { recursive: true });
    cpSync(join(REPOSITORY, 'policies'), join(modules, 'sallyport', 'policies'), { recursive: true });
    writeFileSync(join(modules, 'sallyport', 'package.json'), readFileSync(join(REPOSITORY, 'package.json')));
    const own = readdirSync(join(REPOSITORY, 'node_modules')).filter((name) => !name.startsWith('.'));
    for (const name of own) symlinkSync(join(REPOSITORY, 'node_modules', name), join(modules, name));
    person.workspace.write({ 'part/sallyport.yaml': POLICY, 'part/src/a.ts': '' });
    const words = [
      join(modules, 'sallyport', 'dist', 'cli', 'main.js'),
      'connect',
      'cursor',
      '--state',
      person.workspace.state,
    ];
    const { code, err } = await runProgram(words, { cwd: join(root, 'part'), environment: person.environment });
    expect([code, err]).toEqual([2, expect.stringContaining('CONNECT_PROGRAM')]);
    expect(person.read(CURSOR)).toBeNull();
  });

  test('the state lies inside the workspace', async () => {
    const { code, err } = await person.run('connect', 'cursor', '--policy', person.workspace.policyFile);
    expect([code, err]).toEqual([0, expect.anything()]);
    await person.run('disconnect', 'cursor');
    person.workspace.write({ 'sallyport.yaml': `root: ${person.workspace.base}\n${POLICY}` });
    expect((await person.run('connect', 'cursor')).err).toContain('STATE_EXPOSED');
  });
});

describe('a file that is not plainly ours is left alone', () => {
  test.each([
    ['not JSON', '{ "mcpServers": '],
    ['a key twice', '{ "mcpServers": {}, "mcpServers": { "a": {} } }'],
    ['servers that are no object', '{ "mcpServers": [] }'],
    ['nested too deeply', `{ "a": ${'['.repeat(50_000)}`],
    ['text behind the value', '{} {}'],
  ])('%s', async (_, text) => {
    person.put(CURSOR, text);
    await refused('CONNECT_SYNTAX', 'cursor');
  });

  test('not UTF-8', async () => {
    person.put(CURSOR, '');
    writeFileSync(join(person.home, CURSOR), Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await refused('CONNECT_FILE', 'cursor')).toContain('not UTF-8');
  });

  test('a second hard link', async () => {
    linkSync(person.put(CURSOR, '{}'), join(person.home, 'other'));
    await refused('CONNECT_FILE', 'cursor');
  });

  test('a link that leads nowhere is not followed to make a file', async () => {
    person.put('.cursor/x', '');
    symlinkSync(join(person.home, 'elsewhere'), join(person.home, CURSOR));
    await refused('CONNECT_FILE', 'cursor');
    expect(existsSync(join(person.home, 'elsewhere'))).toBe(false);
  });

  test('a folder in its place', async () => {
    mkdirSync(join(person.home, CURSOR), { recursive: true });
    const { err } = await person.run('connect', 'cursor');
    expect(err).toContain('CONNECT_FILE');
  });

  test.runIf(process.getuid?.() === 0)('it belongs to another user', async () => {
    chownSync(person.put(CURSOR, '{}'), 4_242, 4_242);
    await refused('CONNECT_FILE', 'cursor');
  });

  test.skipIf(process.getuid?.() === 0)('it is read-only', async () => {
    chmodSync(person.put(CURSOR, '{}'), 0o400);
    await refused('CONNECT_FILE', 'cursor');
  });
});

describe('what a project holds was perhaps put there by an agent', () => {
  test.each([
    [
      'the file is a link to a file of the person',
      (target: string, root: string) => {
        mkdirSync(join(root, '.cursor'));
        symlinkSync(target, join(root, '.cursor', 'mcp.json'));
      },
    ],
    [
      'the folder is a link to a folder of the person',
      (target: string, root: string) => {
        symlinkSync(join(target, '..'), join(root, '.cursor'));
      },
    ],
  ])('%s', async (_, plant) => {
    const target = person.put('secrets/mcp.json', '{}');
    plant(target, person.workspace.root);
    await refused('CONNECT_FILE', 'cursor', '--project');
    expect(readFileSync(target, 'utf8')).toBe('{}');
  });

  test('names of servers reach the terminal escaped, on one line, and only so many', async () => {
    const servers = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`\u001b[2Jx\nConnected ${at}`, {}]));
    person.put(CURSOR, JSON.stringify({ mcpServers: servers }));
    const { out, err } = await person.run('connect', 'cursor', '--also-wrap');
    expect(`${out}${err}`).not.toContain('\u001b');
    expect(err).toContain('100 other MCP servers');
    expect(err).toContain('"\\u{1b}[2Jx\\u{a}Connected 0"');
    expect(err).not.toContain('Connected 20"');
    expect(err.split('\n').some((line) => line.startsWith('Connected'))).toBe(false);
  });
});

describe('a token never lies where tools can read', () => {
  test('the home of the person is the workspace', async () => {
    person.workspace.write({ 'sallyport.yaml': `root: ${person.home}\n${POLICY}` });
    await refused('CONNECT_TOKEN', 'cursor', '--http');
    expect((await person.run('token', 'list')).out).toContain('No tokens');
  });

  test('the file of the person is a link into the workspace', async () => {
    person.workspace.write({ 'mcp.json': '{}' });
    person.put('.cursor/x', '');
    symlinkSync(join(person.workspace.root, 'mcp.json'), join(person.home, CURSOR));
    await refused('CONNECT_TOKEN', 'cursor', '--http');
  });

  test('a file that cannot be written costs no token', async () => {
    person.put(CURSOR, '[]');
    await refused('CONNECT_SYNTAX', 'cursor', '--http');
    expect((await person.run('token', 'list')).out).toContain('No tokens');
  });
});
