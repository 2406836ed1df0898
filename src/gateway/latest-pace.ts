/** Passes the newest of many values on, one at a time and no faster than allowed. */
export interface LatestPace<T> {
  /** `value` takes the place of what still waits. */
  push(value: T): void;
  /** Resolves when the last value was passed on, which does not wait for its time; later ones are dropped. */
  finish(): Promise<void>;
}

/** At most `perSecond` values in a second, and the last one. `pass` must not reject; `now` is in milliseconds, and never goes back. */
export function latestPace<T>(
  pass: (value: T) => Promise<void>,
  perSecond: number,
  now: () => number = () => performance.now(),
): LatestPace<T> {
  const second = { start: now(), passed: 0 };
  let held: { readonly value: T } | null = null;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isOver = false;
  const mayPass = (): boolean => {
    if (now() - second.start >= 1_000) Object.assign(second, { start: now(), passed: 0 });
    return second.passed < perSecond;
  };
  const passHeld = async (): Promise<void> => {
    const next = held;
    held = null;
    second.passed += 1;
    if (next !== null) await pass(next.value);
  };
  const goOn = (): void => {
    if (isOver || held === null || running !== null || timer !== null) return;
    if (!mayPass()) {
      timer = setTimeout(
        () => {
          timer = null;
          goOn();
        },
        second.start + 1_000 - now(),
      ).unref();
      return;
    }
    running = passHeld().finally(() => {
      running = null;
      goOn();
    });
  };
  return {
    push: (value) => {
      if (isOver) return;
      held = { value };
      goOn();
    },
    finish: async () => {
      isOver = true;
      if (timer !== null) clearTimeout(timer);
      await running;
      await passHeld();
    },
  };
}
