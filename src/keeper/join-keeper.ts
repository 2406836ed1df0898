import { setTimeout as sleep } from 'node:timers/promises';
import { isSallyportError, SallyportError } from '../core/index.ts';
import type { Keeper, KeeperEvent } from './keeper.ts';
import { type KeeperOptions, openKeeper } from './open-keeper.ts';
import { type PeerCredential, PeerFolder, type PeerRole, readTokenFile } from './peer-folder.ts';
import { ownSeat, remoteSeat, type Seat } from './seat.ts';
import { SharedKeeper } from './shared-keeper.ts';
import { checkSocket, findSocket } from './socket-place.ts';
import { openStateFolder } from './state-folder.ts';

/** How long a process looks for an owner that answers, or for the state to become free, in milliseconds. */
const JOIN_MS = 15_000;
/** Pause between two looks, and what is added at random so that processes do not look in step. */
const LOOK_MS = 15;

export interface JoinOptions extends Omit<KeeperOptions, 'stayAlive' | 'socket'> {
  /** What this process may ask of an owner of the same user; default `gate`. */
  readonly role?: PeerRole;
  /** Where `SALLYPORT_KEEPER` may name another keeper; that of the process if absent. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * The keeper that the environment names: `SALLYPORT_KEEPER`, path of a socket, and `SALLYPORT_KEEPER_TOKEN_FILE`. Null: none.
 * @throws SallyportError PEER_REFUSED when only the socket is named
 */
function namedKeeper(environment: NodeJS.ProcessEnv): ConnectOptions | null {
  const socket = environment['SALLYPORT_KEEPER'];
  const tokenFile = environment['SALLYPORT_KEEPER_TOKEN_FILE'];
  if (socket === undefined || socket === '') return null;
  if (tokenFile !== undefined && tokenFile !== '') return { socket, tokenFile };
  throw new SallyportError('PEER_REFUSED', 'SALLYPORT_KEEPER names a socket: name SALLYPORT_KEEPER_TOKEN_FILE too');
}

/**
 * The keeper that `SALLYPORT_KEEPER` names; else that of a state folder, wherever it is: takes the folder, or connects to the process that has it; when that one
 * dies, one of the others takes over, and the rest connect to it.
 *
 * @throws SallyportError those of `openKeeper`, KEEPER_SOCKET, PEER_REFUSED; STATE_OWNED when the owner does not answer
 */
export async function joinKeeper(options: JoinOptions): Promise<Keeper> {
  const named = namedKeeper(options.environment ?? process.env);
  if (named !== null) return connectKeeper(named);
  const state = openStateFolder(options.state, options.reachable);
  const peers = new PeerFolder(state);
  let credential: PeerCredential | null = null;
  const made = new Set<string>();
  const connect = async (tell: (event: KeeperEvent) => void): Promise<Seat> => {
    const socket = findSocket(state);
    if (socket === null) throw new SallyportError('KEEPER_LOST', 'the process that owns the state does not listen yet');
    // A restart of the owner sweeps away what it takes for tokens of the dead; ours is made again.
    if (credential === null || peers.find(credential.name) === null)
      credential = ownCredential(peers, made, options.role);
    return remoteSeat({ socket, credential }, tell);
  };
  const takeSeat = async (tell: (event: KeeperEvent) => void): Promise<Seat> => {
    try {
      const keeper = await openKeeper(options);
      keeper.watch(tell);
      return ownSeat(keeper, credential?.name ?? null);
    } catch (error) {
      if (!isSallyportError(error, 'STATE_OWNED')) throw error;
      return connect(tell).catch((lost: unknown) => {
        throw isSallyportError(lost, 'KEEPER_LOST') ? error : lost;
      });
    }
  };
  return SharedKeeper.open({
    takeSeat: (tell) => untilSeated(() => takeSeat(tell)),
    left: () => {
      if (credential !== null && made.has(credential.name)) peers.revoke(credential.name);
    },
  });
}

/**
 * A token for this process. INVARIANT: on a full disk an operator can still stop what runs, with the token that the owner of the
 * state keeps for that; it is the owner's, and not ours to take away.
 */
function ownCredential(peers: PeerFolder, made: Set<string>, role: PeerRole = 'gate'): PeerCredential {
  try {
    const credential = peers.addOwn(role);
    made.add(credential.name);
    return credential;
  } catch (error) {
    const kept = role === 'operator' ? peers.findOperator() : null;
    if (kept === null) throw error;
    return kept;
  }
}

export interface ConnectOptions {
  /** Path of the socket of a keeper. */
  readonly socket: string;
  /** File that holds the token of this peer (0600). */
  readonly tokenFile: string;
}

/**
 * The keeper of another process, which may run under another user id: this process never takes the state over.
 * @throws SallyportError KEEPER_SOCKET, PEER_REFUSED, KEEPER_LOST (nobody answers)
 */
export async function connectKeeper({ socket, tokenFile }: ConnectOptions): Promise<Keeper> {
  const credential = readTokenFile(tokenFile);
  const path = checkSocket(socket);
  return SharedKeeper.open({
    takeSeat: (tell) => untilSeated(() => remoteSeat({ socket: path, credential }, tell)),
    left: () => undefined,
  });
}

/** Tries again while somebody else is taking the state, or has just let go of it. */
async function untilSeated(takeSeat: () => Promise<Seat>): Promise<Seat> {
  const deadline = performance.now() + JOIN_MS;
  for (;;) {
    try {
      return await takeSeat();
    } catch (error) {
      const mayPass = isSallyportError(error, 'STATE_OWNED') || isSallyportError(error, 'KEEPER_LOST');
      if (!mayPass || performance.now() > deadline) throw error;
    }
    await sleep(LOOK_MS + Math.random() * LOOK_MS);
  }
}
