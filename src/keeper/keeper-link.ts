import { createConnection, type Socket } from 'node:net';
import { isJsonObject, type JsonValue, parseStrictJson, SallyportError } from '../core/index.ts';
import { readError } from './answers.ts';
import { encodeFrame, FrameReader, MAX_DEPTH, MAX_FRAME, MAX_HANDSHAKE_FRAME } from './frames.ts';
import { isNonce, isProof, newNonce, PROTOCOL, proofOf } from './handshake.ts';
import type { PeerCredential } from './peer-folder.ts';
import type { RequestName } from './requests.ts';

/** How long a keeper may take to prove itself, and to answer, in milliseconds. */
const HANDSHAKE_MS = 5_000;
const ANSWER_MS = 30_000;
/** Questions without answer; more are refused here. */
const MAX_WAITING = 8_192;

interface Waiting {
  resolve(value: JsonValue): void;
  reject(error: unknown): void;
  readonly since: number;
}

export interface LinkOptions {
  readonly socket: string;
  readonly credential: PeerCredential;
  readonly onEvent: (event: JsonValue) => void;
}

/** Looks like something that strict JSON refuses: a lone surrogate, `__proto__`, a number that doubles cannot hold. */
const SUSPICIOUS = /\\ud[89a-f]|"__proto__"|[0-9]{16}|[0-9][eE]\+?[0-9]/;

/**
 * A question as a frame. INVARIANT: what the keeper would not read is refused here, to the one call that said it, since a
 * frame that cannot be read costs the connection. ATTACKER-CONTROLLED: arguments, and what tools said.
 * @throws SallyportError AUDIT_ENTRY_TOO_LARGE, and the INPUT_ codes of parseStrictJson
 */
function encodeChecked(question: object): Buffer {
  const frame = encodeFrame(question);
  if (frame.length > MAX_FRAME)
    throw new SallyportError('AUDIT_ENTRY_TOO_LARGE', 'the records of a call are too large');
  const text = frame.toString('utf8', 4);
  if (SUSPICIOUS.test(text)) parseStrictJson(text, { maxBytes: MAX_FRAME, maxDepth: MAX_DEPTH });
  return frame;
}

/** The peer's end of one connection to a keeper that has proven itself. Lives until either side ends it. */
export class KeeperLink {
  readonly #socket: Socket;
  readonly #reader = new FrameReader(MAX_HANDSHAKE_FRAME);
  readonly #waiting = new Map<number, Waiting>();
  readonly #onEvent: (event: JsonValue) => void;
  readonly #watchdog: NodeJS.Timeout;
  #nextId = 0;
  #onFrame: (frame: JsonValue) => void = () => undefined;
  #error = new SallyportError('KEEPER_LOST', 'the process that owns the state went away');
  #isLost = false;
  #resolveLost: () => void = () => undefined;
  /** Resolves when the connection is gone. */
  readonly lost: Promise<void>;
  /** Of the keeper: real path of its state folder, and public key of its log. */
  state = '';
  verifier = '';

  private constructor({ socket, onEvent }: LinkOptions) {
    this.#onEvent = onEvent;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    this.#socket = createConnection({ path: socket });
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', (cause) => this.#lose('cannot reach the process that owns the state', cause));
    this.#socket.on('close', () => this.#lose('the process that owns the state went away', null));
    this.#watchdog = setInterval(() => this.#cutIfSilent(), ANSWER_MS / 10).unref();
  }

