import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { SallyportError } from '../core/index.ts';
import type { EmbeddedKeeper, KeeperServer } from './embedded-keeper.ts';
import { PeerAccounts } from './peer-accounts.ts';
import { type ConnectionHouse, PeerConnection } from './peer-connection.ts';
import type { PeerFolder } from './peer-folder.ts';
import { prepareSocket } from './socket-place.ts';

/** Connections that have yet to prove who they are; one more drives away the one of them that is worth least. */
const MAX_UNPROVEN = 64;
/** How often the keeper looks whether a peer was revoked, in milliseconds. */
const LOOK_MS = 500;

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
  const accounts = new PeerAccounts(options.peers);
  const house: ConnectionHouse = { keeper: options.keeper, peers: options.peers, accounts, buffered: 0 };
  const connections = new Set<PeerConnection>();
  const server = createServer((socket) => {
    makeRoom(connections);
    if (!options.stayAlive) socket.unref();
    const connection = new PeerConnection(socket, house);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  await listen(server, path);
  // In a place of its own the folder says which group may come; in the state folder, nobody but this user.
  chmodSync(path, options.socket === null ? 0o600 : 0o660);
  if (!options.stayAlive) server.unref();
  const look = setInterval(() => accounts.cutRevoked(), LOOK_MS).unref();
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        clearInterval(look);
        server.close(() => resolve());
        for (const connection of connections) connection.close();
      }),
  };
}

/**
 * Whoever can reach the socket can open connections and prove nothing. They take their places from each other: the one that is
 * least far goes, of those the oldest; a peer that shakes hands at once is further than those that are silent.
 */
function makeRoom(connections: Set<PeerConnection>): void {
  const unproven = [...connections].filter(({ standing }) => standing < 3);
  if (unproven.length < MAX_UNPROVEN) return;
  const [first, ...rest] = unproven;
  const least = rest.reduce((found, other) => (found && found.standing <= other.standing ? found : other), first);
  if (least === undefined) return;
  connections.delete(least);
  least.close();
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new SallyportError('KEEPER_SOCKET', `the keeper cannot listen on ${path}`, { cause })),
    );
    server.listen({ path, backlog: 64 }, resolve);
  });
}
