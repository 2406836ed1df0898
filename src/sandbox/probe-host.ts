import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** Things of the host that are alive while the probe runs: listeners, and a process with a marker in its arguments. */
export interface ProbeHost {
  readonly tcpPort: number;
  readonly udpPort: number;
  /** Attempts that reached a listener. */
  reached(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** How long a datagram may be on its way after the program ended, in milliseconds. */
const ARRIVAL_MS = 10;

/** A server that notes who came, and says nothing. */
async function listener(attempt: string, at: ListenOptions, came: Set<string>): Promise<Server> {
  const server = createServer((socket: Socket) => {
    came.add(attempt);
    socket.on('error', () => socket.destroy());
    socket.destroy();
  });
  server.listen(at);
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
};

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

/** A process that waits for the end of its input, with the marker in its arguments. */
function startMarked(marker: string): ChildProcess {
  return spawn('/bin/sh', ['-c', 'read line', marker], { stdio: ['pipe', 'ignore', 'ignore'], env: {} });
}

async function endMarked(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

async function reachedSoon(came: ReadonlySet<string>): Promise<readonly string[]> {
  await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
  return [...came];
}

/** Opens the listeners: `outside` is the folder for the socket with a path, `abstract` the name of the one without. */
export async function openProbeHost(outside: string, abstract: string, marker: string): Promise<ProbeHost> {
  const came = new Set<string>();
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closers.splice(0).map((closer) => closer()));
  };
  const listen = async (attempt: string, at: ListenOptions): Promise<Server> => {
    const server = await listener(attempt, at, came);
    closers.push(() => closeServer(server));
    return server;
  };
  try {
    const marked = startMarked(marker);
    closers.push(() => endMarked(marked));
    const tcpPort = portOf(await listen('tcp', { port: 0, host: '127.0.0.1' }));
    await listen('unix-abstract', { path: `\0${abstract}` });
    await listen('unix-path', { path: join(outside, 'live.sock') });
    chmodSync(join(outside, 'live.sock'), 0o777);
    const udp = createSocket('udp4', () => came.add('udp'));
    closers.push(async () => void udp.close());
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    return { tcpPort, udpPort: udp.address().port, reached: () => reachedSoon(came), close };
  } catch (error) {
    await close();
    throw error;
  }
}
