import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addTool } from '../../test/support/add-tool.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { type LogRecord, readRecords, verifyLog } from '../audit/index.ts';
import { isSallyportError } from '../core/index.ts';
import { checkNotReachable } from '../keeper/index.ts';
import { foldersInReach } from './folders-in-reach.ts';
import { type Gate, openGate, type Tool, type ToolOutput } from './index.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  add: {}
  echo: { output: { maxLength: 10 }, limits: { timeout: 1s } }
  shape: {}
  secret_box: { isolation: none }
`;

let workspace: Workspace;
let gate: Gate;
beforeEach(async () => {
  workspace = makeWorkspace(POLICY);
  gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools: [addTool()] });
});
afterEach(async () => {
  await gate.close();
  workspace.remove();
});

async function recordsOf(type: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) if (record.type === type) found.push(record);
  return found;
}

/** A tool that returns what it is told to. */
const returning = (name: string, output: unknown, extra: Partial<Tool> = {}): Tool => ({
  name,
  schema: { type: 'object' },
  execute: async () => output as ToolOutput,
  ...extra,
});

describe('a call', () => {
  test('is run, and has its three records, linked', async () => {
    const result = await gate.call('add', { a: 2, b: 3 });
    expect(result).toMatchObject({ kind: 'delivered', text: '5', isError: false });
    await gate.close();
    const [intent] = await recordsOf('intent');
    const [admitted] = await recordsOf('admitted');
    const [outcome] = await recordsOf('outcome');
    expect(intent).toMatchObject({
      tool: 'add',
      decision: 'allow',
      surface: 'library',
      session: expect.stringMatching(/^ses_/),
    });
    expect(admitted).toMatchObject({ intentSeq: intent?.seq, isolation: { achieved: 'in-process' } });
    expect(outcome).toMatchObject({ intentSeq: intent?.seq, admittedSeq: admitted?.seq, outcome: 'delivered' });
    expect(result.record).toBe(outcome?.seq);
    expect(JSON.stringify([intent, admitted, outcome])).not.toContain('"a"');
  });

  test('[T1.1] that policy denies is not executed and says which rule and record', async () => {
    let ran = 0;
    gate.tool(returning('forbidden', 'x', { execute: async () => `${++ran}` }));
    const result = await gate.call('forbidden', {});
    expect(result).toMatchObject({
      kind: 'denied',
      code: 'TOOL_NOT_ALLOWED',
      rule: { id: 'builtin.TOOL_NOT_ALLOWED' },
    });
    expect(result.text).toContain(`Record: ${result.record}`);
    expect(ran).toBe(0);
    await gate.close();
    expect(await recordsOf('admitted')).toEqual([]);
    expect((await recordsOf('intent'))[0]).toMatchObject({
      decision: 'deny',
      code: 'TOOL_NOT_ALLOWED',
      seq: result.record,
    });
  });

  test('uses the arguments that were judged, whatever the caller does to them meanwhile', async () => {
    const args = { a: 1, b: 1 };
    const pending = gate.call('add', args);
    args.b = 40;
    expect((await pending).text).toBe('2');
  });

  test.each([
    [{ a: 1 }, 'INPUT_SCHEMA_MISMATCH'],
    [{ a: 1, b: '2' }, 'INPUT_SCHEMA_MISMATCH'],
    [{ a: 1, b: 2, c: 3 }, 'INPUT_SCHEMA_MISMATCH'],
    [[1, 2], 'INPUT_NOT_JSON'],
    [{ a: 2 ** 53, b: 1 }, 'INPUT_NUMBER_RANGE'],
    [{ a: 1, b: 2, s: '\ud800' }, 'INPUT_LONE_SURROGATE'],
    [{ a: () => 1 }, 'INPUT_NOT_JSON'],
    [{ a: 'x'.repeat(1_048_577) }, 'INPUT_TOO_LARGE'],
  ])('[T1.2] with arguments %# that cannot be read is denied', async (args, code) => {
    expect(await gate.call('add', args)).toMatchObject({ kind: 'denied', code });
  });

  test('a tool that the policy names and nobody registered', async () => {
    expect(await gate.call('shape', {})).toMatchObject({ kind: 'denied', code: 'TOOL_UNKNOWN' });
  });
});

describe('[T1.3] no record, no call', () => {
  test('a keeper that is closed runs nothing', async () => {
    let ran = 0;
    gate.tool(returning('shape', 'x', { execute: async () => `${++ran}` }));
    await gate.call('add', { a: 1, b: 1 });
    await gate.keeper.close();
    expect(await gate.call('shape', {})).toMatchObject({ kind: 'denied', code: 'KEEPER_CLOSED', record: null });
    expect(ran).toBe(0);
  });

  test('a result whose outcome cannot be recorded is withheld', async () => {
    gate.tool(
      returning('shape', 'x', {
        execute: async () => {
          await gate.keeper.close();
          return 'forty-two';
        },
      }),
    );
    const result = await gate.call('shape', {});
    expect(result).toMatchObject({ kind: 'failed', code: 'KEEPER_CLOSED', record: null });
    expect(result.text).not.toContain('forty-two');
  });
});

describe('the second door', () => {
  test('cuts text to the length that the policy allows, visibly', async () => {
    gate.tool(returning('echo', '0123456789abcdef'));
    const result = await gate.call('echo', {});
    expect(result.text).toBe('0123456789\n[cut by policy: 6 more characters; at most 10 are delivered]');
  });

  test.each([
    [42, 'RESULT_MALFORMED'],
    [null, 'RESULT_MALFORMED'],
    [{}, 'RESULT_MALFORMED'],
    [{ content: [{ type: 'video', data: 'x' }] }, 'RESULT_MALFORMED'],
    [{ content: [{ type: 'text', text: 1 }] }, 'RESULT_MALFORMED'],
    [{ content: [{ type: 'image', data: 'not base64!', mimeType: 'image/png' }] }, 'RESULT_MALFORMED'],
    [{ content: [], structuredContent: [1] }, 'RESULT_MALFORMED'],
    [{ content: [{ type: 'text', text: 'x'.repeat(1_048_577) }] }, 'RESULT_TOO_LARGE'],
  ])('refuses the result %#', async (output, code) => {
    gate.tool(returning('shape', output));
    expect(await gate.call('shape', {})).toMatchObject({ kind: 'failed', code });
  });

  test.each([
    ['a long text', [{ type: 'text', text: 'q'.repeat(500) }]],
    ['a resource', [{ type: 'resource', resource: { uri: 'a:b', text: 'q'.repeat(500) } }]],
    ['a link', [{ type: 'resource_link', uri: 'a:b', name: 'n', description: 'q'.repeat(500) }]],
    ['many small texts', Array.from({ length: 500 }, () => ({ type: 'text', text: 'q' }))],
  ])('counts every string against the length that the policy allows: %s', async (_, content) => {
    gate.tool(returning('echo', { content }));
    const result = await gate.call('echo', {});
    expect(JSON.stringify(result.kind === 'delivered' && result.content).match(/q/g)?.length ?? 0).toBeLessThanOrEqual(
      10,
    );
    expect(result.text.match(/cut by policy/g)).toHaveLength(1);
  });

  test.each([
    ['no prototype', () => Promise.reject(Object.create(null))],
    ['a message that is no string', () => Promise.reject(Object.assign(new Error('x'), { message: 1 }))],
    [
      'a proxy that throws',
      () =>
        Promise.reject(
          new Proxy(
            {},
            {
              getPrototypeOf: () => {
                throw new TypeError('x');
              },
            },
          ),
        ),
    ],
    [
      'a result with a getter that throws',
      async () => ({
        get content() {
          throw new TypeError('x');
        },
      }),
    ],
  ])('settles whatever a tool throws: %s', async (_, execute) => {
    gate.tool(returning('shape', '', { execute: execute as unknown as Tool['execute'] }));
    expect(await gate.call('shape', {})).toMatchObject({ kind: 'failed', record: expect.any(Number) });
    expect(
      await gate.call('add', {
        get a() {
          throw new TypeError('x');
        },
      }),
    ).toMatchObject({ kind: 'denied', code: 'INPUT_NOT_JSON' });
  });

  test('drops fields that nobody knows', async () => {
    gate.tool(
      returning('shape', { content: [{ type: 'text', text: 'a', _meta: { x: 1 }, annotations: {} }], _meta: { y: 2 } }),
    );
    expect(await gate.call('shape', {})).toMatchObject({ kind: 'delivered', content: [{ type: 'text', text: 'a' }] });
    expect(JSON.stringify(await gate.call('shape', {}))).not.toContain('_meta');
  });

  test('holds a result against the declared schema', async () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    gate.tool(returning('shape', { content: [], structuredContent: { n: 'one' } }, { outputSchema }));
    expect(await gate.call('shape', {})).toMatchObject({ kind: 'failed', code: 'RESULT_MALFORMED' });
  });

  test('holds a result against the check of its developer', async () => {
    const schema = {
      '~standard': {
        ...{ version: 1 as const, vendor: 'test' },
        validate: (value: unknown) => (value === 'good' ? { value } : { issues: [{ message: 'not good' }] }),
      },
    };
    const check = ({ content: [piece] }: ToolOutput): boolean => {
      if (piece?.type !== 'text') throw new Error('quotes the result');
      return piece.text === 'good';
    };
    let output: unknown = 'good';
    const execute = async (): Promise<ToolOutput> => output as ToolOutput;
    gate.tool(returning('shape', '', { execute, outputValidator: schema }));
    gate.tool(returning('echo', '', { execute, outputValidator: check }));
    for (const name of ['shape', 'echo']) {
      output = 'good';
      expect(await gate.call(name, {})).toMatchObject({ kind: 'delivered' });
      output = 'bad';
      expect(await gate.call(name, {})).toMatchObject({ kind: 'failed', code: 'RESULT_MALFORMED' });
      output = { content: [] };
      const thrown = await gate.call(name, {});
      expect(thrown).toMatchObject({ kind: 'failed', code: 'RESULT_MALFORMED' });
      expect(JSON.stringify(thrown)).not.toContain('quotes');
    }
  });

  test('a tool that throws, hangs or is cancelled', async () => {
    gate.tool(returning('shape', '', { execute: async () => Promise.reject(new Error('disk \u001b[31mon fire')) }));
    const failed = await gate.call('shape', {});
    expect(failed).toMatchObject({ kind: 'failed', code: 'TOOL_FAILED', reason: 'disk on fire' });
    gate.tool(returning('echo', '', { execute: () => new Promise(() => undefined) }));
    expect(await gate.call('echo', {})).toMatchObject({ kind: 'failed', code: 'TOOL_TIMEOUT' });
    const controller = new AbortController();
    const pending = gate.call('echo', {}, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    expect(await pending).toMatchObject({ kind: 'failed', code: 'TOOL_CANCELLED' });
    await gate.close();
    expect((await recordsOf('outcome')).map(({ outcome }) => outcome)).toEqual(['failed', 'timeout', 'cancelled']);
  });
});

describe('isolation', () => {
  test('must be stated for what we did not write', async () => {
    await gate.close();
    workspace.write({ 'sallyport.yaml': 'version: 1\ntools: { add: {} }\n' });
    gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools: [addTool()] });
    expect(await gate.call('add', { a: 1, b: 2 })).toMatchObject({ kind: 'denied', code: 'ISOLATION_UNSTATED' });
  });
});

test('names of tools are unique after case folding', () => {
  for (const name of ['ADD', 'add', 'a b', 'x'.repeat(129), '']) {
    try {
      gate.tool(returning(name, ''));
      expect.unreachable(name);
    } catch (error) {
      expect(isSallyportError(error, 'TOOL_NAME')).toBe(true);
    }
  }
});

test('only what some rule could allow is advertised', async () => {
  gate.tool(returning('forbidden', 'x'));
  const session = await gate.openSession({ agent: 'a' });
  expect(session.tools().map(({ name }) => name)).toEqual(['add']);
});

test('the log of all this verifies', async () => {
  for (let a = 0; a < 20; a++) await gate.call(a % 2 === 0 ? 'add' : 'nothing', { a, b: 1 });
  await gate.close();
  const verifierKey = gate.keeper.verifier;
  const report = await verifyLog({ directory: workspace.state, verifierKey, now: Date.now() });
  expect(report).toMatchObject({
    integrity: { status: 'ok' },
    completeness: { status: 'ok' },
    authenticity: { status: 'ok' },
  });
});

test('the state folder cannot lie where tools reach', async () => {
  await gate.close();
  rmSync(workspace.state, { recursive: true });
  workspace.write({ 'sallyport.yaml': 'version: 1\ntools: { file_read: { allowedPaths: [.] } }\n' });
  const opening = openGate({ policy: workspace.policyFile, state: join(workspace.root, 'state') });
  await expect(opening).rejects.toMatchObject({ code: 'STATE_EXPOSED' });
});

test.skipIf(process.platform !== 'linux')('the state folder cannot lie where every sandbox looks', async () => {
  symlinkSync('/usr/lib', join(workspace.base, 'link'));
  const { policyFile: policy, base } = workspace;
  for (const folder of ['/usr/lib', '/lib', '/bin', '/etc/ssl/certs', join(base, 'link')]) {
    const state = join(folder, `sallyport-test-${process.pid}`);
    await expect(openGate({ policy, state })).rejects.toMatchObject({ code: 'STATE_EXPOSED' });
    expect(existsSync(state)).toBe(false);
  }
  // Where a service keeps it.
  for (const state of ['/var/lib/sallyport', '/srv/sallyport', '/home/user/.local/state/sallyport']) {
    expect(() => checkNotReachable(state, foldersInReach(gate.policy, gate.root))).not.toThrow();
  }
});

describe('Gate.mayBeAllowed', () => {
  test('tells callers apart without a session and without a record', async () => {
    await gate.close();
    rmSync(workspace.state, { recursive: true });
    workspace.write({
      'sallyport.yaml': `version: 1
defaults: { isolation: none }
tools: { add: {} }
servers: { docs: { url: "https://docs.example.com/mcp", resources: ["docs://**"] } }
principals:
  reader: { match: { agent: reader }, tools: ["mcp__docs:*"] }
  adder: { match: { user: ada }, tools: [add] }
`,
    });
    gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools: [addTool()] });
    const names = ['add', 'mcp__docs:resources/read', 'mcp__docs:prompts/get', 'mcp__other:resources/read', 'unknown'];
    const allowed = (user: string, agent: string): string[] =>
      names.filter((name) => gate.mayBeAllowed(name, { user, agent }));
    expect(allowed('u', 'reader')).toEqual(['mcp__docs:resources/read']);
    expect(allowed('ada', 'other')).toEqual(['add']);
    expect(allowed('u', 'other')).toEqual([]);
    const session = await gate.openSession({ user: 'u', agent: 'reader' });
    expect(names.filter((name) => session.mayBeAllowed(name))).toEqual(['mcp__docs:resources/read']);
    await gate.close();
    expect(await recordsOf('session')).toHaveLength(1);
  });
});
