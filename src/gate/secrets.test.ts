import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openWorld, type World } from '../../test/attacks/endpoints-world.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { type LogRecord, readRecords } from '../audit/index.ts';
import { SallyportError, type SecretReference } from '../core/index.ts';
import type { SecretSource } from '../keeper/index.ts';
import { apiCall } from '../tools/index.ts';
import { type Gate, type GateSession, openGate, type ToolOutput } from './index.ts';

const VALUE = 'sp_live_9fKq2LmX7vTz41RwYb8Nc6Jd';
const OTHER = 'pw_3hGt7YqW2mZx9LkV5bNc8RdS1fJ';
const POLICY = `version: 1
defaults: { isolation: none }
tools:
  api_call:
    allowedEndpoints: [api.example.com, other.example.com]
    methods: [GET, POST]
    secrets:
      api.example.com/pay: { header: Authorization, value: "Bearer \${secret:vault:kv/pay#key}" }
      api.example.com/query: { query: token, value: "\${secret:env:OTHER}" }
      api.example.com/basic: [{ basic: "ann:\${secret:env:OTHER}" }, { header: X-More, value: "\${secret:vault:kv/pay#key}" }]
      api.example.com/gone: { header: Authorization, value: "\${secret:vault:kv/gone#key}" }
  say: {}
`;

const provider: SecretSource & { readonly asked: string[] } = {
  asked: [],
  async resolve({ text }: SecretReference) {
    this.asked.push(text);
    const value = { 'vault:kv/pay#key': VALUE, 'env:OTHER': OTHER }[text];
    if (value === undefined) throw new SallyportError('SECRET_NOT_FOUND', 'there is no such secret');
    return { value, version: '7' };
  },
};

let workspace: Workspace;
let world: World;
let gate: Gate;
let session: GateSession;
let said: ToolOutput | string | Error;
beforeEach(async () => {
  provider.asked.length = 0;
  workspace = makeWorkspace(POLICY);
  world = await openWorld(['api.example.com', 'other.example.com'], (request, response) => {
    if (request.url?.startsWith('/pay/away') === true)
      response.writeHead(302, { location: 'https://other.example.com/x' }).end();
    else response.writeHead(200, { etag: `"${request.headers.authorization}"` }).end(JSON.stringify(request.headers));
  });
  gate = await openGate({
    ...{ policy: workspace.policyFile, state: workspace.state, secretSource: provider },
    tools: [
      apiCall(),
      {
        name: 'say',
        schema: { type: 'object' },
        execute: async () => Promise.resolve(said).then((one) => (one instanceof Error ? Promise.reject(one) : one)),
      },
    ],
    ...{ resolve: async () => ['93.184.216.34'], dial: world.dial, certificates: [world.certificate] },
  });
  session = await gate.openSession();
});
afterEach(async () => {
  await gate.close();
  await world.close();
  workspace.remove();
});

const get = (path: string, headers: object = {}, host = 'api.example.com') =>
  session.call('api_call', { method: 'GET', url: `https://${host}${path}`, headers });

/** Every byte below the state folder, as text. */
const stored = (): string =>
  readdirSync(workspace.state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

async function recordsOf(type: string): Promise<LogRecord[]> {
  await gate.close();
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) if (record.type === type) found.push(record);
  return found;
}

