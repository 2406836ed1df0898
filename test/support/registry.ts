import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** A file of a tarball. `type`: `0` a file, `2` a symbolic link (tar, POSIX.1-1988). */
export interface TarFile {
  readonly path: string;
  readonly content?: string;
  readonly mode?: number;
  readonly type?: '0' | '2';
  readonly target?: string;
}

/** What a registry stand-in has of a package in one version. */
export interface StandInPackage {
  readonly name: string;
  readonly version: string;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files?: readonly TarFile[];
  /** Instead of the true one. */
  readonly integrity?: string;
  /** Where the packument says that the tarball is; the registry itself if absent. */
  readonly tarball?: string;
  /** A place that the tarball's address redirects to. */
  readonly redirect?: string;
}

/** An npm registry on loopback, with tarballs that are made on the fly. */
export interface Registry {
  readonly url: string;
  readonly port: number;
  /** `METHOD PATH` of every request, in order. */
  readonly asked: string[];
  publish(published: StandInPackage): string;
  close(): Promise<void>;
}

export async function startRegistry(): Promise<Registry> {
  const packages = new Map<string, Map<string, StandInPackage>>();
  const asked: string[] = [];
  const server = createServer((request, response) => serve(request, response, { packages, asked, url: () => url }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}/`;
  return {
    ...{ url, port, asked },
    publish: (published) => {
      const versions = packages.get(published.name) ?? new Map<string, StandInPackage>();
      packages.set(published.name, versions.set(published.version, published));
      return integrityOf(tarballOf(published));
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Stock {
  readonly packages: ReadonlyMap<string, ReadonlyMap<string, StandInPackage>>;
  readonly asked: string[];
  readonly url: () => string;
}

function serve(request: IncomingMessage, response: ServerResponse, { packages, asked, url }: Stock): void {
  const path = decodeURIComponent(request.url ?? '/').slice(1);
  asked.push(`${request.method} /${path}`);
  const [name = '', version] = path.split('/-/');
  const versions = packages.get(name);
  const found = version === undefined ? undefined : versions?.get(version.replace(/\.tgz$/, ''));
  if (versions !== undefined && version === undefined)
    return void sendPackument(response, name, [...versions.values()], url());
  if (found === undefined) return void response.writeHead(404).end('{}');
  if (found.redirect !== undefined) return void response.writeHead(302, { location: found.redirect }).end();
  response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarballOf(found));
}

function sendPackument(response: ServerResponse, name: string, all: readonly StandInPackage[], url: string): void {
  const versions = all.map((one) => {
    const integrity = one.integrity ?? integrityOf(tarballOf(one));
    const dist = { tarball: one.tarball ?? `${url}${name}/-/${one.version}.tgz`, integrity };
    return [one.version, { ...manifestOf(one), dist }] as const;
  });
  const latest = all.at(-1)?.version ?? '';
  const body = { name, 'dist-tags': { latest }, versions: Object.fromEntries(versions) };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const manifestOf = ({ name, version, manifest }: StandInPackage): object => ({ name, version, ...manifest });

const integrityOf = (bytes: Buffer): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

function tarballOf(published: StandInPackage): Buffer {
  const manifest = { path: 'package/package.json', content: JSON.stringify(manifestOf(published)) };
  const files = [manifest, ...(published.files ?? [])];
  return gzipSync(Buffer.concat([...files.flatMap(tarEntry), Buffer.alloc(1_024)]), { level: 1 });
}

function tarEntry({ path, content = '', mode = 0o644, type = '0', target = '' }: TarFile): Buffer[] {
  const body = Buffer.from(type === '0' ? content : '');
  const header = Buffer.alloc(512);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(path, 0, 100);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(body.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(target, 157, 100);
  header.write('ustar\0' + '00', 257);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  );
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}