  /**
   * Connects, and proves both sides to each other.
   * @throws SallyportError KEEPER_LOST (nobody answers), PEER_REFUSED (either side does not hold the token)
   */
  static async open(options: LinkOptions): Promise<KeeperLink> {
    const link = new KeeperLink(options);
    const late = setTimeout(() => link.#lose('the keeper did not prove itself in time', null), HANDSHAKE_MS);
    try {
      await link.#shakeHands(options.credential);
      return link;
    } catch (error) {
      link.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  /** Asks a question. @throws SallyportError KEEPER_LOST, KEEPER_BUSY, and what the keeper answers */
  request(name: RequestName, input: object): Promise<JsonValue> {
    if (this.#isLost) return Promise.reject(this.#error);
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new SallyportError('KEEPER_BUSY', 'too many questions wait for the keeper'));
    }
    const id = this.#nextId++;
    let frame: Buffer;
    try {
      frame = encodeChecked({ id, name, input });
    } catch (error) {
      return Promise.reject(error);
    }
    const answer = new Promise<JsonValue>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, since: performance.now() });
    });
    // Only while somebody waits does the connection keep the process alive.
    if (this.#waiting.size === 1) this.#socket.ref();
    this.#socket.write(frame);
    return answer;
  }

  close(): void {
    this.#lose('the connection was closed', null);
  }

  async #shakeHands({ name: peer, token }: PeerCredential): Promise<void> {
    const peerNonce = newNonce();
    const greeting = await this.#exchange({ v: PROTOCOL, peer, nonce: peerNonce });
    const { v, nonce, proof } = greeting;
    if (v !== PROTOCOL || !isNonce(nonce)) throw new SallyportError('PEER_REFUSED', 'the socket is no keeper of ours');
    const transcript = { peer, peerNonce, keeperNonce: nonce };
    // INVARIANT: nothing that is made with the token leaves before the other side has proven that it holds it too.
    if (!isProof('keeper', token, transcript, proof)) {
      throw new SallyportError('PEER_REFUSED', `the keeper does not prove that it knows the token of ${peer}`);
    }
    const ready = await this.#exchange({ proof: proofOf('peer', token, transcript) });
    if (ready['ready'] !== true || typeof ready['state'] !== 'string' || typeof ready['verifier'] !== 'string') {
      throw new SallyportError('PEER_REFUSED', 'the keeper did not let us in');
    }
    this.state = ready['state'];
    this.verifier = ready['verifier'];
    this.#reader.limit = MAX_FRAME;
    this.#onFrame = (frame) => this.#take(frame);
    this.#socket.unref();
    this.#readFrames();
  }

  #exchange(frame: object): Promise<{ readonly [key: string]: JsonValue }> {
    return new Promise((resolve, reject) => {
      if (this.#isLost) return reject(this.#error);
      this.#waiting.set(-1, { resolve: () => undefined, reject, since: performance.now() });
      this.#onFrame = (answer) => {
        this.#waiting.delete(-1);
        this.#onFrame = () => undefined;
        if (!isJsonObject(answer)) reject(new SallyportError('PEER_REFUSED', 'the socket is no keeper of ours'));
        else if (answer['error'] !== undefined) reject(readError(answer['error']));
        else resolve(answer);
      };
      this.#socket.write(encodeFrame(frame));
    });
  }

  #onData(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.#readFrames();
  }

  #readFrames(): void {
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) this.#onFrame(frame);
    } catch (cause) {
      this.#lose('the keeper sent what cannot be read', cause);
    }
  }

  #take(frame: JsonValue): void {
    const { id, value, error, event } = isJsonObject(frame) ? frame : {};
    if (event !== undefined) this.#onEvent(event);
    else if (typeof id !== 'number') this.#lose('the keeper broke off', readError(error));
    else this.#settle(id, value ?? null, error);
  }

  #settle(id: number, value: JsonValue, error: JsonValue | undefined): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#socket.unref();
    if (error !== undefined) waiting?.reject(readError(error));
    else waiting?.resolve(value);
  }

  /** A keeper that hangs is as good as gone; what it still does with our questions shows when we are back. */
  #cutIfSilent(): void {
    for (const { since } of this.#waiting.values()) {
      if (performance.now() - since > ANSWER_MS) this.#lose('the keeper did not answer in time', null);
      return;
    }
  }

  #lose(why: string, cause: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#error = new SallyportError('KEEPER_LOST', why, { cause });
    clearInterval(this.#watchdog);
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) reject(this.#error);
    this.#waiting.clear();
    this.#resolveLost();
  }
}
