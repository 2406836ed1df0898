import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tool } from '../../src/gate/index.ts';
import { type HttpFront, serveHttp } from '../../src/gateway/index.ts';
import { openTestGate, type TestGate } from './test-gate.ts';

const TOKENS: Readonly<Record<string, { id: string; name: string; user: string }>> = {
  'token-one': { id: '1', name: 'one', user: 'alice' },
  'token-two': { id: '2', name: 'two', user: 'bob' },
};

let stand: TestGate;
let front: HttpFront;
/** Signals of the calls of `wait` that run, by the argument `id`. */
const waiting = new Map<string, AbortSignal>();
const started = new Map<string, () => void>();

const tools: Tool[] = [
  { name: 'echo', schema: { type: 'object' }, execute: async (args) => JSON.stringify(args) },
  { name: 'unlisted', schema: { type: 'object' }, execute: async () => 'never' },
  {
    name: 'wait',
    schema: { type: 'object' },
    execute: (args, { signal }) =>
      new Promise((_, reject) => {
        waiting.set(String(args['id']), signal);
        signal.addEventListener('abort', () => reject(new Error('stopped')));
        started.get(String(args['id']))?.();
      }),
  },
];

beforeAll(async () => {
  stand = await openTestGate({ allow: ['echo', 'wait'], tools });
  front = await serveHttp({
    gate: stand.gate,
    port: 0,
    authenticate: async (token) => TOKENS[token] ?? null,
    requestMs: 1_500,
    sessionLimits: { sessionsPerCaller: 3 },
  });
});
afterAll(async () => {
  await front.close(100);
  await stand.close();
});

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
  readonly token?: string | null;
}

/** One HTTP request with exactly these headers. */
function send({ method = 'POST', path = '/mcp', headers = {}, body = '', token = 'token-one' }: Sent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port: front.port, method, path, agent: false },
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const codeOf = ({ text }: Reply): unknown => JSON.parse(text).error?.data?.code;
const rpc = (method: string, params: object = {}, id: number | string = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const initialize = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '0' },
});

async function openSession(token = 'token-one'): Promise<string> {
  const { headers } = await send({ body: initialize, token });
  return String(headers['mcp-session-id']);
}

