import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type JsonObject } from '../../src/core/index.ts';
import { connectUpstream, type UpstreamConnection } from '../../src/gateway/upstream-connection.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { listeningServer, NO_ACTIONS, serverRule, startIn } from './stand.ts';

const PROGRAM = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url),
);
const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function connect(kind: string): Promise<UpstreamConnection> {
  const where = kind === 'http' ? await listening() : { command: [process.execPath, PROGRAM, 'stdio'] };
  const allowed = { id: 'servers.everything' };
  const actions = { ...NO_ACTIONS, sampling: allowed, elicitation: allowed, roots: allowed };
  const rule = serverRule('everything', { ...where, protocol: 'auto', actions });
  const connection = await connectUpstream(rule, {
    start: startIn(tmpdir()),
    version: '0',
    limits: DEFAULT_LIMITS,
  });
  ended.push(() => connection.close());
  return connection;
}

async function listening(): Promise<Partial<ServerRule>> {
  const server = await listeningServer('everything-http.mjs');
  ended.push(() => server.close());
  return { url: server.url };
}

const call = (connection: UpstreamConnection, name: string, args: JsonObject = {}, options = {}): Promise<unknown> =>
  connection.request('tools/call', { name, arguments: args }, options);

describe.each(['stdio', 'http'])('the public server with everything over %s', (kind) => {
  it('answers, reports and asks', async () => {
    const connection = await connect(kind);
    const asked: string[] = [];
    connection.onQuestion(async (method) => {
      asked.push(method);
      if (method === 'roots/list') return { roots: [] };
      if (method === 'elicitation/create') return { action: 'decline' };
      return { model: 'm', role: 'assistant', content: { type: 'text', text: 'as sampled' } };
    });
    const { tools, prompts, resourceTemplates, protocol } = await connection.definitions();
    expect(protocol).toBe('2025-11-25');
    const names = tools.map(({ name }) => String(name));
    expect(prompts.length).toBeGreaterThan(0);
    expect(resourceTemplates.length).toBeGreaterThan(0);
    const sampling = names.find((name) => name.includes('sampling') && !name.includes('async')) ?? '';
    expect(JSON.stringify(await call(connection, sampling, { prompt: 'x', maxTokens: 5 }))).toContain('as sampled');
    const eliciting = names.find((name) => name.includes('elicitation') && !name.includes('async')) ?? '';
    expect(JSON.stringify(await call(connection, eliciting))).toContain('declined');
    expect(asked).toEqual(expect.arrayContaining(['sampling/createMessage', 'elicitation/create']));
    const seen: JsonObject[] = [];
    const long = names.find((name) => name.includes('long-running')) ?? '';
    await call(connection, long, { duration: 0.3, steps: 3 }, { progress: (told: JsonObject) => seen.push(told) });
    expect(seen.map(({ progress }) => progress)).toEqual([1, 2, 3]);
  });
});
