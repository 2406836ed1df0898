import type { Socket } from 'node:net';
import { isJsonObject, isSallyportError, type JsonValue, randomBytes, SallyportError } from '../core/index.ts';
import type { EmbeddedKeeper } from './embedded-keeper.ts';
import { encodeFrame, FrameReader, MAX_FRAME, MAX_HANDSHAKE_FRAME, MAX_QUESTION } from './frames.ts';
import { isNonce, isProof, newNonce, PROTOCOL, proofOf, type Transcript } from './handshake.ts';
import { MAX_PEER_BYTES, type PeerAccount, type PeerAccounts } from './peer-accounts.ts';
import type { PeerCredential, PeerFolder } from './peer-folder.ts';
import { type Answers, answersFor, type PeerHolder } from './peer-requests.ts';
import { readRequest } from './requests.ts';

/** How long a peer may take to prove who it is, and to send the whole of a frame that it has begun, in milliseconds. */
const HANDSHAKE_MS = 5_000;
const FRAME_MS = 30_000;
/** Questions that one connection may have without answer; what it sends beyond waits in its socket. */
const MAX_IN_FLIGHT = 256;
/** Bytes of answers that a peer may leave unread before it is cut off. */
const MAX_UNREAD = 4_194_304;
/** Bytes of half-received frames over all connections; who is over its share then is cut off. */
const MAX_BUFFERED = 268_435_456;
const SHARE = 1_048_576;

