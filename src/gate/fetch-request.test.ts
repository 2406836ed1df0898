import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, openWorld, type World } from '../../test/attacks/endpoints-world.ts';
import { isSallyportError, isUrlTrouble, readUrl } from '../core/index.ts';
import { systemDial, systemResolve } from './fetch-dial.ts';
import { performRequest } from './fetch-request.ts';
import type { FetchLimits, FetchOptions, FetchRequest, FetchResult, Hop, HopVerdict } from './fetch-types.ts';

const HOSTS = ['api.example.com', 'other.example.com', 'internal.example.com'];
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'api.example.com': ['93.184.216.34'],
  'other.example.com': ['93.184.216.35', '93.184.216.36'],
  'internal.example.com': ['10.0.0.1'],
};

const big = Buffer.alloc(8 * 1024 * 1024, 'a');
const answers: Record<string, RequestListener> = {
  '/hello': (_, response) => response.end('hello'),
  '/gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('packed')),
  '/deflate': (_, response) => response.setHeader('content-encoding', 'deflate').end(deflateSync('packed')),
  '/br': (_, response) => response.setHeader('content-encoding', 'br').end(brotliCompressSync('packed')),
  '/empty-gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(),
  '/bomb-gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(big)),
  '/bomb-deflate': (_, response) => response.setHeader('content-encoding', 'deflate').end(deflateSync(big)),
  '/bomb-br': (_, response) => response.setHeader('content-encoding', 'br').end(brotliCompressSync(big)),
  '/twice': (_, response) => response.setHeader('content-encoding', 'gzip, gzip').end(gzipSync(gzipSync('x'))),
  '/not-gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end('plain'),
  '/half-gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('packed').subarray(0, 15)),
  '/big': (_, response) => response.end(big),
  '/endless': (_, response) => {
    const timer = setInterval(() => response.write('drip'), 5);
    response.on('close', () => clearInterval(timer));
  },
  '/silent': () => undefined,
  '/many-headers': (_, response) => response.writeHead(200, { 'x-long': 'a'.repeat(40_000) }).end(),
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setImmediate(() => response.socket?.destroy());
  },
};

function redirect(status: number, location: string): RequestListener {
  return (_, response) => response.writeHead(status, { location }).end();
}
const redirects: Record<string, RequestListener> = {
  '/to-same': redirect(302, '/hello'),
  '/to-other-307': redirect(307, 'https://other.example.com/hello'),
  '/to-same-307': redirect(307, '/hello'),
  '/to-internal': redirect(302, 'https://internal.example.com/hello'),
  '/to-http': redirect(302, 'http://api.example.com/hello'),
  '/to-loop': redirect(302, '/to-loop'),
  '/to-nowhere': redirect(302, ''),
  '/to-user': redirect(302, 'https://api.example.com@other.example.com/'),
  '/to-backslash': redirect(302, '/\\other.example.com/'),
  '/to-backslashes': redirect(302, '\\\\other.example.com/'),
  '/to-no-slashes': redirect(302, 'https:other.example.com'),
  '/to-three-slashes': redirect(302, '///other.example.com'),
  '/to-tab': redirect(302, '/\tx'),
  '/to-script': redirect(302, 'javascript:alert(1)'),
  '/to-utf8': redirect(302, Buffer.from('/hellö').toString('latin1')),
  '/to-relative': redirect(302, 'hello'),
  '/without-location': (_, response) => response.writeHead(302).end('stay'),
  '/two-locations': (_, response) =>
    response
      .writeHead(
        302,
        [
          ['location', '/hello'],
          ['location', '/x'],
        ].flat(),
      )
      .end(),
};

let world: World;
beforeAll(async () => {
  world = await openWorld(HOSTS, (request, response) => {
    const found = { ...answers, ...redirects }[request.url ?? ''];
    if (found === undefined) response.writeHead(404).end('nothing');
    else found(request, response);
  });
});
afterAll(() => world.close());