describe('the way to the body [T6.1]', () => {
  it('answers health without a token and without a secret', async () => {
    const reply = await send({ method: 'GET', path: '/healthz', token: null });
    expect([reply.status, reply.text]).toEqual([200, '{"status":"ok"}']);
  });

  it.each(['/', '/mcp/', '/mcp?token=x', '/MCP', 'http://127.0.0.1/mcp', '/../mcp'])(
    'knows no path %s',
    async (path) => {
      expect((await send({ path, body: initialize })).status).toBe(404);
    },
  );

  it.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1', '127.0.0.1.evil.example:7332'])(
    'refuses the host %s',
    async (host) => {
      const reply = await send({ headers: { host }, body: initialize });
      expect([reply.status, codeOf(reply)]).toEqual([403, 'HOST_REFUSED']);
    },
  );

  it.each([
    ['two', `Host: 127.0.0.1:PORT\r\nHost: evil.example\r\n`],
    ['twice the same', `Host: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT\r\n`],
    ['an empty', `Host: \r\n`],
    ['no', ''],
  ])('refuses %s host', async (_, host) => {
    const lines = `POST /mcp HTTP/1.1\r\n${host.replaceAll('PORT', String(front.port))}Authorization: Bearer token-one\r\n`;
    expect(await raw(`${lines}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 40[03] /);
  });

  it.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1', 'http://localhost.evil'])(
    'refuses the origin %s',
    async (origin) => {
      const reply = await send({ headers: { origin }, body: initialize });
      expect([reply.status, codeOf(reply)]).toEqual([403, 'ORIGIN_REFUSED']);
    },
  );

  it('takes a page of its own origin, by every name of this machine', async () => {
    for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
      const host = `${name}:${front.port}`;
      expect((await send({ headers: { host, origin: `http://${host}` }, body: initialize })).status).toBe(200);
    }
  });

  it.each(['PUT', 'OPTIONS', 'PATCH', 'HEAD'])('answers %s with 405', async (method) => {
    const reply = await send({ method });
    expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, POST, DELETE']);
  });

  it.each([
    [null, 'TOKEN_MISSING'],
    ['token-three', 'TOKEN_UNKNOWN'],
    ['', 'TOKEN_UNKNOWN'],
    ['token-one, Bearer token-two', 'TOKEN_UNKNOWN'],
  ])('refuses the token %s', async (token, code) => {
    const reply = await send({ token, body: initialize });
    expect([reply.status, codeOf(reply)]).toEqual([401, code]);
    expect(reply.headers['www-authenticate']).toBe('Bearer');
  });

  it.each([
    ['text/plain', {}],
    ['application/json-patch+json', {}],
    ['application/json; charset=utf-16', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('refuses the content type %s %o', async (type, more) => {
    expect((await send({ headers: { 'content-type': type, ...more }, body: initialize })).status).toBe(415);
  });

  it('does not wait for a body that is declared too large', async () => {
    const text = await raw(`${head()}Content-Length: ${64 * 1_048_576}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('INPUT_TOO_LARGE');
  });

  it('stops reading a body of 64 MiB that does not say its length', async () => {
    const written = await pour(`${head()}Transfer-Encoding: chunked\r\n\r\n`, 64 * 1_048_576);
    // What lies in the buffers between the two counts as written.
    expect(written).toBeLessThan(32 * 1_048_576);
    expect((await send({ method: 'GET', path: '/healthz' })).status).toBe(200);
  });

  it('cuts off a body that does not come', async () => {
    expect(await raw(`${head()}Content-Length: 100\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 (408|400) /);
  });
});

/** The head of a POST that passes every check before the body. */
const head = (): string =>
  `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${front.port}\r\nAuthorization: Bearer token-one\r\nContent-Type: application/json\r\n`;

/** Pours chunks after `start` until `total` bytes are out or the connection ends; how many went out. */
function pour(start: string, total: number): Promise<number> {
  const chunk = Buffer.from(`10000\r\n${' '.repeat(65_536)}\r\n`);
  return new Promise((resolve) => {
    let written = 0;
    const socket = connect(front.port, '127.0.0.1', () => {
      socket.write(start);
      next();
    });
    const next = (): void => {
      while (written < total && !socket.destroyed) {
        written += chunk.length;
        if (!socket.write(chunk)) return void socket.once('drain', next);
      }
      socket.end();
    };
    socket.resume();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(written));
  });
}

/** Writes bytes on a new connection and reads until it ends. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(front.port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('a message [T1.2]', () => {
  it.each([
    ['no JSON', '{', -32_700, 'INPUT_NOT_JSON'],
    ['a byte order mark', `\ufeff${initialize}`, -32_700, 'INPUT_NOT_JSON'],
    ['a key twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32_600, 'INPUT_DUPLICATE_KEY'],
    [
      'a key twice, once escaped',
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"\\u0061":2}}',
      -32_600,
      'INPUT_DUPLICATE_KEY',
    ],
    ['a lone surrogate', '{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}', -32_600, 'INPUT_LONE_SURROGATE'],
    [
      'an integer beyond 2^53',
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
      -32_600,
      'INPUT_NUMBER_RANGE',
    ],
    [
      'the key __proto__',
      '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{}}}',
      -32_600,
      'INPUT_FORBIDDEN_KEY',
    ],
    ['a batch', `[${initialize}]`, -32_600, 'INPUT_NOT_JSON'],
    ['an empty batch', '[]', -32_600, 'INPUT_NOT_JSON'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32_600, 'INPUT_NOT_JSON'],
    ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32_600, 'INPUT_NOT_JSON'],
    ['positional parameters', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32_600, 'INPUT_NOT_JSON'],
    [
      'deep nesting',
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(80)}1${'}'.repeat(80)}}`,
      -32_600,
      'INPUT_TOO_DEEP',
    ],
  ])('with %s is refused', async (_, body, code, name) => {
    const reply = await send({ body });
    expect([reply.status, JSON.parse(reply.text).error.code, codeOf(reply)]).toEqual([400, code, name]);
  });
});

describe('a session of the older revisions', () => {
  it('belongs to the token that opened it [T6.1]', async () => {
    const session = await openSession();
    const body = rpc('ping');
    const headers = { 'mcp-session-id': session };
    expect((await send({ body, headers })).status).toBe(200);
    expect((await send({ body, headers, token: 'token-two' })).status).toBe(404);
    expect((await send({ method: 'DELETE', headers, token: 'token-two' })).status).toBe(404);
    expect((await send({ method: 'DELETE', headers })).status).toBe(200);
    expect((await send({ body, headers })).status).toBe(404);
  });

  it('is needed, known and begun once', async () => {
    expect((await send({ body: rpc('tools/list') })).status).toBe(400);
    expect((await send({ body: rpc('tools/list'), headers: { 'mcp-session-id': 'guess' } })).status).toBe(404);
    const session = await openSession();
    const again = await send({ body: initialize, headers: { 'mcp-session-id': session } });
    expect(again.status).toBe(400);
  });

  it('answers tools and nothing else', async () => {
    const headers = { 'mcp-session-id': await openSession() };
    for (const method of ['resources/list', 'prompts/list', 'completion/complete', 'logging/setLevel', 'tasks/list']) {
      const reply = JSON.parse((await send({ body: rpc(method), headers })).text);
      expect([method, reply.error.code]).toEqual([method, -32_601]);
    }
    const listed = JSON.parse((await send({ body: rpc('tools/list'), headers })).text);
    expect(listed.result.tools.map((tool: { name: string }) => tool.name).sort()).toEqual(['echo', 'wait']);
  });

  it('of which a client has too many ends the longest silent one, and no other client loses any', async () => {
    const other = await openSession('token-two');
    const sessions = [];
    for (let count = 0; count < 5; count++) sessions.push(await openSession());
    const statuses = [];
    for (const session of sessions) {
      statuses.push((await send({ body: rpc('ping'), headers: { 'mcp-session-id': session } })).status);
    }
    expect(statuses).toEqual([404, 404, 200, 200, 200]);
    const kept = await send({ body: rpc('ping'), headers: { 'mcp-session-id': other }, token: 'token-two' });
    expect(kept.status).toBe(200);
  });

  it('ends the call that its client cancels, and the request of that call', async () => {
    const headers = { 'mcp-session-id': await openSession() };
    const running = new Promise<void>((resolve) => started.set('legacy', resolve));
    const call = send({ headers, body: rpc('tools/call', { name: 'wait', arguments: { id: 'legacy' } }, 7) });
    await running;
    const twice = await send({ headers, body: rpc('ping', {}, 7) });
    expect(twice.status).toBe(400);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
    expect((await send({ headers, body: JSON.stringify(cancel) })).status).toBe(202);
    expect((await call).text).toBe('');
    expect(waiting.get('legacy')?.aborted).toBe(true);
  });

  it.each(['2026-01-01', '2024-11-05'])('is not served in revision %s', async (version) => {
    const headers = { 'mcp-session-id': await openSession(), 'mcp-protocol-version': version };
    expect((await send({ headers, body: rpc('ping') })).status).toBe(400);
  });
});

describe('the official client', () => {
  const connectClient = async (mode: 'legacy' | { pin: string }, token = 'token-one'): Promise<Client> => {
    const client = new Client({ name: 'test', version: '0' }, { versionNegotiation: { mode } });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(front.url), { requestInit }));
    return client;
  };

  it.each([
    ['2025-11-25', 'legacy' as const],
    ['2026-07-28', { pin: '2026-07-28' }],
  ])('works in revision %s', async (version, mode) => {
    const client = await connectClient(mode);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    const { tools: listed } = await client.listTools();
    expect(listed.map(({ name }) => name).sort()).toEqual(['echo', 'wait']);
    const allowed = await client.callTool({ name: 'echo', arguments: { a: 1 }, _meta: { secret: 'x' } });
    expect(allowed.content).toEqual([{ type: 'text', text: '{"a":1}' }]);
    expect(allowed._meta?.['dev.sallyport/decision']).toMatchObject({ outcome: 'delivered', rule: 'tools.echo' });
    const denied = await client.callTool({ name: 'unlisted', arguments: {} });
    expect(denied).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('TOOL_NOT_ALLOWED') }] });
    expect(denied._meta?.['dev.sallyport/decision']).toMatchObject({
      outcome: 'denied',
      code: 'TOOL_NOT_ALLOWED',
      record: expect.any(Number),
    });
    await client.close();
  });

  it('that goes away in the stateless revision cancels its call', async () => {
    const client = await connectClient({ pin: '2026-07-28' });
    const running = new Promise<void>((resolve) => started.set('modern', resolve));
    const stop = new AbortController();
    const call = client.callTool({ name: 'wait', arguments: { id: 'modern' } }, { signal: stop.signal });
    await running;
    const stopped = new Promise<void>((resolve) => waiting.get('modern')?.addEventListener('abort', () => resolve()));
    stop.abort();
    await expect(call).rejects.toThrow();
    await stopped;
    await client.close();
  });
});

describe('the front itself', () => {
  it('says which port is taken', async () => {
    const second = serveHttp({ gate: stand.gate, port: front.port, authenticate: 'none' });
    await expect(second).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });

  it('listens beyond this machine only with authentication', async () => {
    const open = serveHttp({ gate: stand.gate, port: 0, host: '0.0.0.0', authenticate: 'none' });
    await expect(open).rejects.toMatchObject({ code: 'USAGE' });
  });
});
