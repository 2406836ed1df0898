/** Those who listen to something of a gate. What one of them throws reaches nobody else: it is thrown by itself, later. */
export interface Listeners<Told> {
  add(listener: (told: Told) => void): () => void;
  tell(told: Told): void;
}

export function openListeners<Told>(): Listeners<Told> {
  const entries = new Set<{ readonly listener: (told: Told) => void }>();
  return {
    add: (listener) => {
      const entry = { listener };
      entries.add(entry);
      return () => {
        entries.delete(entry);
      };
    },
    tell: (told) => {
      for (const { listener } of [...entries]) {
        try {
          listener(told);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
  };
}
