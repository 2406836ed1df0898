import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  allowHosts,
  basic,
  exchange,
  openTestEgress,
  PUBLIC,
  serveHttp,
  serveTcp,
  type TestDoor,
  type TestEgress,
} from '../support/egress.ts';

async function open(door: TestDoor = {}): Promise<TestEgress> {
  const egress = await openTestEgress(door);
  onTestFinished(() => egress.close());
  return egress;
}

async function web(): Promise<Awaited<ReturnType<typeof serveHttp>>> {
  const server = await serveHttp();
  onTestFinished(() => server.close());
  return server;
}

const allowAll: TestDoor['judge'] = async () => ({ allowed: true, rule: 'r', internal: false });

const get = (target: string, host: string, token: string, more = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${basic(token)}Connection: close\r\n${more}\r\n`;
const connectTo = (authority: string, token: string): string =>
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${basic(token)}\r\n`;

const ODD_HOSTS = [
  ...[
    '127.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '127.00.0.1',
    '0x7f.1',
    '①②⑦.0.0.1',
  ],
  ...['[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]', '[::1%25lo]', '[::1%lo]', '::1', '[fe80::1%1]'],
  ...['api.example.com.', 'api.example.com..', '.api.example.com', 'api%2eexample.com', 'api.example.com%00.evil.net'],
  ...['api。example。com', 'bücher.example', 'api.example.com\\@evil.net', 'user@api.example.com', 'api example.com'],
  ...['', '*', 'a'.repeat(300), 'api.example.com/evil', 'api.example.com?x', 'api.example.com#x'],
];

test.each(ODD_HOSTS)('no way of writing a host is looked up or dialled: %j', async (host) => {
  const egress = await open({ judge: allowAll });
  for (const text of [get(`http://${host}/`, host, egress.token), connectTo(`${host}:443`, egress.token)]) {
    expect(await egress.raw(Buffer.from(text, 'utf8'))).not.toMatch(/^HTTP\/1\.1 200/);
  }
  expect(egress.looked).toEqual([]);
  expect(egress.dialled).toEqual([]);
  expect(egress.events.every(({ allowed, address }) => !allowed && address === null)).toBe(true);
});

const NOT_PUBLIC = [
  ...[
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '169.254.170.2',
    '100.64.0.1',
    '100.100.100.200',
  ],
  ...['0.0.0.0', '224.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '168.63.129.16'],
  ...[
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'fc00::1',
    'ff02::1',
    '::ffff:7f00:1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fd00:ec2::254',
  ],
];

test.each(NOT_PUBLIC)(
  'an address that is not public is not dialled, as a literal or behind a name: %s',
  async (address) => {
    const literal = address.includes(':') ? `[${address}]` : address;
    const egress = await open({ judge: allowAll, resolve: async () => [PUBLIC, address] });
    const socks = Buffer.concat([greeting(egress.token), socksName('api.example.com', 443)]);
    for (const text of [
      get(`http://${literal}/`, literal, egress.token),
      connectTo(`${literal}:443`, egress.token),
      get('http://api.example.com/', 'api.example.com', egress.token),
      connectTo('api.example.com:443', egress.token),
      socks,
    ]) {
      expect(await egress.raw(text)).not.toMatch(/^HTTP\/1\.1 200/);
    }
    expect(egress.dialled).toEqual([]);
    const events = await egress.seen(5);
    expect(events.map(({ allowed, rule }) => [allowed, rule])).toEqual(
      events.map(() => [false, 'builtin.ENDPOINT_ADDRESS']),
    );
  },
);

test('only an answer that says internal leads to such an address', async () => {
  const server = await web();
  const egress = await open({
    judge: async () => ({ allowed: true, rule: 'r', internal: true }),
    ports: { 8080: server.port },
  });
  expect(await egress.raw(get('http://10.0.0.1:8080/', '10.0.0.1:8080', egress.token))).toMatch(/^HTTP\/1\.1 200/);
  expect(egress.dialled).toEqual([{ address: '10.0.0.1', port: 8080 }]);
});

test('a name that changes its address is looked up once for each request, and that address is dialled', async () => {
  const server = await web();
  const answers = [[PUBLIC], ['127.0.0.1'], [PUBLIC]];
  const egress = await open({ ports: { 80: server.port }, resolve: async () => answers.shift() ?? [] });
  const text = get('http://api.example.com/', 'api.example.com', egress.token);
  expect(await egress.raw(text)).toMatch(/^HTTP\/1\.1 200/);
  expect(await egress.raw(text)).toMatch(/^HTTP\/1\.1 403/);
  expect(egress.dialled).toEqual([{ address: PUBLIC, port: 80 }]);
  expect(egress.looked).toHaveLength(2);
});

test('a resolver that fails, hangs or talks nonsense opens nothing', async () => {
  for (const resolve of [
    () => Promise.reject(new Error('no')),
    () => new Promise<never>(() => undefined),
    async () => [],
    async () => ['localhost'],
    async () => Array.from({ length: 65 }, () => PUBLIC),
  ]) {
    const egress = await open({ resolve, limits: { lookUpMs: 50 } });
    expect(await egress.raw(get('http://api.example.com/', 'api.example.com', egress.token))).toMatch(
      /^HTTP\/1\.1 (502|403)/,
    );
    expect(egress.dialled).toEqual([]);
  }
});

test('a judge that throws or answers nonsense is a refusal', async () => {
  for (const judge of [
    () => Promise.reject(new Error('no')),
    async () => ({ allowed: 'yes' }) as never,
    async () => undefined as never,
  ] satisfies TestDoor['judge'][]) {
    const egress = await open({ judge });
    expect(await egress.raw(get('http://api.example.com/', 'api.example.com', egress.token))).toMatch(
      /^HTTP\/1\.1 (500|403)/,
    );
    expect(egress.looked).toEqual([]);
  }
});

test('a port that is not listed is another endpoint', async () => {
  const egress = await open({
    judge: async ({ port }) =>
      port === 443 ? { allowed: true, rule: 'r', internal: false } : { allowed: false, rule: 'd', reason: 'port' },
  });
  expect(await egress.raw(get('http://api.example.com:8443/', 'api.example.com:8443', egress.token))).toMatch(
    /^HTTP\/1\.1 403/,
  );
  expect(await egress.raw(connectTo('api.example.com:22', egress.token))).toMatch(/^HTTP\/1\.1 403/);
  expect(egress.looked).toEqual([]);
});

const RAW: readonly (readonly [name: string, head: (token: string) => string])[] = [
  ['Host of another site', (t) => get('http://api.example.com/', 'evil.example.net', t)],
  ['Host with another port', (t) => get('http://api.example.com/', 'api.example.com:81', t)],
  ['two Hosts', (t) => get('http://api.example.com/', 'api.example.com', t, 'Host: evil.example.net\r\n')],
  ['no Host', (t) => `GET http://api.example.com/ HTTP/1.1\r\n${basic(t)}\r\n`],
  ['origin form', (t) => get('/', 'api.example.com', t)],
  ['asterisk form', (t) => get('*', 'api.example.com', t)],
  ['https as absolute URL', (t) => get('https://api.example.com/', 'api.example.com', t)],
  ['another scheme', (t) => get('ftp://api.example.com/', 'api.example.com', t)],
  [
    'both lengths',
    (t) => get('http://api.example.com/', 'api.example.com', t, 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'),
  ],
  [
    'two lengths',
    (t) => get('http://api.example.com/', 'api.example.com', t, 'Content-Length: 4\r\nContent-Length: 5\r\n'),
  ],
  ['odd length', (t) => get('http://api.example.com/', 'api.example.com', t, 'Content-Length: +4\r\n')],
  ['odd coding', (t) => get('http://api.example.com/', 'api.example.com', t, 'Transfer-Encoding: gzip, chunked\r\n')],
  [
    'coding in disguise',
    (t) => get('http://api.example.com/', 'api.example.com', t, 'Transfer-Encoding: xchunked\r\n'),
  ],
  ['space before the colon', (t) => get('http://api.example.com/', 'api.example.com', t, 'Content-Length : 4\r\n')],
  ['folded header', (t) => get('http://api.example.com/', 'api.example.com', t, 'X-A: b\r\n c: d\r\n')],
  ['bare line feed', (t) => get('http://api.example.com/', 'api.example.com', t, 'X-A: b\nX-C: d\r\n')],
  ['NUL in a header', (t) => get('http://api.example.com/', 'api.example.com', t, 'X-A: b\0c\r\n')],
  [
    'method override',
    (t) => get('http://api.example.com/', 'api.example.com', t, 'X-HTTP-Method-Override: DELETE\r\n'),
  ],
  ['path override', (t) => get('http://api.example.com/', 'api.example.com', t, 'x_original_url: /admin\r\n')],
  [
    'websocket',
    (t) => get('http://api.example.com/', 'api.example.com', t, 'Connection: upgrade\r\nUpgrade: websocket\r\n'),
  ],
  ['too many headers', (t) => get('http://api.example.com/', 'api.example.com', t, 'X: y\r\n'.repeat(101))],
  ['too long headers', (t) => get('http://api.example.com/', 'api.example.com', t, `X: ${'y'.repeat(40_000)}\r\n`)],
  ['too long URL', (t) => get(`http://api.example.com/${'y'.repeat(9_000)}`, 'api.example.com', t)],
  ['encoded dot segments', (t) => get('http://api.example.com/a/%2e%2e%2fadmin', 'api.example.com', t)],
  ['HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/0.9', () => 'GET http://api.example.com/\r\n\r\n'],
  ['no HTTP', () => 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['two tokens', (t) => get('http://api.example.com/', 'api.example.com', t, basic(t))],
];

test.each(RAW)('what two readers could read differently is refused: %s', async (_, head) => {
  const server = await web();
  const egress = await open({ judge: allowAll, ports: { 80: server.port } });
  expect(await egress.raw(head(egress.token))).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(server.requests).toEqual([]);
  expect(egress.dialled).toEqual([]);
  expect(await egress.seen(1)).toMatchObject([{ allowed: false, address: null }]);
});

test('a CONNECT with a smuggled line break, or within another connection, goes nowhere', async () => {
  const egress = await open();
  const smuggled = `CONNECT api.example.com:443\r\nX: y evil.example.net:443 HTTP/1.1\r\n${basic(egress.token)}\r\n`;
  expect(await egress.raw(smuggled)).toMatch(/^HTTP\/1\.1 400/);
  const inside = `${connectTo('api.example.com:80', egress.token)}CONNECT evil.example.net:443 HTTP/1.1\r\nHost: x\r\n${basic(egress.token)}\r\n`;
  expect(await egress.raw(inside)).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 400/);
  expect(egress.looked).toEqual([]);
});

test('each request of a kept connection is judged again, also pipelined behind one that was allowed', async () => {
  const server = await web();
  const egress = await open({ ports: { 80: server.port } });
  const keep = (host: string): string => `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${basic(egress.token)}\r\n`;
  const answer = await egress.raw(keep('api.example.com') + keep('evil.example.net') + keep('api.example.com'));
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 403 /);
  expect(server.requests.every(({ headers }) => headers.host === 'api.example.com')).toBe(true);
  expect(egress.looked).not.toContain('evil.example.net');
});

test('a tunnel to port 80 is read: a path that is not allowed, another Host and a second target are refused', async () => {
  const server = await web();
  const judge: TestDoor['judge'] = async ({ url }) =>
    url === 'http://api.example.com/yes'
      ? { allowed: true, rule: 'r', internal: false }
      : { allowed: false, rule: 'd', reason: 'no' };
  const egress = await open({ judge, ports: { 80: server.port } });
  const through = (line: string, host: string): Promise<string> =>
    egress.raw(
      `${connectTo('api.example.com:80', egress.token)}${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
  expect(await through('GET /yes', 'api.example.com')).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 200 /);
  expect(await through('GET /no', 'api.example.com')).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 403 /);
  expect(await through('GET /yes', 'evil.example.net')).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 400 /);
  expect(await through('GET http://evil.example.net/', 'evil.example.net')).toMatch(
    /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 400 /,
  );
  expect(server.requests).toHaveLength(1);
});

/** A minimal ClientHello (RFC 8446 4.1.2) with these extensions. */
function hello(extensions: readonly Buffer[]): Buffer {
  const list = Buffer.concat(extensions);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0]),
    sized(2, list),
  ]);
  const message = Buffer.concat([Buffer.from([1]), sized(3, body)]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(2, message)]);
}
function sized(size: number, bytes: Buffer): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return Buffer.concat([length, bytes]);
}
const extension = (type: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type >> 8, type & 255]), sized(2, bytes)]);
const name = (host: string): Buffer =>
  extension(0, sized(2, Buffer.concat([Buffer.from([0]), sized(2, Buffer.from(host))])));

const STARTS: readonly (readonly [what: string, bytes: Buffer, passes: boolean])[] = [
  ['the judged name', hello([name('api.example.com')]), true],
  ['its letter case', hello([name('API.example.com')]), true],
  ['another name', hello([name('evil.example.net')]), false],
  ['no name', hello([]), false],
  ['two names', hello([name('api.example.com'), name('evil.example.net')]), false],
  [
    'a list of two names',
    hello([
      extension(
        0,
        sized(
          2,
          Buffer.concat([
            Buffer.from([0]),
            sized(2, Buffer.from('api.example.com')),
            Buffer.from([0]),
            sized(2, Buffer.from('evil.example.net')),
          ]),
        ),
      ),
    ]),
    false,
  ],
  ['a name with NUL', hello([name('api.example.com\0.evil.net')]), false],
  ['an encrypted ClientHello', hello([name('api.example.com'), extension(0xfe0d, Buffer.alloc(40))]), false],
  ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), false],
  ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: evil.example.net\r\n\r\n'), false],
  ['another TLS message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]), false],
  ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0]), false],
  [
    'a hello without end',
    Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0]), Buffer.from([1, 0, 0xff, 0xff]), Buffer.alloc(16_380)]),
    false,
  ],
];

test.each(STARTS)('a tunnel starts as TLS for the judged host or nothing is sent: %s', async (_, bytes, passes) => {
  const got: Buffer[] = [];
  const server = await serveTcp((socket) =>
    socket.on('data', (chunk) => got.push(chunk)).on('end', () => socket.end()),
  );
  onTestFinished(() => server.close());
  for (const pieces of [[bytes], Array.from(bytes.subarray(0, 200), (_byte, at) => bytes.subarray(at, at + 1))]) {
    if (pieces.length > 1 && bytes.length > 200) continue;
    got.length = 0;
    const egress = await open({ ports: { 443: server.port } });
    const client = connect({ path: egress.socket, allowHalfOpen: true, noDelay: true });
    client.write(connectTo('api.example.com:443', egress.token));
    expect(String(await once(client, 'data'))).toMatch(/^HTTP\/1\.1 200/);
    for (const piece of pieces) client.write(piece);
    client.end();
    await exchange(client, '');
    const [event] = await egress.seen(1);
    expect(Buffer.concat(got).equals(passes ? bytes : Buffer.alloc(0))).toBe(true);
    expect(event).toMatchObject({ allowed: passes, sentBytes: passes ? bytes.length : 0 });
  }
});

function greeting(token: string): Buffer {
  return Buffer.concat([
    Buffer.from([5, 1, 2]),
    Buffer.from([1]),
    sized(1, Buffer.from('sallyport')),
    sized(1, Buffer.from(token)),
  ]);
}
const port16 = (port: number): Buffer => Buffer.from([port >> 8, port & 255]);
const socksName = (host: string, port: number): Buffer =>
  Buffer.concat([Buffer.from([5, 1, 0, 3]), sized(1, Buffer.from(host, 'latin1')), port16(port)]);

test('SOCKS5: the token, CONNECT and a judged name, or nothing', async () => {
  const egress = await open();
  const attempt = async (...parts: readonly Buffer[]): Promise<string> =>
    Buffer.from(await egress.raw(Buffer.concat(parts)), 'latin1').toString('hex');
  expect(await attempt(Buffer.from([5, 1, 0]))).toBe('05ff');
  expect(await attempt(greeting('wrong'), socksName('api.example.com', 443))).toBe('05020101');
  const granted = '05020100';
  const own = greeting(egress.token);
  expect(await attempt(own, Buffer.from([5, 2, 0, 1, 93, 184, 216, 34, 1, 187]))).toBe(
    `${granted}05070001000000000000`,
  );
  expect(await attempt(own, Buffer.from([5, 3, 0, 1, 93, 184, 216, 34, 1, 187]))).toBe(
    `${granted}05070001000000000000`,
  );
  expect(await attempt(own, Buffer.from([5, 1, 0, 9, 1, 2]))).toBe(`${granted}05080001000000000000`);
  expect(await attempt(own, socksName('', 443))).toBe(`${granted}05080001000000000000`);
  for (const host of [
    'evil.example.net',
    '127.0.0.1',
    '::1',
    '0x7f.1',
    'api.example.com.',
    'a\0b',
    'api.example.com:80',
    '[::1]',
  ]) {
    expect(await attempt(own, socksName(host, 443))).toBe(`${granted}05020001000000000000`);
  }
  expect(egress.looked).toEqual([]);
  expect(egress.dialled).toEqual([]);
  expect(await egress.seen(14)).toHaveLength(14);
});

test('SOCKS5 passes TLS for the judged name', async () => {
  const bytes = hello([name('api.example.com')]);
  const got: Buffer[] = [];
  const server = await serveTcp((socket) =>
    socket.on('data', (chunk) => got.push(chunk)).on('end', () => socket.end('bye')),
  );
  onTestFinished(() => server.close());
  const egress = await open({ ports: { 443: server.port } });
  const client = connect({ path: egress.socket, allowHalfOpen: true });
  client.write(Buffer.concat([greeting(egress.token), socksName('API.example.com', 443)]));
  let answered = '';
  while (!answered.endsWith('05000001000000000000')) answered += (await once(client, 'data'))[0].toString('hex');
  client.end(bytes);
  expect(await exchange(client, '')).toBe('bye');
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
});

test('a head that comes a byte at a time, or never, ends its connection and no other', async () => {
  const server = await web();
  const egress = await open({ ports: { 80: server.port }, limits: { headMs: 300 } });
  const slow = [
    '',
    'G',
    'GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nX: ',
    '\x05',
    '\x05\x01\x02\x01\x09sally',
  ];
  const ends = slow.map(async (start) => {
    const client = connect(egress.socket);
    const timer = setInterval(() => client.write('a'), 20);
    await exchange(client, start);
    clearInterval(timer);
  });
  expect(await egress.raw(get('http://api.example.com/', 'api.example.com', egress.token))).toMatch(/^HTTP\/1\.1 200/);
  await Promise.all(ends);
  expect(server.requests).toHaveLength(1);
});

test('10,000 connections leave a proxy that works, with no more open than the limit', async () => {
  const server = await web();
  const egress = await open({ ports: { 80: server.port }, limits: { connections: 64 } });
  for (let round = 0; round < 100; round++) {
    const clients = Array.from({ length: 100 }, () => connect(egress.socket));
    const ends = clients.map((client) => new Promise((done) => void client.once('close', done).once('error', done)));
    await egress.seen(round + 1);
    for (const client of clients) client.destroy();
    await Promise.all(ends);
  }
  let answer = '';
  for (let attempt = 0; attempt < 100 && answer === ''; attempt++) {
    answer = await egress.raw(get('http://api.example.com/', 'api.example.com', egress.token));
  }
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
  expect(egress.events[0]).toMatchObject({ allowed: false, error: 'EGRESS_BUSY' });
});

test('a connection that pipelines without end is cut off', async () => {
  const egress = await open({ judge: () => new Promise(() => undefined) });
  const one = `GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n${basic(egress.token)}\r\n`;
  await egress.raw(one.repeat(40));
  expect(egress.asks.length).toBeLessThanOrEqual(1);
});

test('an answer that upgrades, is no HTTP or breaks off is an error for the client', async () => {
  const answers = [
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'SSH-2.0-x\r\n',
    'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`,
    '',
  ];
  for (const answer of answers) {
    const server = await serveTcp((socket) => socket.once('data', () => socket.end(answer)));
    onTestFinished(() => server.close());
    const egress = await open({ ports: { 80: server.port } });
    expect(await egress.raw(get('http://api.example.com/', 'api.example.com', egress.token))).toMatch(
      /^HTTP\/1\.1 502/,
    );
    expect((await egress.seen(1))[0]).toMatchObject({ allowed: true, status: null });
  }
  const server = await serveTcp((socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')),
  );
  onTestFinished(() => server.close());
  const egress = await open({ ports: { 80: server.port } });
  await egress.raw(get('http://api.example.com/', 'api.example.com', egress.token));
  expect((await egress.seen(1))[0]).toMatchObject({ status: 200, error: 'ENDPOINT_UNREACHABLE' });
});

test('a client that leaves in the middle, and a session that ends, leave nothing open', async () => {
  const stillOpen = new Set<object>();
  const server = await serveTcp((socket) => {
    stillOpen.add(socket);
    socket.once('close', () => stillOpen.delete(socket)).on('end', () => socket.end());
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'));
  });
  onTestFinished(() => server.close());
  const egress = await openTestEgress({ ports: { 80: server.port }, judge: allowHosts('api.example.com') });
  const text = get('http://api.example.com/', 'api.example.com', egress.token);
  const client = connect(egress.socket);
  client.write(text);
  await once(client, 'data');
  client.destroy();
  expect((await egress.seen(1))[0]).toMatchObject({ status: 200, error: 'EGRESS_ABANDONED' });
  const other = egress.raw(text);
  while (egress.dialled.length < 2 || stillOpen.size === 0) await new Promise((done) => setTimeout(done, 5));
  await egress.close();
  await other;
  while (stillOpen.size > 0) await new Promise((done) => setTimeout(done, 5));
  expect(await egress.seen(2)).toHaveLength(2);
});
