/** One load at a time; what is asked for while one runs is done once after it, for it may have come too late for that one. */
export function loadOneByOne(load: () => Promise<void>): { load(): Promise<void> } {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const start = (): Promise<void> => {
    running = load().finally(() => {
      running = null;
    });
    return running;
  };
  return {
    load: () => {
      if (running === null) return start();
      next ??= running.then(() => {
        next = null;
        return start();
      });
      return next;
    },
  };
}
