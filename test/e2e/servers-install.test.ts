import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseLock } from '../../src/gateway/lock.ts';
import { removeTree } from '../../src/gateway/package-tree.ts';
import { type Ran, sallyport } from '../support/cli.ts';
import { isHere, SANDBOX, whyNot } from '../support/levels.ts';
import { type Registry, type StandInPackage, startRegistry } from '../support/registry.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const LEVELS = (['none', 'bubblewrap', 'gvisor'] as const).map((level) => ({ level, isHere: isHere(level) }));

/** A server that says what it has loaded and what it finds. */
const SERVER = `
const { existsSync, writeFileSync } = require('node:fs');
const word = require('dep');
const tool = { name: 'look', inputSchema: { type: 'object', properties: { path: { type: 'string' } } } };
const results = {
  initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }),
  'tools/list': () => ({ tools: [tool] }),
  'tools/call': ({ arguments: { path } }) => {
    let own = 'kept';
    try { writeFileSync(__filename, 'x'); own = 'overwritten'; } catch (error) { own = error.code; }
    const text = [word, process.argv.slice(2).join(' '), existsSync(path) ? 'seen' : 'hidden', own].join('|');
    return { content: [{ type: 'text', text }] };
  },
};
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const result = results[method]?.(params ?? {});
  const body = result ? { result } : { error: { code: -32601, message: 'no' } };
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...body }) + '\\n');
});
`;

let registry: Registry;
let workspace: Workspace;
let data: string;
let marker: string;
beforeEach(async () => {
  registry = await startRegistry();
  workspace = makeWorkspace('version: 1\n', { 'notes.txt': 'private' });
  chmodSync(workspace.base, 0o755);
  data = join(workspace.base, 'data');
  marker = join(workspace.base, 'script-ran');
  mkdirSync(data);
  registry.publish({ ...DEP, version: '1.0.3' });
});
afterEach(async () => {
  await registry.close();
  await removeTree(data);
  workspace.remove();
});

const DEP: StandInPackage = {
  ...{ name: 'dep', version: '1.0.0' },
  files: [{ path: 'package/index.js', content: 'module.exports = "from dep";' }],
};
const mcp = (more: Partial<StandInPackage> = {}): StandInPackage => ({
  ...{ name: '@acme/mcp', version: '1.4.2' },
  manifest: {
    ...{ bin: { mcp: 'cli.js' }, dependencies: { dep: '^1.0.0' } },
    scripts: { preinstall: `touch ${marker}`, install: `touch ${marker}`, postinstall: `touch ${marker}` },
  },
  files: [{ path: 'package/cli.js', content: SERVER, mode: 0o755 }],
  ...more,
});

function policy(level: string, server: object = {}): void {
  const rule = { package: '@acme/mcp@1.4.2', args: ['--flag'], protocol: '2025-11-25', ...server };
  const text = { version: 1, defaults: { isolation: level }, sandbox: SANDBOX, servers: { s: rule } };
  writeFileSync(workspace.policyFile, JSON.stringify({ ...text, tools: { 'mcp__s__*': { otherArguments: 'allow' } } }));
}
const run = (...words: readonly string[]): Promise<Ran> =>
  sallyport([...words, '--state', workspace.state], {
    ...{ cwd: workspace.root, environment: { XDG_DATA_HOME: data } },
  });
const install = (...flags: readonly string[]): Promise<Ran> =>
  run('servers', 'install', '--registry', registry.url, '--yes', '--json', ...flags);
