import { type Clock, systemClock } from '../core/index.ts';
import { applyGroup, type Engine } from './engine.ts';
import { memoryTable } from './memory-table.ts';
import type { Store } from './store.ts';
import { storeOf } from './store-of.ts';
import { storeTime } from './store-time.ts';

export interface MemoryStoreOptions {
  readonly clock?: Clock;
  /** Bytes of keys and values, roughly; over it: STORE_FULL. Default 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * A store that ends with its process, for tests and for gates that are thrown away. Nonces and grants are forgotten with it:
 * whatever must hold once over a restart needs {@link openStore}.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const clock = options.clock ?? systemClock;
  return storeOf(memoryEngine(options.maxBytes ?? 67_108_864), () => clock.now());
}

function memoryEngine(maxBytes: number): Engine {
  const table = memoryTable(maxBytes);
  let seen = 0;
  return {
    async run(operations, now) {
      const time = storeTime(now, seen);
      seen = time.highest;
      return table.transaction(() => applyGroup(table, operations, time));
    },
    close: () => Promise.resolve(),
  };
}
