import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dial, DialTarget } from '../../src/gate/fetch-types.ts';

/**
 * The Internet for tests: one http and one https server on the loopback. The dialler writes down the address it was told
 * to connect to and connects to them instead, so no test leaves this machine.
 */
export interface World {
  readonly dial: Dial;
  /** Every address that was dialled. */
  readonly dialled: DialTarget[];
  /** What arrived: `SCHEME://HOST/PATH` by the Host header, with method, headers and body. */
  readonly arrived: { url: string; method: string; headers: IncomingMessage['headers']; body: string; sni: string }[];
  readonly certificate: string;
  close(): Promise<void>;
}

/** Makes a key and a certificate for the names, signed by itself, for one day. */
function makeCertificate(names: readonly string[]): { key: string; certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'));
  try {
    const config = [
      '[req]',
      'distinguished_name=dn',
      'x509_extensions=ext',
      '[dn]',
      '[ext]',
      `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`,
    ];
    writeFileSync(join(folder, 'config'), config.join('\n'));
    const flags =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test -keyout key -out cert -config config';
    execFileSync('openssl', flags.split(' '), { cwd: folder, stdio: 'pipe' });
    return { key: readFileSync(join(folder, 'key'), 'utf8'), certificate: readFileSync(join(folder, 'cert'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));

export async function openWorld(names: readonly string[], handler: RequestListener): Promise<World> {
  const { key, certificate } = makeCertificate(names);
  const arrived: World['arrived'] = [];
  const dialled: DialTarget[] = [];
  const listener =
    (scheme: string): RequestListener =>
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', headers, socket } = request;
        const sni = 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : '';
        arrived.push({
          url: `${scheme}://${headers.host}${request.url}`,
          method,
          headers,
          body: Buffer.concat(chunks).toString(),
          sni,
        });
        handler(request, response);
      });
    };
  const plain = createServer(listener('http'));
  const secure = createSecureServer({ key, cert: certificate }, listener('https'));
  const ports = { plain: await listen(plain), secure: await listen(secure) };
  const isPlain = new Set([80, 8080]);
  const dial: Dial = (target) => {
    dialled.push(target);
    return connected(isPlain.has(target.port) ? ports.plain : ports.secure);
  };
  const close = async (): Promise<void> => {
    for (const server of [plain, secure]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  return { dial, dialled, arrived, certificate, close };
}

export const connected = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
