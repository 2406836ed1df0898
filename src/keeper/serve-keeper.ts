import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { SallyportError } from '../core/index.ts';
import type { EmbeddedKeeper, KeeperServer } from './embedded-keeper.ts';
import { type ConnectionHouse, PeerConnection } from './peer-connection.ts';
import type { PeerFolder } from './peer-folder.ts';
import { prepareSocket } from './socket-place.ts';

/** Connections at a time, and of those how many may still have to prove who they are. */
const MAX_CONNECTIONS = 256;
const MAX_UNPROVEN = 64;

export interface ServeOptions {
  readonly keeper: EmbeddedKeeper;
  readonly peers: PeerFolder;
  readonly state: string;
  /** Where to listen; null for the place in the state folder. */
  readonly socket: string | null;
  /** False: the socket does not keep the process alive. */
  readonly stayAlive: boolean;
}

/**
 * Serves a keeper over a Unix socket (docs/keeper.md has the protocol).
 * @throws SallyportError KEEPER_SOCKET
 */
export async function serveKeeper(options: ServeOptions): Promise<KeeperServer> {
  const path = prepareSocket(options.state, options.socket);
  const house: ConnectionHouse = { keeper: options.keeper, peers: options.peers, buffered: 0 };
  const connections = new Set<PeerConnection>();
  const server = createServer((socket) => {
    const unproven = [...connections].filter(({ isProven }) => !isProven).length;
    if (connections.size >= MAX_CONNECTIONS || unproven >= MAX_UNPROVEN) {
      socket.destroy();
      return;
    }
    if (!options.stayAlive) socket.unref();
    const connection = new PeerConnection(socket, house);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  await listen(server, path);
  // In a place of its own the folder says which group may come; in the state folder, nobody but this user.
  chmodSync(path, options.socket === null ? 0o600 : 0o660);
  if (!options.stayAlive) server.unref();
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.close();
      }),
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new SallyportError('KEEPER_SOCKET', `the keeper cannot listen on ${path}`, { cause })),
    );
    server.listen({ path, backlog: 64 }, resolve);
  });
}