/** Allows the hosts of this test; whoever looks at addresses is policy, tested elsewhere. */
function judge({ request }: Hop): HopVerdict {
  const url = readUrl(request.url);
  if (isUrlTrouble(url) || !HOSTS.includes(url.host)) {
    return { effect: 'deny', target: null, finding: { code: 'ENDPOINT_NOT_ALLOWED', reason: 'not this one' } };
  }
  const headers = new Map(
    Object.entries(request.headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === 'string' ? value : { reference: 'key', prefix: 'Bearer ' },
    ]),
  );
  const target = {
    url,
    method: request.method.toUpperCase(),
    headers,
    isInternal: url.host === 'internal.example.com',
    secrets: [],
  };
  return { effect: 'allow', target, finding: null };
}

const get = (path: string): FetchRequest => ({
  method: 'GET',
  url: `https://api.example.com${path}`,
  headers: {},
  body: null,
});

function perform(request: FetchRequest, options: Partial<FetchOptions> = {}): Promise<FetchResult> {
  world.dialled.length = 0;
  world.arrived.length = 0;
  return performRequest(request, {
    judge,
    resolve: async (host) => ADDRESSES[host] ?? [],
    dial: world.dial,
    certificates: [world.certificate],
    ...options,
  });
}

async function codeOf(promise: Promise<FetchResult>): Promise<string> {
  try {
    const result = await promise;
    return result.kind === 'denied' ? result.code : `answered ${result.status}`;
  } catch (error) {
    if (isSallyportError(error)) return error.code;
    throw error;
  }
}

const within = (limits: Partial<FetchLimits>): Partial<FetchOptions> => ({ limits });