describe('a secret of a destination [T3.1]', () => {
  test('is sent there, in the place of what the caller wrote, and comes back as its name', async () => {
    const result = await get('/pay/1', {
      authorization: 'Bearer mine',
      cookie: 'a=1',
      'x-api-key': 'mine',
      accept: 'a/b',
    });
    expect(world.arrived[0]?.headers).toMatchObject({ authorization: `Bearer ${VALUE}`, accept: 'a/b' });
    expect(JSON.stringify(world.arrived[0]?.headers)).not.toMatch(/mine|a=1/);
    expect(JSON.stringify(result)).not.toContain(VALUE);
    expect(result).toMatchObject({
      kind: 'delivered',
      text: expect.stringContaining('Bearer [redacted:vault:kv/pay#key]'),
    });
    expect(await recordsOf('secret-use')).toMatchObject([
      {
        tool: 'api_call',
        detail: { reference: 'vault:kv/pay#key', version: '7', destination: 'https://api.example.com:443/pay/1' },
      },
    ]);
    expect(stored()).not.toContain(VALUE);
  });

  test('stands in the query, or as user and password, and several at once', async () => {
    await get('/query?token=mine&a=b&%74oken=x');
    expect(world.arrived[0]?.url).toBe(`https://api.example.com/query?a=b&token=${OTHER}`);
    await get('/basic');
    const basic = Buffer.from(`ann:${OTHER}`).toString('base64');
    expect(world.arrived[1]?.headers).toMatchObject({ authorization: `Basic ${basic}`, 'x-more': VALUE });
  });

  test('goes nowhere else: another path, another host, a redirect, a name of the caller', async () => {
    await get('/other');
    await get('/payment');
    await get('/pay', {}, 'other.example.com');
    await get('/pay/away');
    const others = world.arrived.filter(({ url }) => url !== 'https://api.example.com/pay/away');
    expect(others).toHaveLength(4);
    expect(JSON.stringify(others)).not.toContain(VALUE);
    const asked = { authorization: { $secret: 'vault:kv/pay#key', prefix: 'Bearer ' } };
    expect(await get('/other', asked)).toMatchObject({ kind: 'failed', code: 'SECRET_NOT_GRANTED' });
    expect(await get('/pay', { 'x-mine': { $secret: 'env:OTHER' } })).toMatchObject({ code: 'SECRET_NOT_GRANTED' });
    expect(await get('/pay', { 'x-mine': { $secret: 'vault:kv/pay#key' } })).toMatchObject({ kind: 'delivered' });
    expect(world.arrived.at(-1)?.headers['x-mine']).toBe(VALUE);
  });

  test('that cannot be resolved stops the call', async () => {
    expect(await get('/gone')).toMatchObject({ kind: 'failed', code: 'SECRET_NOT_FOUND' });
    expect(world.arrived).toEqual([]);
  });
});

describe('what comes back [T3.1]', () => {
  const ways: readonly (readonly [string, string])[] = [
    ['as it is', VALUE],
    ['base64', Buffer.from(`x${VALUE}y`).toString('base64')],
    ['base64url', Buffer.from(`xy${VALUE}`).toString('base64url')],
    ['hex', Buffer.from(VALUE).toString('hex')],
    ['percent', [...VALUE].map((one) => `%${one.charCodeAt(0).toString(16)}`).join('')],
    ['JSON in JSON', JSON.stringify(JSON.stringify({ key: VALUE }))],
    ['entities', [...VALUE].map((one) => `&#${one.charCodeAt(0)};`).join('')],
    ['reversed', [...VALUE].reverse().join('')],
    ['zero-width', [...VALUE].join('\u200b')],
    ['a terminal escape', `${VALUE.slice(0, 9)}\u001b[0m${VALUE.slice(9)}`],
    ['base64 of base64', Buffer.from(Buffer.from(VALUE).toString('base64')).toString('base64')],
  ];

  test.each(ways)('has no secret in it: %s', async (_, text) => {
    await get('/pay');
    said = { content: [{ type: 'text', text: `the key is ${text}.` }], structuredContent: { [`k ${text}`]: [text] } };
    const result = await session.call('say', {});
    expect(result).toMatchObject({ kind: 'delivered' });
    expect(JSON.stringify(result)).toContain('[redacted:vault:kv/pay#key]');
    expect(JSON.stringify(result)).not.toContain(text);
    said = new Error(`it broke: ${text}`);
    expect(JSON.stringify(await session.call('say', {}))).not.toContain(text);
    await gate.close();
    expect(stored()).not.toContain(VALUE);
  });

  test('is withheld where the session was not given the secret, and where there are many', async () => {
    await get('/pay');
    said = `${VALUE}`;
    const stranger = await gate.openSession({ agent: 'stranger' });
    expect(await stranger.call('say', {})).toMatchObject({ kind: 'failed', code: 'SECRET_IN_RESULT' });
    said = Array.from({ length: 9 }, () => VALUE).join('\n');
    expect(await session.call('say', {})).toMatchObject({ kind: 'failed', code: 'SECRET_IN_RESULT' });
  });
});

describe('what goes out [T3.1]', () => {
  test('has no secret in it: the call is denied, and the log does not keep it', async () => {
    await get('/pay');
    const denied = await session.call('say', { text: `send ${VALUE} to me` });
    expect(denied).toMatchObject({ kind: 'denied', code: 'SECRET_IN_ARGUMENTS' });
    const encoded = Buffer.from(VALUE).toString('hex');
    expect(await session.call('say', { [encoded]: 1 })).toMatchObject({ code: 'SECRET_IN_ARGUMENTS' });
    await gate.close();
    expect(stored()).not.toContain(VALUE);
    expect(stored()).not.toContain(encoded);
  });
});
