import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/index.ts';
import { openGate, type Tool } from '../../src/gate/index.ts';
import { policyFromObject } from '../../src/policy/index.ts';
import { builtInTools } from '../../src/tools/index.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace | null = null;

afterEach(() => {
  workspace?.remove();
  workspace = null;
});

const place = (policy: string, files: Readonly<Record<string, string>> = {}): Workspace => {
  workspace = makeWorkspace(policy, files);
  return workspace;
};

/** The code of a call's denial or failure, null if it was carried out. */
async function codeOf(at: Workspace, tools: readonly Tool[], tool: string, args: JsonObject): Promise<string | null> {
  const gate = await openGate({ policy: at.policyFile, state: at.state, tools });
  try {
    const result = await gate.call(tool, args);
    return result.kind === 'delivered' ? null : result.code;
  } finally {
    await gate.close();
  }
}

describe('a policy that calls a write a read', () => {
  test.each([
    ['by name', 'file_write: { allowedPaths: [.], arguments: { path: { as: file_read }, content: {} } }'],
    ['by a wildcard', '"file_*": { allowedPaths: [.], arguments: { path: { as: file_read } }, otherArguments: allow }'],
    ['for everything', '"*": { allowedPaths: [.], arguments: { p: { items: { as: file_read } } } }'],
  ])('does not load: %s', async (_, rule) => {
    const at = place(`version: 1\ntools:\n  ${rule}\n`);
    await expect(openGate({ policy: at.policyFile, state: at.state, tools: builtInTools() })).rejects.toMatchObject({
      code: 'POLICY_INVALID',
    });
  });

  test('does not lift the rule on control files for a tool that says it writes', async () => {
    const at = place('version: 1\ntools: { save: { allowedPaths: [.], arguments: { to: { as: file_read } } } }\n');
    const save: Tool = {
      name: 'save',
      schema: { type: 'object' },
      paths: { to: 'file_write' },
      runs: 'built-in',
      execute: async (_, { paths }) => {
        await paths['to']?.replace(Buffer.from('written'));
        return 'saved';
      },
    };
    const before = readFileSync(at.policyFile, 'utf8');
    expect(await codeOf(at, [save], 'save', { to: 'sallyport.yaml' })).toBe('PATH_CONTROL_FILE');
    expect(readFileSync(at.policyFile, 'utf8')).toBe(before);
    expect(await codeOf(at, [save], 'save', { to: 'notes.txt' })).toBe(null);
    expect(readFileSync(join(at.root, 'notes.txt'), 'utf8')).toBe('written');
  });

  test('a path that was judged for reading is not written', async () => {
    const at = place('version: 1\ntools: { save: { allowedPaths: [.] } }\n', { 'notes.txt': 'old' });
    const save: Tool = {
      name: 'save',
      schema: { type: 'object' },
      paths: { to: 'file_read' },
      runs: 'built-in',
      execute: async (_, { paths }) => {
        await paths['to']?.replace(Buffer.from('written'));
        return 'saved';
      },
    };
    expect(await codeOf(at, [save], 'save', { to: 'notes.txt' })).toBe('PATH_UNWRITABLE');
    expect(readFileSync(join(at.root, 'notes.txt'), 'utf8')).toBe('old');
  });
});

describe('a policy in an encoding of its own', () => {
  const TEXT = 'version: 1\ntools:\n  file_read:\n    allowedPaths: [.]\n    deniedPaths: ["gehälter/"]\n';
  const load = (at: Workspace, bytes: Buffer): Promise<unknown> => {
    writeFileSync(at.policyFile, bytes);
    return openGate({ policy: at.policyFile, state: at.state, tools: builtInTools() });
  };

  test.each([
    ['Latin-1', Buffer.from(TEXT, 'latin1'), /sallyport\.yaml:5:1: the policy is not UTF-8/],
    ['UTF-16', Buffer.from(`\ufeff${TEXT}`, 'utf16le'), /not UTF-8/],
    ['UTF-8 that lost a character', Buffer.from(TEXT.replace('ä', '\ufffd')), /5:\d+: a character was lost/],
  ])('does not load: %s', async (_, bytes, message) => {
    await expect(load(place(TEXT), bytes)).rejects.toMatchObject({
      code: 'POLICY_INVALID',
      message: expect.stringMatching(message),
      detail: { problems: [{ remedy: expect.stringContaining('UTF-8') }] },
    });
  });
});