/** How fast long outcomes of one peer are read: 34 MiB make it rest for a second. */
const BYTES_PER_MS = 35_000;
/** How a question that is longer than `MAX_QUESTION` begins. */
const LONG_QUESTION = /^\{"id":([0-9]{1,15}),"name":"([A-Za-z]{1,20})"/;

/** What all connections of a keeper share. */
export interface ConnectionHouse {
  readonly keeper: EmbeddedKeeper;
  readonly peers: PeerFolder;
  readonly accounts: PeerAccounts;
  /** Bytes of frames that are not whole yet, over all connections. */
  buffered: number;
}

/** Where a connection is: first frame awaited, proof awaited, proven. */
type Stage =
  | { readonly kind: 'hello' }
  | {
      readonly kind: 'proof';
      readonly credential: PeerCredential | null;
      readonly mark: string | null;
      readonly transcript: Transcript;
    }
  | { readonly kind: 'open'; readonly holder: PeerHolder; readonly answers: Answers; readonly account: PeerAccount };

/** The keeper's end of one connection. Nothing that a peer does here makes another peer wait. */
export class PeerConnection {
  readonly #socket: Socket;
  readonly #house: ConnectionHouse;
  readonly #reader = new FrameReader(MAX_HANDSHAKE_FRAME);
  #stage: Stage = { kind: 'hello' };
  /** When it is cut: without a proof, or with half a frame. */
  #deadline: NodeJS.Timeout | null;
  #inFlight = 0;
  #counted = 0;
  #waits = false;
  #left = false;
  #refused = false;
  #unwatch: () => void = () => undefined;

  constructor(socket: Socket, house: ConnectionHouse) {
    this.#socket = socket;
    this.#house = house;
    this.#deadline = this.#cutAfter(HANDSHAKE_MS);
    socket.on('data', (chunk) => this.#onData(chunk));
    // A peer that breaks off is nothing to report: `close` follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onClose());
  }

  /** How far it is: 0 silent, 1 a name that does not exist, 2 one that does, 3 proven. */
  get standing(): number {
    if (this.#stage.kind === 'hello') return 0;
    if (this.#stage.kind === 'proof') return this.#stage.credential === null ? 1 : 2;
    return 3;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Reads on, if it waited for the answers of questions before. */
  wake(): void {
    if (this.#waits) this.#read();
  }

  #onData(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#reader.push(chunk);
    this.#read();
  }

  /** True once nothing more of what the peer sent is done, even where it has been received. */
  get #isOver(): boolean {
    return this.#refused || this.#socket.destroyed;
  }

  get #isFull(): boolean {
    if (this.#stage.kind !== 'open') return false;
    return this.#inFlight >= MAX_IN_FLIGHT || this.#stage.account.asked >= MAX_PEER_BYTES;
  }

  /** Takes frames until there is none, or as many are in flight as may be. */
  #read(): void {
    this.#waits = false;
    try {
      while (!this.#isOver && !this.#isFull) {
        this.#judgeLong(this.#reader.longHead());
        const frame = this.#reader.next();
        if (frame === undefined) break;
        this.#stopClock();
        this.#take(frame, this.#reader.taken);
      }
    } catch (error) {
      this.#refuse(error);
    }
    if (this.#isOver) return;
    this.#waits = this.#isFull;
    this.#countBuffered();
    if (this.#waits) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Of what is long only outcomes are read; any other question is answered by how it begins, and its rest thrown away. */
  #judgeLong(head: string | null): void {
    if (head === null) return;
    const [, id, name] = LONG_QUESTION.exec(head) ?? [];
    if (name === 'settle') return;
    const error = new SallyportError('INPUT_TOO_LARGE', `a question has at most ${MAX_QUESTION} bytes`);
    if (id === undefined) throw error;
    this.#reader.skip();
    this.#send({ id: Number(id), error: errorFrame(error) });
  }

  #countBuffered(): void {
    const more = this.#reader.bytes - this.#counted;
    this.#counted += more;
    this.#house.buffered += more;
    if (this.#stage.kind !== 'open') return;
    const { account } = this.#stage;
    account.buffered += more;
    const isOverdrawn = this.#house.buffered > MAX_BUFFERED || account.buffered > MAX_PEER_BYTES;
    if (isOverdrawn && this.#counted > SHARE) this.#socket.destroy();
    // A frame that waits for us, because too many are in flight, is not late; one that drips in is.
    if (this.#counted === 0 || this.#waits) this.#stopClock();
    else this.#deadline ??= this.#cutAfter(FRAME_MS);
  }

  #stopClock(): void {
    if (this.#stage.kind !== 'open' || this.#deadline === null) return;
    clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  #take(frame: JsonValue, bytes: number): void {
    if (this.#stage.kind === 'hello') this.#greet(frame);
    else if (this.#stage.kind === 'proof') this.#admitPeer(frame, this.#stage);
    else this.#answer(frame, bytes, this.#stage);
  }

  /** The keeper proves itself first: whoever it is, a peer shows its proof to nobody who does not hold the token. */
  #greet(frame: JsonValue): void {
    const { v, peer, nonce } = isJsonObject(frame) ? frame : {};
    if (v !== PROTOCOL) throw new SallyportError('PEER_REFUSED', `this keeper speaks version ${PROTOCOL}`);
    if (typeof peer !== 'string' || !isNonce(nonce)) throw new SallyportError('PEER_REFUSED', 'this is no greeting');
    // Before the token is read: one that takes its place just then has another mark.
    const mark = this.#house.peers.markOf(peer);
    const credential = this.#house.peers.find(peer);
    const transcript = { peer, peerNonce: nonce, keeperNonce: newNonce() };
    // A name that is not known is answered like one that is, so that nobody learns which there are.
    const token = credential?.token ?? randomBytes(32).toString('base64url');
    this.#send({ v: PROTOCOL, nonce: transcript.keeperNonce, proof: proofOf('keeper', token, transcript) });
    this.#stage = { kind: 'proof', credential, mark, transcript };
  }

  #admitPeer(frame: JsonValue, { credential, mark, transcript }: Stage & { kind: 'proof' }): void {
    const proof = isJsonObject(frame) ? frame['proof'] : undefined;
    if (credential === null || !isProof('peer', credential.token, transcript, proof)) {
      throw new SallyportError('PEER_REFUSED', 'the peer does not prove that it holds its token');
    }
    const { keeper, accounts } = this.#house;
    const account = accounts.enter(credential, mark, this);
    const holder: PeerHolder = Object.freeze({ peer: credential.name, role: credential.role });
    this.#reader.limit = MAX_FRAME;
    const answers = answersFor({ keeper, accounts, holder, leave: () => this.#leave() });
    this.#stage = { kind: 'open', holder, account, answers };
    this.#stopClock();
    this.#unwatch = keeper.watch((event) => this.#send({ event }));
    this.#send({ ready: true, state: keeper.state, verifier: keeper.verifier });
  }

  #answer(frame: JsonValue, bytes: number, { answers, account }: Stage & { kind: 'open' }): void {
    const { id, name, input } = readRequest(frame);
    this.#inFlight += 1;
    account.asked += bytes;
    if (bytes > MAX_QUESTION) this.#rest(account, bytes);
    answers[name](input)
      .then(
        (value) => this.#send({ id, value }),
        (error: unknown) => this.#send({ id, error: errorFrame(error) }),
      )
      .finally(() => {
        this.#inFlight -= 1;
        account.asked -= bytes;
        wakeAll(account);
      });
  }

  /** Whoever made the keeper read something long lets the others have their turn: none of its questions is taken for a while. */
  #rest(account: PeerAccount, bytes: number): void {
    account.asked += MAX_PEER_BYTES;
    const end = (): void => {
      account.asked -= MAX_PEER_BYTES;
      wakeAll(account);
    };
    setTimeout(end, bytes / BYTES_PER_MS).unref();
  }

  #send(value: unknown): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(encodeFrame(value));
    if (this.#socket.writableLength > MAX_UNREAD) this.#socket.destroy();
  }

  /** Says why, and cuts the connection. */
  #refuse(error: unknown): void {
    this.#refused = true;
    this.#deadline ??= this.#cutAfter(HANDSHAKE_MS);
    this.#socket.end(encodeFrame({ error: errorFrame(error) }));
    this.#socket.destroySoon();
  }

  #leave(): void {
    this.#left = true;
    if (this.#stage.kind === 'open') this.#house.keeper.release(this.#stage.holder, true);
  }

  #cutAfter(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#socket.destroy(), milliseconds).unref();
  }

  #onClose(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#unwatch();
    this.#house.buffered -= this.#counted;
    if (this.#stage.kind !== 'open') return;
    const { account, holder } = this.#stage;
    account.buffered -= this.#counted;
    this.#house.accounts.leave(account, this);
    this.#house.keeper.release(holder, this.#left);
  }
}

function wakeAll(account: PeerAccount): void {
  for (const member of account.members) member.wake();
}

/** An error as it crosses the socket: what is none of ours is a defect, whose message stays here. */
const errorFrame = (error: unknown): { code: string; message: string } =>
  isSallyportError(error)
    ? { code: error.code, message: error.message.slice(0, 2_000) }
    : { code: 'INTERNAL', message: 'the keeper failed' };
