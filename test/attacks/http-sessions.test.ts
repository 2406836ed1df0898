import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpFront, serveHttp } from '../../src/gateway/index.ts';
import { TokenFolder } from '../../src/keeper/index.ts';
import { openTestGate, type TestGate, verifiedRecords } from '../e2e/test-gate.ts';

let stand: TestGate;
let front: HttpFront;
let tokens: TokenFolder;
beforeEach(async () => {
  const echo = { name: 'echo', schema: { type: 'object' }, execute: async () => 'said' };
  stand = await openTestGate({ allow: ['echo'], tools: [echo] });
  tokens = new TokenFolder(stand.workspace.state);
  front = await serveHttp({
    ...{ gate: stand.gate, port: 0, authenticate: (token) => stand.gate.keeper.authenticate(token) },
    sessionLimits: { begunPerMinute: 20 },
  });
});
afterEach(async () => {
  await front.close(100);
  await stand.close();
});

const addAlice = (): string => tokens.add({ name: 'alice', user: 'alice', now: Date.now() });

async function post(token: string, method: string, params: object, session?: string): Promise<Response> {
  const headers = {
    ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    ...{ authorization: `Bearer ${token}` },
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  };
  const response = await fetch(front.url, {
    ...{ method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) },
  });
  await response.text();
  return response;
}

const initialize = (token: string): Promise<Response> =>
  post(token, 'initialize', {
    ...{ protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  });
const sessionOf = (response: Response): string => String(response.headers.get('mcp-session-id'));
const echo = (token: string, session: string): Promise<Response> =>
  post(token, 'tools/call', { name: 'echo', arguments: {} }, session);

async function sessionRecords(): Promise<number | undefined> {
  await front.close(100);
  await stand.gate.close();
  return (await verifiedRecords(stand.gate, stand.workspace))['session'];
}

describe('a session over HTTP [T6.1]', () => {
  it('is no inheritance: a token added anew under the name continues none', async () => {
    const first = addAlice();
    const session = sessionOf(await initialize(first));
    expect((await echo(first, session)).status).toBe(200);
    tokens.revoke('alice');
    const second = addAlice();
    expect((await echo(first, session)).status).toBe(401);
    expect((await echo(second, session)).status).toBe(404);
    expect((await echo(second, sessionOf(await initialize(second)))).status).toBe(200);
  });

  it('is no inheritance in the stateless revision either', async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const call = async (token: string): Promise<number> => {
      const response = await fetch(front.url, {
        method: 'POST',
        headers: {
          ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          ...{ authorization: `Bearer ${token}`, 'mcp-protocol-version': '2026-07-28' },
          ...{ 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
        },
        body: JSON.stringify({
          ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
          params: { name: 'echo', arguments: {}, _meta: meta },
        }),
      });
      await response.text();
      return response.status;
    };
    const first = addAlice();
    expect([await call(first), await call(first)]).toEqual([200, 200]);
    tokens.revoke('alice');
    expect(await call(addAlice())).toBe(200);
    expect(await sessionRecords()).toBe(2); // one per token
  });

  it('costs no record before it is used, and begins at a limited rate', async () => {
    const token = addAlice();
    const statuses: number[] = [];
    for (let count = 0; count < 25; count++) statuses.push((await initialize(token)).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(503);
    expect(await sessionRecords()).toBeUndefined();
  });
});