const codeOf = ({ out }: Ran): unknown => (JSON.parse(out) as { error?: { code?: unknown } }).error?.code ?? 'none';
const lock = () => parseLock(readFileSync(join(workspace.root, 'sallyport.lock'), 'utf8'));
const treeOf = (): string => join(data, 'sallyport/servers/s', lock().packages.get('s')?.tree.slice(7) ?? '');
const look = () => run('call', 'mcp__s__look', JSON.stringify({ path: join(workspace.root, 'notes.txt') }));
/** What is in the folder of the server, and nothing of an installation that failed. */
const left = (): string[] => {
  const folder = join(data, 'sallyport/servers/s');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe.each(LEVELS)('a server that is a package, at $level', ({ level, isHere }) => {
  const title = whyNot(level);

  test.skipIf(!isHere)(
    `is installed, approved and called; it sees its own files and no others${title}`,
    async () => {
      const integrity = registry.publish(mcp());
      policy(level);
      const installed = await install();
      expect([installed.code, codeOf(installed), existsSync(marker)], installed.err).toEqual([0, 'none', false]);
      expect(lock().packages.get('s')).toMatchObject({ name: '@acme/mcp', version: '1.4.2', integrity });
      expect((await run('servers', 'approve', 's', '--yes')).code).toBe(0);
      const called = await look();
      expect(called.out, called.err).toContain(`from dep|--flag|${level === 'none' ? 'seen' : 'hidden'}|`);
      if (level !== 'none') expect(called.out).toMatch(/\|(EROFS|EACCES|EPERM)/);
      expect(registry.asked.filter((one) => !one.startsWith('GET '))).toEqual([]);
    },
    120_000,
  );
});

describe('[T2.4] what is pinned', () => {
  const level = isHere('bubblewrap') ? 'bubblewrap' : 'none';

  test('is fetched again byte for byte, whatever was published meanwhile', async () => {
    registry.publish(mcp());
    policy(level);
    expect((await install()).code).toBe(0);
    const before = lock().packages.get('s');
    await removeTree(data);
    mkdirSync(data);
    registry.publish({ ...DEP, version: '1.9.0', files: [{ path: 'package/index.js', content: 'throw 1;' }] });
    const again = await install();
    expect([again.code, codeOf(again)], again.err).toEqual([0, 'none']);
    expect(lock().packages.get('s')).toEqual({ ...before, installedAt: expect.any(String) });
  }, 120_000);

  test('is refused when the registry has something else for it, and nothing is kept', async () => {
    registry.publish(mcp());
    policy(level);
    expect((await install()).code).toBe(0);
    await removeTree(data);
    mkdirSync(data);
    registry.publish(mcp({ files: [{ path: 'package/cli.js', content: 'evil()' }] }));
    const again = await install();
    expect([again.code, codeOf(again), left()], again.err).toEqual([1, 'PACKAGE_INTEGRITY', []]);
  }, 120_000);

  test('by the policy is compared at the first installation', async () => {
    const integrity = registry.publish(mcp());
    policy(level, { integrity: `sha512-${'A'.repeat(86)}==` });
    const refused = await install();
    expect([refused.code, codeOf(refused), left()], refused.err).toEqual([1, 'PACKAGE_INTEGRITY', []]);
    expect(existsSync(join(workspace.root, 'sallyport.lock'))).toBe(false);
    policy(level, { integrity });
    expect((await install()).code).toBe(0);
  }, 120_000);

  test('and was changed on the disk does not start, and is mended by installing it', async () => {
    registry.publish(mcp());
    policy('none');
    expect((await install()).code).toBe(0);
    expect((await run('servers', 'approve', 's', '--yes')).code).toBe(0);
    const file = join(treeOf(), 'node_modules/dep/index.js');
    chmodSync(file, 0o644);
    writeFileSync(file, 'module.exports = "owned";');
    chmodSync(file, 0o444);
    const refused = await look();
    expect(`${refused.out}${refused.err}`).toContain('PACKAGE_CHANGED');
    expect(refused.out).not.toContain('owned');
    expect((await install()).code).toBe(0);
    expect((await look()).out).toContain('from dep|');
  }, 120_000);

  test('and was added to does not start', async () => {
    registry.publish(mcp());
    policy('none');
    expect((await install()).code).toBe(0);
    const folder = join(treeOf(), 'node_modules');
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, '.package-lock.json'), '{}');
    chmodSync(folder, 0o555);
    const refused = await run('servers', 'diff', 's', '--json');
    expect([refused.code, codeOf(refused)]).toEqual([1, 'PACKAGE_CHANGED']);
  }, 120_000);

  test('is not there: nothing is fetched when a server starts', async () => {
    registry.publish(mcp());
    policy('none');
    const refused = await run('servers', 'approve', 's', '--yes', '--json');
    expect([refused.code, codeOf(refused), registry.asked]).toEqual([1, 'PACKAGE_NOT_INSTALLED', []]);
    expect(refused.err).toContain('sallyport servers install s');
  });
});

