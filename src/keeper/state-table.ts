import { isJsonObject, type JsonObject, SallyportError, sha256Hex } from '../core/index.ts';
import type { Store } from '../store/index.ts';

/** Entries of one page that is read at the start. */
const PAGE = 1_000;

/**
 * A small part of the store that is all in memory too: objects under the digest of their name, since a name may be longer than
 * a key of the store.
 */
export interface StateTable {
  /** What is there when the keeper opens, in no order. */
  all(): Promise<JsonObject[]>;
  /** Durable when it resolves. */
  put(name: string, value: JsonObject): Promise<void>;
  /** As `put`. */
  delete(name: string): Promise<void>;
}

/** @throws SallyportError STORE_CORRUPT from `all` for a value that is no object, and the codes of the store */
export const stateTable = (store: Store, space: string): StateTable => ({
  async all() {
    const values: JsonObject[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const page = await store.list(space, { limit: PAGE, ...(after === '' ? {} : { after }) });
      for (const { value } of page.entries) {
        if (!isJsonObject(value)) throw unreadable(space);
        values.push(value);
      }
      after = page.next;
    }
    return values;
  },
  put: (name, value) => store.put(space, sha256Hex(name), value),
  delete: async (name) => {
    await store.delete(space, sha256Hex(name));
  },
});

/** The error for a value of the keeper's own that cannot be read. */
export const unreadable = (space: string): SallyportError =>
  new SallyportError('STORE_CORRUPT', `the store holds an entry of ${space} that cannot be read`);
