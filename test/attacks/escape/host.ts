import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { join } from 'node:path';
import { runAs, SECRET } from './matrix-user.ts';

/** What is alive on the host while programs try to reach it: listeners on loopback, a process, things shared by name. */
export interface EscapeHost {
  /** What arrived by UDP. */
  readonly heard: Set<string>;
  readonly env: Readonly<Record<string, string>>;
  /** Opens the sockets that have a path again: their folders were made anew. */
  openPaths(paths: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Port by port: an address beside 127.0.0.1 gets the same one. */
async function openTcp(): Promise<readonly Server[]> {
  const first = await listen({ port: 0, host: '127.0.0.1' });
  const beside = await listen({ port: portOf(first), host: '127.1.2.3' });
  return [first, beside, await listen({ port: 0, host: '::1' })];
}

async function listen(at: ListenOptions): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('hello');
    // Who came and never leaves must not keep the listener open.
    socket.destroySoon();
  });
  server.listen(at);
  await once(server, 'listening');
  if (at.path !== undefined && !at.path.startsWith('\0')) chmodSync(at.path, 0o777);
  return server;
}

const portOf = (server: Server): number => {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
};

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
}

async function openUdp(heard: Set<string>): Promise<Socket> {
  const udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    heard.add(message.toString().trim());
    udp.send('answer', from.port, from.address);
  });
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  return udp;
}

/** Things that outlive a process of the host and are shared by name; made by the compiled attempts, as the same user. */
function shared(attempts: string | null, action: 'make' | 'remove', key: string, queue: string): void {
  if (attempts === null) return;
  spawnSync(attempts, [`${action}_shared_memory`, key], { ...runAs });
  spawnSync(attempts, [`${action}_message_queue`, queue], { ...runAs });
}

/** A process with a name, a working folder and an open file that nobody else has. */
function startSteady(folder: string, mark: string): ChildProcess {
  writeFileSync(join(folder, 'secret.txt'), SECRET);
  const argv = ['-c', 'exec 5< secret.txt; read x', `host-${mark}`];
  return spawn('/bin/sh', argv, { cwd: folder, stdio: ['pipe', 'ignore', 'ignore'], ...runAs });
}

/** `steady`: a folder that is shown to nobody; `mark`: hexadecimal, in the names of everything that is shared. */
export async function openHost(steady: string, mark: string, attempts: string | null): Promise<EscapeHost> {
  const heard = new Set<string>();
  const name = `sallyport-${mark}`;
  const key = String(0x5a000000 + (Number.parseInt(mark.slice(0, 6), 16) & 0xffffff));
  const tcp = await openTcp();
  const fixed = [...tcp, await listen({ path: `\0${name}` })];
  const udp = await openUdp(heard);
  const host = startSteady(steady, mark);
  shared(attempts, 'make', key, name);
  writeFileSync(`/dev/shm/sallyport-host-${mark}`, SECRET);
  process.env[`MATRIX_${mark}`] = `canary-${mark}`;
  let byPath: readonly Server[] = [];
  const [first, , sixth] = tcp.map((server) => String(portOf(server)));
  return {
    heard,
    env: {
      ...{ MARK: mark, HOST_PID: String(host.pid), SHM_KEY: key, QUEUE: name, ABSTRACT: name },
      ...{ TCP_PORT: first ?? '', TCP6_PORT: sixth ?? '', UDP_PORT: String(udp.address().port) },
    },
    openPaths: async (paths) => {
      await closeAll(byPath);
      byPath = await Promise.all(paths.map((path) => listen({ path })));
    },
    close: async () => {
      delete process.env[`MATRIX_${mark}`];
      shared(attempts, 'remove', key, name);
      rmSync(`/dev/shm/sallyport-host-${mark}`, { force: true });
      udp.close();
      host.stdin?.end();
      await closeAll([...fixed, ...byPath]);
    },
  };
}
