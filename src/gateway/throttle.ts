/**
 * Calls `act` at most once within `everyMs`, however often it is asked to: at once for the first time, and once more at the
 * end for all that came in between.
 */
export function throttled(act: () => void, everyMs: number): () => void {
  let timer: NodeJS.Timeout | null = null;
  let again = false;
  const run = (): void => {
    if (timer !== null) {
      again = true;
      return;
    }
    timer = setTimeout(() => {
      timer = null;
      if (!again) return;
      again = false;
      run();
    }, everyMs).unref();
    act();
  };
  return run;
}
