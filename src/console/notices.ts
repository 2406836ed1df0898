import { setTimeout as sleep } from 'node:timers/promises';
import { isLoopback, isSallyportError, newId, SallyportError } from '../core/index.ts';
import { type Keeper, noticeSignature } from '../keeper/index.ts';
import { noticeOf } from './notice.ts';

export interface NoticesOptions {
  /** A connection of an operator. */
  readonly keeper: Keeper;
  /** Where to: https, or http on this machine. */
  readonly url: string;
  /** 32 bytes or more, base64url; signs what is sent. Another one than the secret that signs answers. */
  readonly secret: string;
  /** Where the console listens; null: it does not. */
  readonly console: string | null;
  /** Is told what could not be delivered. */
  readonly onProblem: (line: string) => void;
  /** Pauses between the attempts, in milliseconds. */
  readonly pausesMs?: readonly number[];
}

/** What tells a system of the operator that calls wait. */
export interface Notices {
  close(): Promise<void>;
}

/** Pauses before the second attempt and those after it; after the last one the notice is given up. */
const PAUSES_MS: readonly number[] = [1_000, 5_000, 25_000];
/** How long the other side has, in milliseconds; notices that are under way at once, and that wait for it. */
const ATTEMPT_MS = 10_000;
const AT_ONCE = 4;
const MAX_QUEUE = 1_000;
/** Requests that were told already; the oldest are forgotten. */
const MAX_TOLD = 4_096;

/** Sends a signed notice for everything that waits, now and from now on. @throws SallyportError NOTICE_INVALID */
export function openNotices(options: NoticesOptions): Notices {
  checkTarget(options.url);
  if (!/^[A-Za-z0-9_-]{43,512}$/.test(options.secret)) {
    throw new SallyportError('NOTICE_INVALID', 'the secret of notices is 32 bytes or more, as base64url');
  }
  return new Sender(options);
}

function checkTarget(url: string): void {
  const read = URL.canParse(url) ? new URL(url) : null;
  const isSafe = read !== null && read.username === '' && read.password === '';
  const host = read?.hostname.replace(/^\[|\]$/g, '') ?? '';
  if (isSafe && (read.protocol === 'https:' || (read.protocol === 'http:' && isLoopback(host)))) return;
  throw new SallyportError('NOTICE_INVALID', 'notices go to an https address, or to an http one on this machine');
}

class Sender implements Notices {
  readonly #options: NoticesOptions;
  readonly #ended = new AbortController();
  readonly #told = new Set<string>();
  readonly #queue: string[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #unwatch: () => void;

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#unwatch = options.keeper.watch((event) => {
      if (event.type === 'approval' && event.state === 'waiting') this.#add(event.id);
      // What came while there was no keeper to tell it.
      if (event.type === 'reconnected') this.#addAll();
    });
    this.#addAll();
  }

  async close(): Promise<void> {
    this.#unwatch();
    this.#ended.abort();
    await Promise.all(this.#running);
  }

  #addAll(): void {
    this.#options.keeper.approvals().then(
      (waiting) => {
        for (const { id } of waiting) this.#add(id);
      },
      (error: unknown) => this.#options.onProblem(`what waits cannot be looked up: ${String(error)}`),
    );
  }

  #add(id: string): void {
    if (this.#told.has(id) || this.#ended.signal.aborted || this.#queue.length >= MAX_QUEUE) return;
    this.#told.add(id);
    const [oldest] = this.#told;
    if (this.#told.size > MAX_TOLD && oldest !== undefined) this.#told.delete(oldest);
    this.#queue.push(id);
    this.#next();
  }

  #next(): void {
    if (this.#running.size >= AT_ONCE) return;
    const id = this.#queue.shift();
    if (id === undefined) return;
    const running = this.#deliver(id)
      .catch((error: unknown) => this.#options.onProblem(`the notice of ${id} was not delivered: ${String(error)}`))
      .finally(() => {
        this.#running.delete(running);
        this.#next();
      });
    this.#running.add(running);
  }

  async #deliver(id: string): Promise<void> {
    const { pausesMs = PAUSES_MS, onProblem } = this.#options;
    for (const pause of [0, ...pausesMs]) {
      await sleep(pause, null, { signal: this.#ended.signal }).catch(() => undefined);
      if (this.#ended.signal.aborted) return;
      const body = await this.#body(id);
      if (body === null) return;
      const trouble = await this.#attempt(body);
      if (trouble === null) return;
      onProblem(`the notice of ${id} was not taken: ${trouble}`);
    }
  }

  /** Null once nobody waits any more. */
  async #body(id: string): Promise<string | null> {
    try {
      return JSON.stringify(noticeOf(await this.#options.keeper.approval(id), this.#options.console));
    } catch (error) {
      if (isSallyportError(error, 'APPROVAL_UNKNOWN')) return null;
      throw error;
    }
  }

  /** Null: taken. Nothing of what the other side says is read, and it sends us nowhere else. */
  async #attempt(body: string): Promise<string | null> {
    const { url, secret } = this.#options;
    const [timestamp, nonce] = [Date.now(), newId('notice')];
    try {
      const response = await fetch(url, {
        ...{ method: 'POST', body, redirect: 'manual' },
        signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(ATTEMPT_MS)]),
        headers: {
          'content-type': 'application/json',
          'x-sallyport-time': String(timestamp),
          'x-sallyport-nonce': nonce,
          'x-sallyport-signature': noticeSignature(secret, { timestamp, nonce, body }),
        },
      });
      await response.body?.cancel();
      return response.ok ? null : `HTTP ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
