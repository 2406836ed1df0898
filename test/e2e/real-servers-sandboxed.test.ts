import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Ran, sallyport } from '../support/cli.ts';
import { isHere, SANDBOX, whyNot } from '../support/levels.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const LEVELS = (['bubblewrap', 'gvisor'] as const).map((level) => ({
  ...{ level, isHere: isHere(level), name: `${level}${whyNot(level)}` },
}));

const script = (name: string): string =>
  fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));

let workspace: Workspace;
beforeEach(() => {
  workspace = makeWorkspace('version: 1\n', { 'files/in.txt': 'inside', 'files/.env': 'KEY=1', 'out.txt': 'outside' });
  for (const path of ['', 'work', 'work/files']) chmodSync(join(workspace.base, path), 0o755);
  if (SANDBOX.runAs !== undefined)
    for (const path of ['files', 'files/in.txt']) chownSync(join(workspace.root, path), 1001, 1001);
});
afterEach(() => workspace.remove());

function policy(level: string, files: string): void {
  const server = (name: string, args: readonly string[]) => ({
    ...{ command: [process.execPath, script(name), ...args], protocol: '2025-11-25', env: { SHOWN: 'yes' } },
    paths: { write: ['files/'] },
  });
  const text = {
    ...{ version: 1, defaults: { isolation: level }, sandbox: SANDBOX },
    tools: {
      file_read: { allowedPaths: ['files/'], deniedPaths: ['.env'] },
      ...{ 'mcp__files__*': { otherArguments: 'allow' }, 'mcp__all__*': { otherArguments: 'allow' } },
    },
    // The server would serve .env, which its sandbox does not show.
    servers: { files: server('server-filesystem', [files]), all: server('server-everything', []) },
  };
  writeFileSync(workspace.policyFile, JSON.stringify(text));
}
const run = (...words: readonly string[]): Promise<Ran> =>
  sallyport([...words, '--state', workspace.state], {
    ...{ cwd: workspace.root, environment: { CANARY: 'secret-of-the-parent' } },
  });
const call = (tool: string, args: object): Promise<Ran> => run('call', tool, JSON.stringify(args));

describe.each(LEVELS)('the npm servers in $name', ({ level, isHere }) => {
  test.skipIf(!isHere)(
    '[T2.1] server-filesystem works in its folder, and finds nothing outside of it',
    async () => {
      const { root } = workspace;
      policy(level, join(root, 'files'));
      const approved = await run('servers', 'approve', 'files', '--yes');
      expect(approved.code, approved.err).toBe(0);
      const read = await call('mcp__files__read_text_file', { path: join(root, 'files/in.txt') });
      expect(read.out, read.err).toContain('inside');
      await call('mcp__files__write_file', { path: join(root, 'files/new.txt'), content: 'written' });
      expect(readFileSync(join(root, 'files/new.txt'), 'utf8')).toBe('written');
      for (const path of [join(root, 'files/.env'), join(root, 'out.txt'), '/etc/shadow']) {
        const refused = await call('mcp__files__read_text_file', { path });
        expect(`${refused.out}${refused.err}`, path).not.toMatch(/KEY=1|outside\n|root:/);
      }
    },
    180_000,
  );

  test.skipIf(!isHere)(
    '[T2.1] server-everything sees its few variables and none of ours',
    async () => {
      policy(level, join(workspace.root, 'files'));
      const approved = await run('servers', 'approve', 'all', '--yes');
      expect(approved.code, approved.err).toBe(0);
      expect((await call('mcp__all__echo', { message: 'hello there' })).out).toContain('hello there');
      const variables = await call('mcp__all__get-env', {});
      expect(variables.out, variables.err).toContain('SHOWN');
      expect(variables.out).not.toContain('secret-of-the-parent');
      expect(variables.out).toContain('/home/agent');
    },
    180_000,
  );
});
