import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HttpFront, listenHttp } from '../../src/gateway/http-front.ts';
import { modern, rawMcp } from '../support/raw-mcp.ts';
import { answerAll, type ScriptedSession, scriptedSession } from '../support/scripted-session.ts';

let front: HttpFront;
let session: ScriptedSession;
beforeAll(async () => {
  session = scriptedSession(answerAll);
  front = await listenHttp({ port: 0, authenticate: 'none' }, async () => session);
});
beforeEach(() => {
  session.requests.length = 0;
});
afterAll(() => front.close(0));

async function statusOf(method: string, params: Record<string, unknown>, headers: object): Promise<number> {
  const reply = await rawMcp({ port: front.port, token: null, ...modern(method, params, { ...headers }) });
  await reply.ended;
  return reply.status;
}

const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;
/** Requests whose target stands in the header `Mcp-Name` too (MCP 2026-07-28, standard request headers). */
const NAMED: readonly [string, Record<string, unknown>, string][] = [
  ['tools/call', { name: 'echo', arguments: {} }, 'echo'],
  ['prompts/get', { name: 'p' }, 'p'],
  ['resources/read', { uri: 'file:///a' }, 'file:///a'],
];

describe.each(NAMED)('headers of %s', (method, params, name) => {
  it.each([
    ['plain', { 'mcp-name': name }],
    ['as base64', { 'mcp-name': base64(name) }],
  ])('that say the same as the body, %s, are let through', async (_, headers) => {
    expect(await statusOf(method, params, headers)).toBe(200);
    expect(session.requests).toHaveLength(1);
  });

  it.each([
    ['no name', {}],
    ['another name', { 'mcp-name': 'other' }],
    ['the name in upper case', { 'mcp-name': name.toUpperCase() }],
    ['the name percent-encoded', { 'mcp-name': encodeURIComponent(`${name}/`) }],
    ['another name as base64', { 'mcp-name': base64('other') }],
    ['broken base64', { 'mcp-name': '=?base64?***?=' }],
    ['two names', { 'mcp-name': [name, name] }],
    ['two names in one', { 'mcp-name': `${name}, ${name}` }],
    ['an empty name', { 'mcp-name': '' }],
    ['no method', { 'mcp-name': name, 'mcp-method': [] }],
    ['another method', { 'mcp-name': name, 'mcp-method': 'tools/list' }],
    ['the method in upper case', { 'mcp-name': name, 'mcp-method': method.toUpperCase() }],
    ['two methods', { 'mcp-name': name, 'mcp-method': [method, method] }],
    ['no revision', { 'mcp-name': name, 'mcp-protocol-version': [] }],
    ['another revision', { 'mcp-name': name, 'mcp-protocol-version': '2025-11-25' }],
    ['two revisions', { 'mcp-name': name, 'mcp-protocol-version': ['2026-07-28', '2025-11-25'] }],
  ])('with %s are refused before the session hears of it', async (_, headers) => {
    expect(await statusOf(method, params, headers)).toBe(400);
    expect(session.requests).toEqual([]);
  });
});

describe('a method that MCP does not have in this revision', () => {
  it.each([
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'tasks/get',
    'sampling/createMessage',
    'x/y',
    'initialize',
  ])('%s is not found', async (method) => {
    expect(await statusOf(method, { uri: 'file:///a', taskId: 't', level: 'info' }, {})).toBeGreaterThanOrEqual(400);
    expect(session.requests).toEqual([]);
  });
});
