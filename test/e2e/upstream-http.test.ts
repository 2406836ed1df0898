import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/index.ts';
import { connectUpstream } from '../../src/gateway/upstream-connection.ts';
import { callOutput } from '../../src/gateway/upstream-result.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { type ListeningServer, listeningServer, serverRule, startIn } from './stand.ts';

const open: ListeningServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** One call of a remote server: its text, or the code of the error it ends with. */
async function outcomeOf(script: string, mode: string, rule: Partial<ServerRule> = {}): Promise<unknown> {
  const server = await listeningServer(script, mode);
  open.push(server);
  const limits = { ...DEFAULT_LIMITS, resultBinaryBytes: 1_048_576 };
  const options = { start: startIn(tmpdir()), version: '0', limits };
  try {
    const connection = await connectUpstream(serverRule('remote', { url: server.url, ...rule }), options);
    const raw = await connection.request('tools/call', { name: 'echo', arguments: { a: 1 } }).finally(connection.close);
    return callOutput(raw).content[0];
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

describe('a remote server [T1.8]', () => {
  it.each([
    ['plain', '{"name":"echo","arguments":{"a":1}}'],
    ['events', 'as an event'],
  ])('answers (%s)', async (mode, text) => {
    expect(await outcomeOf('hostile-http.mjs', mode)).toEqual({ type: 'text', text });
  });

  it.each(['2026-07-28', 'auto'] as const)('answers in the stateless revision (%s)', async (protocol) => {
    expect(await outcomeOf('modern.mjs', 'http', { protocol })).toEqual({ type: 'text', text: '{"a":1}' });
  });

  it('answers in a revision with sessions when it is asked for both', async () => {
    const text = '{"name":"echo","arguments":{"a":1}}';
    expect(await outcomeOf('hostile-http.mjs', 'plain', { protocol: 'auto' })).toEqual({ type: 'text', text });
  });

  it.each([
    ['redirect', 'SERVER_UNAVAILABLE'],
    ['unauthorized', 'SERVER_UNAVAILABLE'],
    ['broken', 'SERVER_UNAVAILABLE'],
    ['flood-json', 'RESULT_TOO_LARGE'],
    ['flood-events', 'RESULT_TOO_LARGE'],
    ['nonsense', 'RESULT_MALFORMED'],
    ['duplicate', 'RESULT_MALFORMED'],
    ['duplicate-events', 'RESULT_MALFORMED'],
  ])('that breaks the rules (%s) ends the call with %s', async (mode, code) => {
    expect(await outcomeOf('hostile-http.mjs', mode)).toBe(code);
  });

  it('that does not answer ends the call with a timeout', async () => {
    expect(await outcomeOf('hostile-http.mjs', 'hang', { timeoutMs: 500 })).toBe('TOOL_TIMEOUT');
  });

  it('that is not there is not available', async () => {
    const rule = serverRule('remote', { url: 'http://127.0.0.1:9/mcp' });
    const options = { start: startIn(tmpdir()), version: '0', limits: DEFAULT_LIMITS };
    await expect(connectUpstream(rule, options)).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
  });
});
