/** Passes the newest of each kind on, the less often the longer a kind keeps coming. */
export interface EventPace<T> {
  /** Something of a kind happened: `value` takes the place of what of this kind still waits. */
  push(key: string, value: T): void;
  /** Nothing is passed on any more. */
  end(): void;
}

/** Milliseconds. */
export interface EventPaceOptions {
  /** Between the first two of a kind. */
  readonly firstMs: number;
  /** Between two of a kind that keeps coming: the time doubles with each, up to this, until there was none for so long. */
  readonly longestMs: number;
}

interface Kind<T> {
  readonly waitMs: number;
  state: 'waiting' | 'quiet';
  held: { readonly value: T } | null;
  timer: NodeJS.Timeout;
}

/** Passes the first of a kind at once. Holds one value for each kind: whoever names the kinds bounds their number. */
export function eventPace<T>(pass: (value: T) => void, { firstMs, longestMs }: EventPaceOptions): EventPace<T> {
  const kinds = new Map<string, Kind<T>>();
  const begin = (key: string, value: T, waitMs: number): void => {
    const timer = setTimeout(() => waited(key), waitMs).unref();
    kinds.set(key, { waitMs, state: 'waiting', held: null, timer });
    pass(value);
  };
  const next = ({ waitMs }: Kind<T>): number => Math.min(waitMs * 2, longestMs);
  const waited = (key: string): void => {
    const kind = kinds.get(key);
    if (kind === undefined) return;
    if (kind.held !== null) {
      begin(key, kind.held.value, next(kind));
      return;
    }
    kind.state = 'quiet';
    kind.timer = setTimeout(() => void kinds.delete(key), longestMs).unref();
  };
  return {
    push: (key, value) => {
      const kind = kinds.get(key);
      if (kind?.state === 'waiting') {
        kind.held = { value };
        return;
      }
      clearTimeout(kind?.timer);
      begin(key, value, kind === undefined ? firstMs : next(kind));
    },
    end: () => {
      for (const { timer } of kinds.values()) clearTimeout(timer);
      kinds.clear();
    },
  };
}
