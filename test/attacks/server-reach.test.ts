import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { approveServer } from '../../src/gateway/index.ts';
import { serverScript } from '../e2e/stand.ts';
import { openTestGate, type TestGate } from '../e2e/test-gate.ts';
import { sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

let stand: TestGate | null = null;
afterEach(async () => {
  await stand?.close();
  stand = null;
});

const tool = (name: string, properties: object) => ({ name, inputSchema: { type: 'object', properties } });
const TOOLS = [
  tool('count', { source: { type: 'boolean' }, text: { type: 'string' } }),
  tool('move', { sourceFile: { type: 'string' }, destination: { type: 'string' } }),
  tool('write', { path: { type: 'string' }, content: { type: 'string' } }),
];

/** A gate before a server on one folder, whose tools an operator approved. */
async function standOn(folder: (workspace: Workspace) => string, rules: string): Promise<TestGate> {
  const workspace = makeWorkspace('version: 1\n', { 'data/a': 'x' });
  const command = [process.execPath, serverScript('hostile.mjs'), 'plain', folder(workspace)];
  const servers = { s: { command, protocol: '2025-11-25' } };
  const opened = await openTestGate({ servers, approved: [], workspace, policy: `tools:\n${rules}` });
  stand = opened;
  const rule = opened.servers.get('s');
  if (rule === undefined) throw new TypeError('no server s');
  const definitions = {
    ...{ protocol: '2025-11-25', capabilities: { tools: {} }, serverInfo: null, instructions: null },
    ...{ tools: TOOLS, prompts: [], resourceTemplates: [] },
  };
  await approveServer(rule, JSON.parse(JSON.stringify(definitions)), { lockPath: opened.lockPath });
  await opened.upstreams.refresh();
  return opened;
}

const offered = ({ upstreams }: TestGate) => upstreams.status()[0]?.tools;

describe('a server on a folder that holds the policy [T1.7]', () => {
  it.each([
    ['the root itself', ({ root }: Workspace) => root],
    ['a folder above it', ({ base }: Workspace) => base],
    ['a folder in an option', ({ root }: Workspace) => `--allowed=${root}`],
    ['a relative folder', () => '.'],
    ['a URI', ({ root }: Workspace) => `file://${root}`],
    [
      'a link to it',
      ({ root, base }: Workspace) => {
        symlinkSync(root, join(base, 'link'));
        return join(base, 'link');
      },
    ],
    [
      'the state folder',
      ({ state }: Workspace) => {
        mkdirSync(state, { mode: 0o700 });
        return state;
      },
    ],
  ])('offers no tool whose paths nobody judges: %s', async (_what, folder) => {
    const opened = await standOn(folder, '  mcp__s__*: {}\n');
    expect(offered(opened)).toEqual(['mcp__s__count']);
    const result = await opened.gate.call('mcp__s__write', { path: 'sallyport.yaml', content: '' });
    expect(result).toMatchObject({ kind: 'denied', code: 'SERVER_DEFINITIONS' });
    expect(opened.upstreams.status()[0]?.refused.at(-1)?.reason).toContain('no rule judges "path" as a path');
  });

  it('offers those whose paths are judged, or may not be given', async () => {
    const rules = `  mcp__s__write: { arguments: { path: { as: file_write } }, allowedPaths: [data/] }
  mcp__s__move: { arguments: { destination: { enum: [data/b] } }, otherArguments: deny }
  mcp__s__count: {}
`;
    const opened = await standOn(({ root }) => root, rules);
    expect(offered(opened)).toEqual(['mcp__s__count', 'mcp__s__move', 'mcp__s__write']);
  });
});

describe('a server on another folder', () => {
  it('offers its tools, and the operator is told which paths nobody judges', async () => {
    const opened = await standOn(({ root }) => join(root, 'data'), '  mcp__s__*: {}\n');
    expect(offered(opened)).toEqual(['mcp__s__count', 'mcp__s__move', 'mcp__s__write']);
    expect(opened.upstreams.status()[0]?.warnings).toEqual([
      'mcp__s__move: "destination", "sourceFile" may be a path that no rule judges: add as: file_read or as: file_write',
      'mcp__s__write: "path" may be a path that no rule judges: add as: file_read or as: file_write',
    ]);
  });
});

describe('the command line', () => {
  it('says in policy check what up would refuse', async () => {
    const { workspace } = await standOn(({ root }) => root, '  mcp__s__*: {}\n');
    const ran = await sallyport(['policy', 'check', '--json', '--state', workspace.state], { cwd: workspace.root });
    const { warnings } = JSON.parse(ran.out) as { warnings: string[] };
    expect(warnings).toHaveLength(2);
    expect(warnings.at(-1)).toMatch(/^mcp__s__write cannot be used: .* no rule judges "path" as a path/);
  });

  it('names the tools that cannot be used before it asks for an approval', async () => {
    const servers = {
      s: { command: [process.execPath, serverScript('hostile.mjs'), 'collide'], protocol: '2025-11-25' },
    };
    stand = await openTestGate({ servers, approved: [], allow: ['mcp__s__*'] });
    const { root, state } = stand.workspace;
    const ran = await sallyport(['servers', 'approve', 's', '--state', state], { cwd: root });
    expect(ran.code).toBe(2); // nobody can be asked
    expect(ran.err).toContain('cannot be used: mcp__s__Echo: the name "Echo" can be mistaken');
  });
});
