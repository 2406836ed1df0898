import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  basic,
  openTestEgress,
  PUBLIC,
  serveHttp,
  serveTcp,
  type TestDoor,
  type TestEgress,
} from '../../test/support/egress.ts';

async function open(door: TestDoor = {}): Promise<TestEgress> {
  const egress = await openTestEgress(door);
  onTestFinished(() => egress.close());
  return egress;
}

async function web(...given: Parameters<typeof serveHttp>): Promise<Awaited<ReturnType<typeof serveHttp>>> {
  const server = await serveHttp(...given);
  onTestFinished(() => server.close());
  return server;
}

const get = (url: string, token: string, more = ''): string =>
  `GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${basic(token)}Connection: close\r\n${more}\r\n`;

test('a listed endpoint answers, and the request is recorded once', async () => {
  const server = await web();
  const egress = await open({ ports: { 80: server.port } });
  const answer = await egress.raw(get('http://api.example.com/a/../b?c=1', egress.token, 'X-Own: 1\r\n'));
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toContain('hello from outside');
  expect(server.requests).toHaveLength(1);
  expect(server.requests[0]).toMatchObject({ method: 'GET', url: '/b?c=1' });
  expect(server.requests[0]?.headers).toMatchObject({ host: 'api.example.com', 'x-own': '1' });
  expect(server.requests[0]?.headers['proxy-authorization']).toBeUndefined();
  expect(await egress.seen(1)).toMatchObject([
    {
      ask: { scheme: 'http', host: 'api.example.com', port: 80, method: 'GET', url: 'http://api.example.com/b?c=1' },
      allowed: true,
      rule: 'test.allowed',
      address: PUBLIC,
      status: 200,
      error: null,
    },
  ]);
  expect(egress.looked).toEqual(['api.example.com']);
  expect(egress.dialled).toEqual([{ address: PUBLIC, port: 80 }]);
});

test('an unlisted host is refused before its name is looked up', async () => {
  const egress = await open();
  const answer = await egress.raw(get('http://evil.example.net/', egress.token));
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  expect(answer).toContain('EGRESS_NOT_ALLOWED');
  expect(answer).toContain('Proxy-Status: sallyport');
  expect(egress.looked).toEqual([]);
  expect(await egress.seen(1)).toMatchObject([{ allowed: false, rule: 'test.default', address: null }]);
});

test('the socket is private, and a connection without the token gets nothing', async () => {
  const egress = await open();
  expect(statSync(egress.session.folder).mode & 0o777).toBe(0o700);
  expect(statSync(egress.socket).mode & 0o777).toBe(0o600);
  for (const token of ['', 'x'.repeat(43), `${egress.token}x`, egress.token.slice(1)]) {
    expect(await egress.raw(get('http://api.example.com/', token))).toMatch(
      /^HTTP\/1\.1 407 [\s\S]*Proxy-Authenticate/,
    );
    expect(
      await egress.raw(`CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n${basic(token)}\r\n`),
    ).toMatch(/^HTTP\/1\.1 407 /);
  }
  expect(egress.asks).toEqual([]);
  expect(await egress.seen(8)).toHaveLength(8);
});

test('the token of another session is refused', async () => {
  const [mine, other] = [await open(), await open()];
  expect(await mine.raw(get('http://api.example.com/', other.token))).toMatch(/^HTTP\/1\.1 407 /);
});

test('credentials are taken out unless the answer admits them', async () => {
  const server = await web();
  const credentials = 'Authorization: Bearer a\r\nCookie: b=c\r\nX-Api-Key: d\r\nx_api_key: e\r\nPRIVATE-TOKEN: f\r\n';
  for (const admitted of [false, true]) {
    const egress = await open({
      ports: { 80: server.port },
      judge: async () => ({ allowed: true, rule: 'r', internal: false, ...(admitted ? { credentials: true } : {}) }),
    });
    await egress.raw(get('http://api.example.com/', egress.token, credentials));
    const names = Object.keys(server.requests.at(-1)?.headers ?? {});
    expect(names.includes('authorization')).toBe(admitted);
    expect(names.filter((name) => /cookie|key|token/.test(name))).toHaveLength(admitted ? 4 : 0);
  }
});