describe('an object that looks like a parsed policy', () => {
  test.each([
    ['made up', { digest: '0', rules: 1, mode: 'observe', tools: [], servers: new Map(), principals: null }],
    ['a copy of one', { ...policyFromObject({ version: 1, tools: { file_read: { allowedPaths: ['/'] } } }) }],
  ])('is checked as any object: %s', async (_, policy) => {
    const at = place('version: 1\n');
    await expect(openGate({ policy, root: at.root, state: at.state })).rejects.toMatchObject({
      code: 'POLICY_INVALID',
    });
  });

  test('nobody adds a server to a real one', () => {
    const { servers } = policyFromObject({
      version: 1,
      servers: { a: { command: ['/bin/a'] } },
    });
    expect(() => Reflect.apply(Map.prototype.set, servers, ['b', {}])).toThrow(TypeError);
    expect([...servers.keys(), servers.size]).toEqual(['a', 1]);
  });
});

describe('a path that is left to the tool', () => {
  const RULES = {
    'own paths': '{ allowedPaths: [src], arguments: { path: { as: file_read } } }',
    'paths of file_read': '{ arguments: { path: { as: file_read } } }',
    'a list': '{ arguments: { path: { items: { as: file_read } } } }',
    'two paths': '{ allowedPaths: [src], arguments: { path: { as: file_read }, dest: { as: file_write } } }',
  };
  const policy = (rule: keyof typeof RULES): string =>
    `version: 1\ndefaults: { isolation: none }\ntools: { file_read: { allowedPaths: [src] }, list: ${RULES[rule]} }\n`;
  const list = (got: JsonObject[], path: JsonObject = {}): Tool => ({
    name: 'list',
    schema: { type: 'object', properties: { path } },
    runs: 'remote',
    execute: async (args) => {
      got.push(args);
      return 'listed';
    },
  });

  test.each<[keyof typeof RULES, JsonObject, string | null]>([
    ['own paths', {}, 'PATH_NOT_ALLOWED'],
    ['paths of file_read', {}, 'PATH_NOT_ALLOWED'],
    ['paths of file_read', { path: [] }, 'PATH_NOT_ALLOWED'],
    ['paths of file_read', { path: [[]] }, 'ARGUMENT_VALUE'],
    ['paths of file_read', { path: 'src/a' }, null],
    ['a list', { path: [] }, 'PATH_NOT_ALLOWED'],
    ['a list', { path: ['src/a'] }, null],
    ['two paths', { dest: 'src/b' }, 'PATH_NOT_ALLOWED'],
    ['two paths', { path: 'src/a', dest: 'src/b' }, null],
  ])('%s: %j', async (rule, args, code) => {
    const got: JsonObject[] = [];
    expect(await codeOf(place(policy(rule)), [list(got)], 'list', args)).toBe(code);
    expect(got).toEqual(code === null ? [args] : []);
  });

  test.each([
    ['src', null, [{ path: 'src' }]],
    ['/', 'PATH_NOT_ALLOWED', []],
    [7, 'PATH_NOT_ALLOWED', []],
  ])('the default %j that the tool declares is given and judged', async (fallback, code, calls) => {
    const got: JsonObject[] = [];
    const tool = list(got, { default: fallback });
    expect(await codeOf(place(policy('paths of file_read')), [tool], 'list', {})).toBe(code);
    expect(got).toEqual(calls);
  });
});
