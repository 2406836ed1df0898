/** State: what the keeper remembers besides its log. */
export { type MemoryStoreOptions, memoryStore } from './memory-store.ts';
export { openStore, type StoreOptions } from './sqlite-store.ts';
export {
  type Expiry,
  STORE_LIMITS,
  type Store,
  type StoreEntry,
  type StoreLimits,
  type StorePage,
  type StoreWrite,
} from './store.ts';
