import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { type LogRecord, readRecords } from '../audit/index.ts';
import type { JsonObject } from '../core/index.ts';
import { type Action, type CallExchange, type Gate, type GateSession, NeedsAnswers, openGate } from './index.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [docs/], deniedPaths: [docs/.env] }
  ask: {}
  slow: {}
servers:
  docs:
    command: [/bin/false]
    resources: ["test://a/**", "file:///**"]
    elicitation: true
`;

let workspace: Workspace;
let gate: Gate;
let session: GateSession;
beforeEach(async () => {
  workspace = makeWorkspace(POLICY, { 'docs/.env': 'SECRET', 'docs/a.md': 'hi' });
  gate = await openGate({ policy: workspace.policyFile, state: workspace.state });
  session = await gate.openSession({ agent: 'tester', surface: 'mcp-stdio' });
});
afterEach(async () => {
  await gate.close();
  workspace.remove();
});

const act = (params: JsonObject, more: Partial<Action> = {}) => {
  const carriedOut: JsonObject[] = [];
  const action: Action = {
    ...{ server: 'docs', method: 'resources/read', params, runs: 'spawned' },
    execute: async (given) => {
      carriedOut.push(given);
      return { text: 'fine', _meta: { hidden: 1 } };
    },
    read: ({ text }) => ({ result: { text: String(text) } }),
    ...more,
  };
  return session.act(action).then((result) => ({ result, carriedOut }));
};

async function records(): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) if (record.tool !== undefined) found.push(record);
  return found;
}

describe('an action of a server', () => {
  test('[T1.10] is carried out by its params, read by its reader, and has its three records', async () => {
    const { result, carriedOut } = await act({ uri: 'test://a/b' });
    expect(result).toMatchObject({ kind: 'delivered', structuredContent: { text: 'fine' }, content: [] });
    expect(result.rule.id).toBe('servers.docs.resources[0]');
    expect(carriedOut).toEqual([{ uri: 'test://a/b' }]);
    await gate.close();
    expect((await records()).map(({ type, tool, outcome }) => [type, tool, outcome])).toEqual([
      ['intent', 'mcp__docs:resources/read', undefined],
      ['admitted', 'mcp__docs:resources/read', undefined],
      ['outcome', 'mcp__docs:resources/read', 'delivered'],
    ]);
  });

  test('[T1.10] that no rule opens is not carried out, and is recorded', async () => {
    const { result, carriedOut } = await act({ uri: 'test://other' });
    expect(result).toMatchObject({ kind: 'denied', code: 'RESOURCE_NOT_ALLOWED' });
    expect((await act({}, { method: 'sampling/createMessage' })).result).toMatchObject({ code: 'ACTION_NOT_ALLOWED' });
    expect(carriedOut).toEqual([]);
    await gate.close();
    expect((await records()).map(({ type, code }) => [type, code])).toEqual([
      ['intent', 'RESOURCE_NOT_ALLOWED'],
      ['intent', 'ACTION_NOT_ALLOWED'],
    ]);
  });

  test('on a file that file_read withholds, or on our own state, is denied', async () => {
    const code = async (path: string) => {
      const { result } = await act({ uri: `file://${path}` });
      return result.kind === 'delivered' ? 'delivered' : result.code;
    };
    expect(await code(join(workspace.root, 'docs/a.md'))).toBe('delivered');
    expect(await code(join(workspace.root, 'docs/.env'))).toBe('PATH_DENIED');
    writeFileSync(join(workspace.base, 'other'), '');
    expect(await code(join(workspace.base, 'other'))).toBe('delivered');
    expect(await code(join(workspace.state, 'log/checkpoint'))).toBe('PATH_CONTROL_FILE');
    expect(await code('/proc/self/environ')).toBe('PATH_SPECIAL_FILE');
  });

  test('with a result that cannot be read fails', async () => {
    const failing = { read: () => ({ result: {} }) };
    expect((await act({ uri: 'test://a' }, { ...failing, execute: async () => 'text' })).result).toMatchObject({
      kind: 'denied',
      code: 'RESOURCE_NOT_ALLOWED',
    });
    expect((await act({ uri: 'test://a/' }, { ...failing, execute: async () => 'text' })).result).toMatchObject({
      kind: 'failed',
      code: 'RESULT_MALFORMED',
    });
    const large = { ...failing, execute: async () => ({ text: 'x'.repeat(40_000_000) }) };
    expect((await act({ uri: 'test://a/' }, large)).result).toMatchObject({ kind: 'failed' });
  });
});