describe('performRequest: one hop', () => {
  it('connects to the judged address, with the name in SNI and Host, once', async () => {
    const result = await perform(get('/hello'));
    expect(result).toMatchObject({ kind: 'answered', status: 200, url: 'https://api.example.com/hello' });
    expect(world.dialled).toEqual([{ address: '93.184.216.34', port: 443 }]);
    expect(world.arrived).toMatchObject([{ url: 'https://api.example.com/hello', sni: 'api.example.com' }]);
    expect(world.arrived[0]?.headers).toMatchObject({ connection: 'close', 'accept-encoding': 'gzip, deflate, br' });
  });

  it('sends a body with its length, an object as JSON, and no length of the caller', async () => {
    await perform({ ...get('/hello'), method: 'post', headers: { 'Content-Length': '999' }, body: { a: 'ü' } });
    expect(world.arrived[0]).toMatchObject({ method: 'POST', body: '{"a":"ü"}' });
    expect(world.arrived[0]?.headers).toMatchObject({ 'content-length': '10', 'content-type': 'application/json' });
  });

  it('decompresses one layer, within the limit, however small it came', async () => {
    for (const path of ['/gzip', '/deflate', '/br']) {
      const result = await perform(get(path));
      expect(result.kind === 'answered' && Buffer.from(result.body).toString()).toBe('packed');
    }
    expect(await codeOf(perform(get('/empty-gzip')))).toBe('answered 200');
    expect(await codeOf(perform({ ...get('/gzip'), method: 'HEAD' }))).toBe('answered 200');
    for (const path of ['/bomb-gzip', '/bomb-deflate', '/bomb-br', '/big']) {
      expect([path, await codeOf(perform(get(path)))]).toEqual([path, 'RESULT_TOO_LARGE']);
    }
    for (const path of ['/twice', '/not-gzip', '/half-gzip']) {
      expect([path, await codeOf(perform(get(path)))]).toEqual([path, 'RESULT_MALFORMED']);
    }
  });

  it('ends with its own code when time, size or connection end', async () => {
    expect(await codeOf(perform(get('/endless'), within({ totalMs: 200 })))).toBe('TOOL_TIMEOUT');
    expect(await codeOf(perform(get('/silent'), within({ totalMs: 200 })))).toBe('TOOL_TIMEOUT');
    expect(await codeOf(perform(get('/cut')))).toBe('ENDPOINT_UNREACHABLE');
    expect(await codeOf(perform(get('/many-headers')))).toBe('ENDPOINT_UNREACHABLE');
    expect(await codeOf(perform({ ...get('/hello'), body: 'x'.repeat(11) }, within({ requestBytes: 10 })))).toBe(
      'CONTENT_TOO_LARGE',
    );
    const never = (): Promise<never> => new Promise(() => undefined);
    expect(await codeOf(perform(get('/hello'), { ...within({ totalMs: 100 }), resolve: never }))).toBe('TOOL_TIMEOUT');
    expect(await codeOf(perform(get('/hello'), { ...within({ connectMs: 100 }), dial: never }))).toBe(
      'ENDPOINT_UNREACHABLE',
    );
    for (const path of ['/silent', '/endless']) {
      expect(await codeOf(perform(get(path), { signal: AbortSignal.timeout(100) }))).toBe('TOOL_CANCELLED');
    }
    expect(await codeOf(perform(get('/hello'), { signal: AbortSignal.abort() }))).toBe('TOOL_CANCELLED');
  });

  it('tries the next judged address when one does not answer, and no other', async () => {
    const dial: FetchOptions['dial'] = (target, signal) =>
      target.address === '93.184.216.35' ? Promise.reject(new Error('refused')) : world.dial(target, signal);
    const result = await perform({ ...get('/hello'), url: 'https://other.example.com/hello' }, { dial });
    expect(result.hops).toMatchObject([{ address: '93.184.216.36', status: 200 }]);
  });

  it('does not speak with a server that cannot prove its name', async () => {
    expect(await codeOf(perform(get('/hello'), { certificates: [] }))).toBe('ENDPOINT_UNREACHABLE');
    const foreign = await openWorld(['evil.example.com'], (_, response) => response.end('stolen'));
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const options = { dial: foreign.dial, certificates: [foreign.certificate] };
      expect(await codeOf(perform(get('/hello'), options))).toBe('ENDPOINT_UNREACHABLE');
      expect(foreign.arrived).toEqual([]);
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      await foreign.close();
    }
  });

  it('looks nothing up that is not allowed, and does not go where nobody judged', async () => {
    const looked: string[] = [];
    const resolve = async (host: string): Promise<readonly string[]> => {
      looked.push(host);
      return ['93.184.216.34'];
    };
    expect(await codeOf(perform({ ...get('/'), url: 'https://c2VjcmV0.evil.example/' }, { resolve }))).toBe(
      'ENDPOINT_NOT_ALLOWED',
    );
    expect(looked).toEqual([]);
    const confirm = (hop: Hop): HopVerdict => ({ ...judge(hop), effect: 'confirm' });
    expect(await codeOf(perform(get('/hello'), { judge: confirm }))).toBe('ENDPOINT_NOT_ALLOWED');
    expect(await codeOf(perform(get('/hello'), { judge: confirm, confirmed: true }))).toBe('answered 200');
  });

  it('resolves secrets after the judgement, for the hop they are sent on', async () => {
    const request = { ...get('/hello'), headers: { Authorization: { $secret: 'key' } } };
    expect(await codeOf(perform(request))).toBe('SECRET_UNAVAILABLE');
    await perform(request, { release: async (name, url) => `${name}-for-${url.host}` });
    expect(world.arrived[0]?.headers.authorization).toBe('Bearer key-for-api.example.com');
    expect(await codeOf(perform(request, { release: async () => 'a\r\nX: y' }))).toBe('SECRET_UNAVAILABLE');
    const never = (): Promise<never> => new Promise(() => undefined);
    expect(await codeOf(perform(request, { ...within({ totalMs: 100 }), release: never }))).toBe('TOOL_TIMEOUT');
  });
});

