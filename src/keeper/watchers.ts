import type { KeeperEvent } from './keeper.ts';

type Listener = (event: KeeperEvent) => void;

/** Those who watch a keeper. What one of them throws reaches nobody else: it is thrown by itself, later. */
export class Watchers {
  readonly #listeners = new Set<{ readonly tell: Listener }>();

  add(listener: Listener): () => void {
    const entry = { tell: listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  tell(event: KeeperEvent): void {
    for (const { tell } of [...this.#listeners]) {
      try {
        tell(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
