import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { type OpenStoreUnderTest, storeContract } from './contract.ts';
import { memoryStore, openStore, type Store } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const openSqlite: OpenStoreUnderTest = async (clock) => {
  files += 1;
  const file = join(folder, `${files}.db`);
  let store: Store = await openStore({ file, clock });
  const reopen = async (): Promise<Store> => {
    await store.close();
    store = await openStore({ file, clock });
    return store;
  };
  return { store, reopen };
};

describe('memory', () => {
  test.each(storeContract)('$name', ({ run }) => run(async (clock) => ({ store: memoryStore({ clock }) })));
});

describe('SQLite', () => {
  test.each(storeContract)('$name', ({ run }) => run(openSqlite));
});
