import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allowHosts, openTestEgress, serveHttp, type TestEgress, type TestServer } from '../support/egress.ts';
import { hasBwrap, isRoot, OWNER, type RanInside, runInside } from '../support/inside.ts';

let egress: TestEgress;
let root: string;
let home: string;
let web: TestServer;
let git: { port: number; server: Server };

const inside = (argv: readonly [string, ...string[]]): Promise<RanInside> => runInside(egress.session, argv);

/** A package as a registry serves it. */
function tarball(): Buffer {
  const folder = join(home, 'package');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"tiny","version":"1.0.0"}');
  return gzipSync(execFileSync('tar', ['-cf', '-', '-C', home, 'package']));
}

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'egress-e2e-')));
  // Whoever runs inside must be able to walk to the socket; it can read nothing but its own folder.
  execFileSync('chmod', ['711', root]);
  home = join(root, 'outside');
  mkdirSync(home);
  const bytes = tarball();
  web = await serveHttp((request, response) => {
    if (request.url === '/tiny') {
      const dist = { tarball: 'http://api.example.com/tiny/-/tiny-1.0.0.tgz' };
      response.setHeader('content-type', 'application/json');
      return void response.end(
        JSON.stringify({
          name: 'tiny',
          'dist-tags': { latest: '1.0.0' },
          versions: { '1.0.0': { name: 'tiny', version: '1.0.0', dist } },
        }),
      );
    }
    if (request.url?.endsWith('.tgz') === true) return void response.end(bytes);
    response.end(`${request.method} ${request.url} ${String(Reflect.get(request, 'bodyBytes'))}`);
  });
  git = await serveGit();
});

/** `git http-backend` behind a web server. */
async function serveGit(): Promise<typeof git> {
  const repository = join(home, 'repository.git');
  const run = (...words: string[]): Buffer =>
    execFileSync('git', words, { env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', HOME: home } });
  run('init', '-q', '--bare', repository);
  const tree = run('-C', repository, 'mktree', '--missing').toString().trim();
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  const commit = run(...identity, '-C', repository, 'commit-tree', '-m', 'hello from git', tree)
    .toString()
    .trim();
  run('-C', repository, 'update-ref', 'refs/heads/master', commit);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        GIT_PROJECT_ROOT: home,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
      },
    });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', () => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf('\r\n\r\n');
      const headers = answer
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': '));
      for (const [name = '', value = ''] of headers) if (name !== 'Status') response.setHeader(name, value);
      response.end(answer.subarray(end + 4));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

afterAll(async () => {
  await web.close();
  git.server.closeAllConnections();
  git.server.close();
  rmSync(root, { recursive: true, force: true });
});

const NODE_PROGRAM = `
  const http = require('node:http'), https = require('node:https');
  (async () => {
    console.log(await (await fetch('http://api.example.com:8080/fetch?x=1', { method: 'POST', body: 'body' })).text());
    console.log(await (await fetch(SCHEME + '://api.example.com/fetch')).text());
    const get = (open, url, options = {}) => new Promise((done, fail) =>
      open.get(url, options, (answer) => { let text = ''; answer.on('data', (c) => (text += c)).on('end', () => done(text)); }).on('error', fail));
    console.log(await get(http, 'http://api.example.com/get', { agent: new http.Agent({ keepAlive: true }) }));
    console.log(await get(http, 'http://api.example.com/list', { headers: ['Host', 'api.example.com'] }));
    console.log(await get(SCHEME === 'https' ? https : http, SCHEME + '://api.example.com/secure'));
    console.log(await fetch('http://evil.example.net/').then((answer) => answer.status));
    console.log(await fetch('https://evil.example.net/').then(() => 'reached', (error) => 'refused ' + (error.cause?.message ?? '').slice(0, 60)));
    process.exit(0);
  })();`;

const PYTHON_PROGRAM = `
import urllib.request, urllib.error, sys
scheme = sys.argv[1]
print(urllib.request.urlopen('http://api.example.com/python').read().decode())
print(urllib.request.urlopen(scheme + '://api.example.com/python', data=b'body').read().decode())
try:
    urllib.request.urlopen('http://evil.example.net/')
except urllib.error.HTTPError as error:
    print(error.code)
`;