describe('performRequest: what is no honest HTTP', () => {
  it.each([
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['nothing', ''],
  ])('gives up at %s', async (_, bytes) => {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => open.delete(socket));
      socket.on('data', () => socket.end(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const request = { ...get('/'), url: 'http://api.example.com/' };
      expect(await codeOf(perform(request, { dial: () => connected(port) }))).toBe('ENDPOINT_UNREACHABLE');
    } finally {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('performRequest: redirects', () => {
  it('follows what is allowed, and stays on the addresses that were judged first', async () => {
    let lookups = 0;
    const resolve = async (): Promise<readonly string[]> => [lookups++ === 0 ? '93.184.216.34' : '127.0.0.1'];
    const result = await perform(get('/to-same'), { resolve });
    expect(result).toMatchObject({ kind: 'answered', url: 'https://api.example.com/hello' });
    expect(world.dialled.map(({ address }) => address)).toEqual(['93.184.216.34', '93.184.216.34']);
    expect(await codeOf(perform(get('/to-relative')))).toBe('answered 200');
    expect(await codeOf(perform(get('/without-location')))).toBe('answered 302');
    expect(await codeOf(perform(get('/to-utf8')))).toBe('answered 404');
    expect(world.arrived[1]?.url).toBe('https://api.example.com/hell%C3%B6');
  });

  it.each([
    ...['/to-internal', '/to-http', '/to-loop', '/to-user', '/to-backslash', '/to-backslashes', '/to-no-slashes'],
    ...['/to-three-slashes', '/to-tab', '/to-script', '/two-locations'],
  ])('does not follow %s', async (path) => {
    expect(await codeOf(perform(get(path)))).toBe('ENDPOINT_REDIRECT');
    expect(world.arrived.every(({ url }) => url === `https://api.example.com${path}`)).toBe(true);
    expect(world.arrived.length).toBe(path === '/to-loop' ? 6 : 1);
  });

  it('gives another origin neither body nor any header that says who asks', async () => {
    const headers = {
      Authorization: { $secret: 'key' },
      'X-Api-Key': 'k',
      Cookie: 'c=1',
      Accept: 'text/plain',
      'Content-Type': 'text/plain',
    };
    const request = { ...get('/to-other-307'), method: 'POST', headers, body: 'private' };
    await perform(request, { release: async () => 'secret' });
    expect(world.arrived[0]).toMatchObject({ body: 'private', headers: { authorization: 'Bearer secret' } });
    expect(world.arrived[1]).toMatchObject({ url: 'https://other.example.com/hello', method: 'POST', body: '' });
    expect(Object.keys(world.arrived[1]?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'content-length',
      'host',
      'user-agent',
    ]);
  });

  it('keeps body and headers on the same origin at 307, and drops the body when the method changes', async () => {
    const request = { ...get('/to-same-307'), method: 'POST', headers: { 'X-Api-Key': 'k' }, body: 'text' };
    await perform(request);
    expect(world.arrived[1]).toMatchObject({ method: 'POST', body: 'text', headers: { 'x-api-key': 'k' } });
    await perform({ ...request, url: 'https://api.example.com/to-same', headers: { 'Content-Type': 'text/plain' } });
    expect(world.arrived[1]).toMatchObject({ method: 'GET', body: '' });
    expect(world.arrived[1]?.headers['content-type']).toBeUndefined();
  });
});

describe('systemDial and systemResolve', () => {
  it('connects to an address and refuses names', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { signal } = new AbortController();
    try {
      const socket = await systemDial({ address: '127.0.0.1', port }, signal);
      expect(socket.remoteAddress).toBe('127.0.0.1');
      socket.destroy();
      await expect(systemDial({ address: 'localhost', port }, signal)).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(systemDial({ address: '0x7f.1', port }, signal)).rejects.toMatchObject({ code: 'INTERNAL' });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('keeps a connection when the time for connecting is over, and ends an attempt then', async () => {
    const server = createServer((socket) =>
      socket.on('data', (data) => socket.write(data)).on('error', () => undefined),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const target = { address: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 };
    const connecting = new AbortController();
    try {
      const socket = await systemDial(target, connecting.signal);
      connecting.abort();
      socket.write('still here');
      const [echo] = await once(socket, 'data');
      expect(String(echo)).toBe('still here');
      socket.destroy();
      await expect(systemDial(target, connecting.signal)).rejects.toThrow();
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('finds what the hosts file has', async () => {
    expect(await systemResolve('localhost')).toContain('127.0.0.1');
  });
});