test('a body goes through in both framings, with 100-continue, and answers keep a connection', async () => {
  const server = await web((request, response) => response.end(String(Reflect.get(request, 'bodyBytes'))));
  const egress = await open({ ports: { 80: server.port } });
  const head = `POST http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n${basic(egress.token)}`;
  const answer = await egress.raw(
    `${head}Content-Length: 5\r\n\r\nfirst${head}Transfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n` +
      `${head}Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthird`,
  );
  expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  expect(answer).toContain('HTTP/1.1 100 Continue');
  expect(server.requests.map(({ body }) => body)).toEqual(['first', 'second', 'third']);
  expect(await egress.seen(3)).toHaveLength(3);
});

test('a question may wait for a person while other connections go on', async () => {
  const server = await web();
  let answerLater = (): void => undefined;
  const asked = new Promise<void>((done) => {
    answerLater = done;
  });
  const egress = await open({
    ports: { 80: server.port },
    judge: async ({ url }) => {
      if (url?.endsWith('/slow') === true) await asked;
      return { allowed: true, rule: 'r', internal: false };
    },
  });
  const slow = egress.raw(get('http://api.example.com/slow', egress.token));
  expect(await egress.raw(get('http://api.example.com/fast', egress.token))).toMatch(/^HTTP\/1\.1 200/);
  expect(egress.asks.map(({ url }) => url)).toContain('http://api.example.com/slow');
  answerLater();
  expect(await slow).toMatch(/^HTTP\/1\.1 200/);
});

test('a client that leaves while it is judged is recorded, and nothing is dialled', async () => {
  const egress = await open({ judge: () => new Promise(() => undefined) });
  for (const text of [
    get('http://api.example.com/', egress.token),
    `CONNECT api.example.com:443 HTTP/1.1\r\n${basic(egress.token)}\r\n`,
  ]) {
    const before = egress.asks.length;
    const client = connect(egress.socket);
    client.write(text);
    while (egress.asks.length === before) await new Promise((done) => setTimeout(done, 5));
    client.destroy();
  }
  const events = await egress.seen(2);
  expect(events.map(({ error }) => error)).toEqual(['EGRESS_ABANDONED', 'EGRESS_ABANDONED']);
  expect(egress.dialled).toEqual([]);
});

test('an open tunnel passes anything, half-closed sockets stay half open', async () => {
  const echo = await serveTcp((socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk)).on('end', () => socket.end(`got ${Buffer.concat(chunks)}`));
  });
  onTestFinished(() => echo.close());
  const egress = await open({
    ports: { 22: echo.port },
    judge: async () => ({ allowed: true, rule: 'r', internal: false, tunnel: 'any' }),
  });
  const client = connect({ path: egress.socket, allowHalfOpen: true });
  client.write(`CONNECT api.example.com:22 HTTP/1.1\r\nHost: api.example.com:22\r\n${basic(egress.token)}\r\n`);
  expect(String(await once(client, 'data'))).toMatch(/^HTTP\/1\.1 200 /);
  client.end('SSH-2.0-x');
  expect(String(await once(client, 'data'))).toBe('got SSH-2.0-x');
  expect(await egress.seen(1)).toMatchObject([
    { ask: { scheme: 'tcp', port: 22 }, sentBytes: 9, receivedBytes: 13, error: null },
  ]);
});

test('an event that cannot be recorded ends the session', async () => {
  const server = await web();
  const egress = await open({ ports: { 80: server.port } });
  egress.events.push = () => {
    throw new Error('the disk is full');
  };
  await egress.raw(get('http://evil.example.net/', egress.token));
  expect(await egress.raw(get('http://api.example.com/', egress.token))).toBe('');
  expect(server.requests).toEqual([]);
});

test('an endpoint that is not there is 502, with the word of the system', async () => {
  const gone = await web();
  await gone.close();
  const egress = await open({ ports: { 80: gone.port } });
  expect(await egress.raw(get('http://api.example.com/', egress.token))).toMatch(/^HTTP\/1\.1 502 /);
  expect(await egress.seen(1)).toMatchObject([
    { allowed: true, address: null, error: 'ENDPOINT_UNREACHABLE ECONNREFUSED' },
  ]);
});

test('a connection outlives the time for connecting, also where the dialler bound it to the signal', async () => {
  const server = await web((_, response) => void setTimeout(() => response.end('late'), 300));
  const egress = await open({ ports: { 80: server.port }, limits: { connectMs: 100 } });
  expect(await egress.raw(get('http://api.example.com/', egress.token))).toContain('late');
});
