import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { GateOptions } from '../../src/gate/index.ts';
import { makeCertificate, type TestCertificate } from './certificate.ts';
import { PUBLIC, serveHttp, type TestServer } from './egress.ts';

/** A network that is none: names that a test knows, and servers on loopback behind one public address. */
export interface EgressWorld {
  readonly web: TestServer;
  readonly tls: TestServer;
  readonly certificate: TestCertificate;
  /** Names that were looked up. */
  readonly looked: string[];
  /** Where connections went: address and port. */
  readonly dialled: string[];
  /** What a gate needs to live in it. */
  readonly gate: Required<Pick<GateOptions, 'resolve' | 'dial' | 'certificates'>>;
  close(): Promise<void>;
}

/** A listed name that its owner points at the metadata service of a cloud. */
export const SNEAKY = 'sneaky.example.com';
/** Data here: it is never dialled. */
export const METADATA = '169.254.169.254';

/** Opens servers that answer with what they were asked, a package registry, and a repository of git. */
export async function openEgressWorld(): Promise<EgressWorld> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'egress-world-')));
  makeRepository(folder);
  const bytes = makePackage(folder);
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '', method } = request;
    if (url === '/tiny') response.setHeader('content-type', 'application/json').end(JSON.stringify(TINY));
    else if (url.endsWith('.tgz')) response.end(bytes);
    else if (url.startsWith('/repository.git/')) serveFile(folder, url, response);
    else response.end(`${method} ${url} ${String(Reflect.get(request, 'bodyBytes'))}`);
  };
  const certificate = makeCertificate('api.example.com');
  const [web, tls] = [await serveHttp(answer), await serveHttp(answer, certificate)];
  const [looked, dialled]: [string[], string[]] = [[], []];
  const resolve: EgressWorld['gate']['resolve'] = async (host) => {
    looked.push(host);
    return [host === SNEAKY ? METADATA : PUBLIC];
  };
  const dial: EgressWorld['gate']['dial'] = async ({ address, port }, signal) => {
    dialled.push(`${address}:${port}`);
    const behind = port === 443 ? tls.port : web.port;
    const socket = connect({ host: '127.0.0.1', port: behind, allowHalfOpen: true, signal });
    await once(socket, 'connect');
    return socket;
  };
  return {
    ...{ web, tls, certificate, looked, dialled, gate: { resolve, dial, certificates: [certificate.cert] } },
    close: async () => {
      await Promise.all([web.close(), tls.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const TINY = {
  ...{ name: 'tiny', 'dist-tags': { latest: '1.0.0' } },
  versions: {
    '1.0.0': {
      ...{ name: 'tiny', version: '1.0.0' },
      dist: { tarball: 'http://api.example.com/tiny/-/tiny-1.0.0.tgz' },
    },
  },
};

function makePackage(folder: string): Buffer {
  mkdirSync(join(folder, 'package'));
  writeFileSync(join(folder, 'package', 'package.json'), '{"name":"tiny","version":"1.0.0"}');
  return gzipSync(execFileSync('tar', ['-cf', '-', '-C', folder, 'package']));
}

/** A bare repository that any web server can serve as files (gitprotocol-http(5), dumb clients). */
function makeRepository(folder: string): void {
  const repository = join(folder, 'repository.git');
  const env = { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...words: string[]): string => execFileSync('git', words, { env }).toString().trim();
  git('-c', 'init.defaultBranch=main', 'init', '-q', '--bare', repository);
  const tree = execFileSync('git', ['-C', repository, 'mktree'], { env, input: '' }).toString().trim();
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  const commit = git(...author, '-C', repository, 'commit-tree', '-m', 'hello from git', tree);
  git('-C', repository, 'update-ref', 'refs/heads/main', commit);
  git('-C', repository, 'update-server-info');
}

function serveFile(folder: string, url: string, response: ServerResponse): void {
  const path = join(folder, new URL(url, 'http://x').pathname);
  const isThere = existsSync(path) && statSync(path).isFile();
  response.statusCode = isThere ? 200 : 404;
  response.end(isThere ? readFileSync(path) : '');
}