describe('[T2.4] a hostile package', () => {
  const level = isHere('bubblewrap') ? 'bubblewrap' : 'none';

  test.each<[string, Partial<StandInPackage>, string]>([
    [
      'whose program is a link out of it',
      { files: [{ path: 'package/cli.js', type: '2', target: '../../../../../../etc/hostname' }] },
      'PACKAGE_REFUSED',
    ],
    ['whose program lies elsewhere', { manifest: { bin: { mcp: '../../../../../../bin/sh' } } }, 'PACKAGE_REFUSED'],
    ['whose program is another package', { manifest: { bin: { mcp: '../../dep/index.js' } } }, 'PACKAGE_REFUSED'],
    ['whose program is a folder', { manifest: { bin: { mcp: '.' } } }, 'PACKAGE_REFUSED'],
    ['without a program', { manifest: {} }, 'PACKAGE_REFUSED'],
    ['with several programs', { manifest: { bin: { a: 'cli.js', b: 'package.json' } } }, 'PACKAGE_REFUSED'],
    ['with the integrity of another tarball', { integrity: `sha512-${'A'.repeat(86)}==` }, 'PACKAGE_INTEGRITY'],
    ['that needs a folder of this machine', { manifest: { bin: 'cli.js', dependencies: { x: 'file:/etc' } } }, 'any'],
    ['that needs a repository', { manifest: { bin: 'cli.js', dependencies: { x: 'acme/x' } } }, 'PACKAGE_INSTALL'],
  ])(
    '%s is not kept',
    async (_title, more, code) => {
      registry.publish(mcp(more));
      policy(level);
      const refused = await install();
      expect(refused.code, refused.err).not.toBe(0);
      if (code !== 'any') expect(codeOf(refused), refused.err).toBe(code);
      expect([left(), existsSync(join(workspace.root, 'sallyport.lock'))]).toEqual([[], false]);
    },
    120_000,
  );

  test('whose tarball leads out of its folder writes nothing there', async () => {
    const files = [
      { path: 'package/cli.js', content: SERVER },
      { path: 'package/../../../../../../../../../tmp/sallyport-escaped', content: 'x' },
      { path: '../../../../evil.js', content: 'x' },
    ];
    registry.publish(mcp({ files }));
    policy(level);
    await install();
    const found = readdirSync(workspace.base, { recursive: true, encoding: 'utf8' });
    expect(found.filter((name) => name.includes('evil.js') || name.includes('escaped'))).toEqual([]);
    expect(existsSync('/tmp/sallyport-escaped')).toBe(false);
  }, 120_000);
});

describe('[T2.4] the registry', () => {
  const here = isHere('bubblewrap');
  const title = here ? '' : ' (skipped: bubblewrap is not available here)';

  test.skipIf(!here).each(['redirect', 'tarball'] as const)(
    `that leads elsewhere by its %s is not followed${title}`,
    async (way) => {
      const other = await startRegistry();
      registry.publish(mcp({ [way]: `${other.url}@acme/mcp/-/1.4.2.tgz` }));
      other.publish(mcp());
      policy('bubblewrap');
      const refused = await install();
      expect([refused.code, codeOf(refused), other.asked, left()], refused.err).toEqual([3, 'PACKAGE_INSTALL', [], []]);
      expect(refused.err).toContain(`127.0.0.1:${other.port}`);
      await other.close();
    },
    120_000,
  );

  test('without TLS is taken on this machine only', async () => {
    policy('none');
    for (const url of ['http://registry.example/', 'ftp://127.0.0.1/', 'https://user:word@registry.example/'])
      expect(codeOf(await run('servers', 'install', '--registry', url, '--yes', '--json')), url).toBe('USAGE');
  });
});

describe('servers install', () => {
  test('asks before anything is fetched, and nobody is no yes', async () => {
    registry.publish(mcp());
    policy('none');
    const refused = await run('servers', 'install', '--registry', registry.url, '--json');
    expect([refused.code, codeOf(refused), registry.asked, left()]).toEqual([2, 'USAGE', [], []]);
    expect(refused.err).toContain('@acme/mcp@1.4.2');
    expect(refused.err).toContain(`http://127.0.0.1:${registry.port} and nothing else`);
  });

  test('keeps to a folder that no tool reaches', async () => {
    registry.publish(mcp());
    policy('none');
    const inside = { XDG_DATA_HOME: join(workspace.root, 'data') };
    const words = ['servers', 'install', '--registry', registry.url, '--yes', '--json', '--state', workspace.state];
    const refused = await sallyport(words, { cwd: workspace.root, environment: inside });
    expect([refused.code, codeOf(refused), registry.asked]).toEqual([3, 'PACKAGE_PLACE', []]);
  });

  test('is not for what a tool of an agent starts', async () => {
    policy('none');
    const environment = { XDG_DATA_HOME: data, SALLYPORT_INSIDE: '1' };
    const refused = await sallyport(['servers', 'install', '--yes', '--json'], { cwd: workspace.root, environment });
    expect([refused.code, codeOf(refused)]).toEqual([1, 'OPERATOR_ONLY']);
  });

  test('of another version voids the approval, and --prune removes the old one', async () => {
    registry.publish(mcp());
    registry.publish(mcp({ version: '1.5.0' }));
    policy('none');
    expect((await install()).code).toBe(0);
    const old = treeOf();
    expect((await run('servers', 'approve', 's', '--yes')).code).toBe(0);
    policy('none', { package: '@acme/mcp@1.5.0' });
    const listed = await run('servers', 'list', '--json');
    expect(JSON.parse(listed.out)).toMatchObject([{ name: 's', state: 'changed', package: 'absent' }]);
    expect((await install()).code).toBe(0);
    expect(existsSync(old)).toBe(true);
    expect((await install('--prune')).code).toBe(0);
    expect([existsSync(old), existsSync(treeOf())]).toEqual([false, true]);
    expect(JSON.parse((await run('servers', 'list', '--json')).out)).toMatchObject([{ state: 'changed' }]);
  }, 120_000);
});