describe('a tool that needs answers', () => {
  const exchange = (more: Partial<CallExchange> = {}): CallExchange => ({
    ...{
      abilities: {},
      answers: null,
      state: null,
      task: null,
      wantsProgress: false,
      logLevel: null,
      tell: () => undefined,
    },
    ...more,
  });
  const asking = () =>
    gate.tool({
      name: 'ask',
      schema: { type: 'object' },
      execute: async (_args, { exchange }) => {
        if (exchange?.answers != null) return `heard ${JSON.stringify(exchange.answers)} ${String(exchange.state)}`;
        throw new NeedsAnswers({ q: { method: 'elicitation/create', params: { message: 'who?' } } }, 'round 1');
      },
    });

  test('asks, and is called again with the answers; each round is recorded', async () => {
    asking();
    const first = await session.exchange('ask', {}, exchange());
    expect(first).toMatchObject({
      kind: 'asked',
      state: 'round 1',
      questions: { q: { method: 'elicitation/create' } },
    });
    const second = await session.exchange(
      'ask',
      {},
      exchange({ answers: { q: { action: 'accept' } }, state: 'round 1' }),
    );
    expect(second).toMatchObject({ kind: 'delivered', text: 'heard {"q":{"action":"accept"}} round 1' });
    await gate.close();
    const outcomes = (await records()).filter(({ type }) => type === 'outcome').map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['input-required', 'delivered']);
  });

  test('goes on as a task for a caller that takes one, and for no other', async () => {
    gate.tool({
      name: 'slow',
      schema: { type: 'object' },
      execute: async (_args, { exchange }) => {
        if (exchange?.state === 'ended') return 'done';
        throw new NeedsAnswers({}, 'ended', { taskId: '1' });
      },
    });
    const begun = await session.exchange('slow', {}, exchange({ task: { ttl: 1_000 } }));
    expect(begun).toMatchObject({ kind: 'asked', state: 'ended', questions: {}, task: { taskId: '1' } });
    expect(await session.exchange('slow', {}, exchange({ state: 'ended' }))).toMatchObject({ text: 'done' });
    const refused = { kind: 'failed', code: 'RESULT_MALFORMED' };
    expect(await session.exchange('slow', {}, exchange())).toMatchObject(refused);
    expect(await session.call('slow', {})).toMatchObject(refused);
    await gate.close();
    const outcomes = (await records()).filter(({ type }) => type === 'outcome').map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['task', 'delivered', 'failed', 'failed']);
  });

  test('says of a task, and asks, nothing that nobody sees', async () => {
    gate.tool({
      ...{ name: 'slow', schema: { type: 'object' } },
      execute: async (_args, { exchange }) => {
        if (exchange?.task != null) throw new NeedsAnswers({}, 'ended', { taskId: '1', statusMessage: 'a\u200bb' });
        throw new NeedsAnswers({ q: { method: 'elicitation/create', params: { message: 'w\u202eho?' } } }, 'round 1');
      },
    });
    const task = await session.exchange('slow', {}, exchange({ task: { ttl: 1_000 } }));
    expect(task).toMatchObject({ kind: 'asked', task: { taskId: '1', statusMessage: 'ab' } });
    const asked = await session.exchange('slow', {}, exchange());
    expect(asked).toMatchObject({ questions: { q: { params: { message: 'who?' } } } });
  });

  test('fails where nobody can be asked', async () => {
    asking();
    expect(await session.call('ask', {})).toMatchObject({ kind: 'failed', code: 'RESULT_MALFORMED' });
  });
});

describe('mode: observe', () => {
  test('lets no URI pass that cannot be compared, nor an action that no rule opens', async () => {
    await gate.close();
    workspace.write({ 'sallyport.yaml': POLICY.replace('version: 1', 'version: 1\nmode: observe') });
    gate = await openGate({ policy: workspace.policyFile, state: join(workspace.base, 'other-state') });
    session = await gate.openSession({ agent: 'tester', surface: 'mcp-stdio' });
    expect((await act({ uri: 'test://other' })).result).toMatchObject({ kind: 'delivered' });
    for (const uri of [`fi\nle://${workspace.state}/x`, ` file://${workspace.state}/x`, 'test://a/../b']) {
      const { result, carriedOut } = await act({ uri });
      expect(result).toMatchObject({ kind: 'denied', code: 'URI_MALFORMED' });
      expect(carriedOut).toEqual([]);
    }
    expect((await act({}, { method: 'sampling/createMessage' })).result).toMatchObject({ code: 'ACTION_NOT_ALLOWED' });
  });
});
