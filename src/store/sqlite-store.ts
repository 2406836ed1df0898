import { resolve } from 'node:path';
import { type Clock, systemClock } from '../core/index.ts';
import type { Store } from './store.ts';
import { prepareFile } from './store-file.ts';
import { storeOf } from './store-of.ts';
import { startThread } from './store-thread.ts';

export interface StoreOptions {
  /** The database file, in a folder that only this user can enter; made if it is missing. */
  readonly file: string;
  readonly clock?: Clock;
  /** Bytes of the file; over it: STORE_FULL. Default 1 GiB. */
  readonly maxBytes?: number;
}

/**
 * The embedded store: SQLite in a thread of its own, one transaction for what is asked at a time, durable before it answers.
 * The file has one opener; it is the keeper of its state folder.
 *
 * @throws SallyportError STORE_OWNED, STORE_CORRUPT, STORE_VERSION, STORE_FULL, STORE_FAILED; nothing is deleted
 * @example
 * const store = await openStore({ file: join(state, 'state.db') });
 * await store.claim('nonce', 'issuer/4f1c', expiresAt); // true, and never again
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const clock = options.clock ?? systemClock;
  const file = resolve(options.file);
  prepareFile(file);
  const engine = await startThread({ file, maxBytes: options.maxBytes ?? 1_073_741_824 });
  return storeOf(engine, () => clock.now());
}
