import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as secure, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trustVariables } from '../../src/sandbox/egress-env.ts';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import {
  basic,
  exchange,
  openTestEgress,
  serveHttp,
  type TestDoor,
  type TestEgress,
  type TestServer,
} from '../support/egress.ts';
import { hasBwrap, isRoot, OWNER, runInside } from '../support/inside.ts';

let mine: TestCertificate;
let web: TestServer;

beforeAll(async () => {
  mine = makeCertificate('api.example.com');
  web = await serveHttp((request, response) => response.end(`${request.method} ${request.url} over TLS`), mine);
});
afterAll(() => web.close());

async function using<Value>(door: TestDoor, use: (egress: TestEgress) => Promise<Value>): Promise<Value> {
  const egress = await openTestEgress({
    terminateTls: true,
    certificates: [mine.cert],
    ports: { 443: web.port },
    ...door,
  });
  try {
    return await use(egress);
  } finally {
    await egress.close();
  }
}

const ownCertificate = ({ session }: TestEgress): string =>
  readFileSync(session.env['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8');

/** TLS through the proxy. */
async function tunnel(egress: TestEgress, authority: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect(egress.socket);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${basic(egress.token)}\r\n`);
  await once(socket, 'data');
  const servername = authority.replace(/:\d+$/, '');
  const encrypted = secure({
    socket,
    servername,
    ca: ownCertificate(egress),
    ALPNProtocols: ['h2', 'http/1.1'],
    ...options,
  });
  await once(encrypted, 'secureConnect');
  return encrypted;
}

const get = (path: string, host = 'api.example.com', more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;

/** Allows one path, and one method. */
const onlyYes: TestDoor['judge'] = async ({ method, url }) =>
  method === 'GET' && url === 'https://api.example.com/yes'
    ? { allowed: true, rule: 'r', internal: false }
    : { allowed: false, rule: 'd', reason: 'not this one' };

test('methods and paths within TLS are judged, and HTTP/1.1 is all that is spoken', () =>
  using({ judge: onlyYes }, async (egress) => {
    const first = await tunnel(egress, 'api.example.com:443');
    expect(first.alpnProtocol).toBe('http/1.1');
    expect(await exchange(first, get('/yes', 'api.example.com', 'Authorization: Bearer x\r\n'))).toMatch(
      /^HTTP\/1\.1 200 [\s\S]*GET \/yes over TLS/,
    );
    expect(web.requests.at(-1)?.headers.authorization).toBeUndefined();
    const before = web.requests.length;
    expect(await exchange(await tunnel(egress, 'api.example.com:443'), get('/no'))).toMatch(
      /^HTTP\/1\.1 403 [\s\S]*not this one/,
    );
    const post = 'POST /yes HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    expect(await exchange(await tunnel(egress, 'api.example.com:443'), post)).toMatch(/^HTTP\/1\.1 403 /);
    expect(await exchange(await tunnel(egress, 'api.example.com:443'), get('/yes', 'evil.example.net'))).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(
      await exchange(
        await tunnel(egress, 'api.example.com:443'),
        get('/yes', 'api.example.com', 'Upgrade: websocket\r\n'),
      ),
    ).toMatch(/^HTTP\/1\.1 403 /);
    expect(web.requests).toHaveLength(before);
    expect(egress.asks[0]).toEqual({
      scheme: 'https',
      host: 'api.example.com',
      port: 443,
      method: 'GET',
      url: 'https://api.example.com/yes',
    });
    expect((await egress.seen(5)).map(({ allowed, status }) => [allowed, status])).toEqual([
      [true, 200],
      ...Array(4).fill([false, null]),
    ]);
  }));

test('an unlisted host is never looked up, and another name in the ClientHello ends it', () =>
  using({ judge: onlyYes }, async (egress) => {
    expect(await exchange(await tunnel(egress, 'evil.example.net:443'), get('/', 'evil.example.net'))).toMatch(
      /^HTTP\/1\.1 403 /,
    );
    await expect(tunnel(egress, 'api.example.com:443', { servername: 'evil.example.net' })).rejects.toThrow();
    await expect(tunnel(egress, 'api.example.com:443', { ALPNProtocols: ['h2'] })).rejects.toThrow();
    await expect(tunnel(egress, 'api.example.com:443', { ca: [mine.cert] })).rejects.toThrow();
    expect(egress.looked).toEqual([]);
    expect((await egress.seen(4)).map(({ rule }) => rule)).toEqual(['d', ...Array(3).fill('builtin.EGRESS_TUNNEL')]);
  }));

test('the certificate of the endpoint is checked strictly', async () => {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    for (const certificates of [[], [makeCertificate('api.example.com').cert]]) {
      await using({ certificates, judge: onlyYes }, async (egress) => {
        expect(
          await exchange(await tunnel(egress, 'api.example.com:443', { rejectUnauthorized: true }), get('/yes')),
        ).toMatch(/^HTTP\/1\.1 502 /);
        expect((await egress.seen(1))[0]).toMatchObject({
          allowed: true,
          status: null,
          error: expect.stringMatching(/^ENDPOINT_UNREACHABLE [A-Z_]+/),
        });
      });
    }
    const allow: TestDoor['judge'] = async () => ({ allowed: true, rule: 'r', internal: false });
    await using({ judge: allow }, async (egress) => {
      expect(
        await exchange(
          await tunnel(egress, 'other.example.com:443', { rejectUnauthorized: true }),
          get('/yes', 'other.example.com'),
        ),
      ).toMatch(/^HTTP\/1\.1 502 /);
    });
  } finally {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  }
});

test('the authority is of one session, may sign servers only, and leaves with it', () =>
  using({}, async (one) => {
    await using({}, async (two) => {
      expect(ownCertificate(one)).not.toBe(ownCertificate(two));
      await expect(tunnel(one, 'api.example.com:443', { ca: ownCertificate(two) })).rejects.toThrow();
    });
    const leaf = (await tunnel(one, 'api.example.com:443')).getPeerX509Certificate();
    const authority = new X509Certificate(ownCertificate(one));
    expect(leaf?.ca).toBe(false);
    expect(leaf?.subjectAltName).toBe('DNS:api.example.com');
    expect(leaf?.verify(authority.publicKey)).toBe(true);
    expect(authority.ca).toBe(true);
    expect(authority.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    const folder = one.session.runtime.at(-1) ?? '';
    expect(existsSync(folder)).toBe(true);
    await one.session.close();
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(one.session.folder)).toBe(false);
  }));

const PROGRAMS: readonly (readonly [string, ...string[]])[] = [
  ['curl', '-sS', 'https://api.example.com/yes'],
  ['node', '-e', "fetch('https://api.example.com/yes').then((a) => a.text()).then(console.log)"],
  ['node', '-e', "require('node:https').get('https://api.example.com/yes', (a) => a.pipe(process.stdout))"],
  [
    '/usr/bin/python3',
    '-c',
    "import urllib.request; print(urllib.request.urlopen('https://api.example.com/yes').read().decode())",
  ],
  ['git', 'ls-remote', 'https://api.example.com/yes'],
];

describe.skipIf(!hasBwrap)(`programs inside${hasBwrap ? '' : ' (skipped: there is no bubblewrap)'}`, () => {
  let root: string;
  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'egress-tls-')));
    chmodSync(root, 0o755);
    writeFileSync(join(root, 'mine.pem'), mine.cert);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test.each(PROGRAMS)('%s %s %s speaks TLS through it, ended at the proxy or not', async (...words) => {
    const [first = '', ...rest] = words;
    const program = [first, ...rest] as const;
    for (const terminateTls of [true, false]) {
      const owner = isRoot ? { owner: OWNER } : {};
      await using({ terminateTls, parent: root, ...owner }, async ({ session, seen }) => {
        chmodSync(join(session.folder, '..'), 0o711);
        const env = terminateTls ? {} : trustVariables(join(root, 'mine.pem'), join(root, 'mine.pem'));
        const { out } = await runInside(session, program, { env, shown: [join(root, 'mine.pem')] });
        if (first === 'git')
          expect(web.requests.some(({ url }) => url === '/yes/info/refs?service=git-upload-pack')).toBe(true);
        else expect(out).toContain('GET /yes over TLS');
        const [event] = await seen(1);
        const expected = terminateTls ? { scheme: 'https', method: 'GET' } : { scheme: 'tcp', method: null };
        expect(event).toMatchObject({ allowed: true, ask: expected });
      });
    }
  });
});