describe.skipIf(!hasBwrap)(
  `programs inside a network namespace${hasBwrap ? '' : ' (skipped: there is no bubblewrap)'}`,
  () => {
    beforeAll(async () => {
      const parent = { parent: root, ...(isRoot ? { owner: OWNER } : {}) };
      egress = await openTestEgress({
        ...parent,
        judge: allowHosts('api.example.com', 'git.example.com'),
        ports: { 80: web.port, 8080: web.port, 8081: git.port },
      });
      execFileSync('chmod', ['711', join(egress.session.folder, '..')]);
    });
    afterAll(() => egress.close());

    test('curl reaches what is listed and nothing else, by name or around the proxy', async () => {
      expect((await inside(['curl', '-sS', 'http://api.example.com/curl'])).out).toBe('GET /curl ');
      expect((await inside(['curl', '-sS', '-d', 'x=1', 'http://api.example.com/curl'])).out).toBe('POST /curl x=1');
      expect((await inside(['curl', '-sS', 'http://evil.example.net/'])).out).toContain('EGRESS_NOT_ALLOWED');
      expect((await inside(['curl', '-sS', 'https://evil.example.net/'])).out).toContain('403');
      expect((await inside(['curl', '-sS', '--noproxy', '*', 'http://api.example.com/'])).status).toBe(6);
      expect((await inside(['curl', '-sS', '--noproxy', '*', `http://127.0.0.1:${web.port}/`])).status).toBe(7);
      const socks = new URL(egress.session.env['HTTP_PROXY'] ?? '');
      const proxy = `socks5h://${socks.username}:${socks.password}@127.0.0.1:1080`;
      expect((await inside(['curl', '-sS', '-x', proxy, 'http://api.example.com/socks'])).out).toBe('GET /socks ');
    });

    test('git clones', async () => {
      const { out, status } = await inside([
        'sh',
        '-c',
        'git clone -q http://git.example.com:8081/repository.git r && git -C r log --format=%s',
      ]);
      expect({ out, status }).toEqual({ out: 'hello from git\n', status: 0 });
    });

    test('npm installs', async () => {
      const words =
        'npm install --registry=http://api.example.com/ --no-audit --no-fund --no-update-notifier tiny >log 2>&1 || cat log; cat node_modules/tiny/package.json';
      expect((await inside(['sh', '-c', words])).out).toBe('{"name":"tiny","version":"1.0.0"}');
    });

    test("node's fetch, http and https", async () => {
      const { out } = await inside(['node', '-e', `const SCHEME = 'http';${NODE_PROGRAM}`]);
      expect(out.split('\n').slice(0, 7)).toEqual([
        'POST /fetch?x=1 body',
        'GET /fetch ',
        'GET /get ',
        'GET /list ',
        'GET /secure ',
        '403',
        expect.stringMatching(/^refused .*evil/),
      ]);
    });

    test("python's urllib", async () => {
      expect((await inside(['/usr/bin/python3', '-c', PYTHON_PROGRAM, 'http'])).out).toBe(
        'GET /python \nPOST /python body\n403\n',
      );
    });

    test('the relay is ready before the program, and ends as it does', async () => {
      const probe = `require('node:net').connect(3128, '127.0.0.1').on('connect', () => process.exit(7)).on('error', () => process.exit(8))`;
      expect((await inside(['node', '-e', probe])).status).toBe(7);
      expect((await inside(['sh', '-c', 'kill -TERM $$'])).status).toBe(143);
      expect((await inside(['/no/such/program'])).status).toBe(127);
      expect((await inside(['/usr'])).status).toBe(126);
      expect((await inside(['sh', '-c', 'trap "echo got; exit 3" USR2; kill -USR2 $PPID; sleep 5 & wait'])).out).toBe(
        'got\n',
      );
    });

    test('two relays in one sandbox give each program its own way', async () => {
      const { session } = egress;
      const quoted = session
        .wrap(['curl', '-sS', 'http://api.example.com/second'])
        .map((word) => `'${word}'`)
        .join(' ');
      expect((await inside(['sh', '-c', quoted])).out).toBe('GET /second ');
    });

    test.skipIf(!isRoot)(
      `another user cannot reach the socket${isRoot ? '' : ' (skipped: needs root to become another user)'}`,
      async () => {
        const attempt = `require('node:net').connect(${JSON.stringify(egress.socket)}).on('connect', () => console.log('in')).on('error', (e) => console.log(e.code))`;
        const as = (id: string): string =>
          execFileSync('setpriv', [
            '--reuid',
            id,
            '--regid',
            id,
            '--clear-groups',
            process.execPath,
            '-e',
            `${attempt}.on('connect', () => process.exit())`,
          ])
            .toString()
            .trim();
        expect(as('65533')).toBe('EACCES');
        expect(as('65534')).toBe('in');
      },
    );
  },
);
