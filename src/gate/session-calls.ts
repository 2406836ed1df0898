/** The calls of a session that are on their way. */
export interface SessionCalls {
  /** Makes a call with a signal that aborts when the caller's does, or when the session ends. */
  run<T>(caller: AbortSignal | null, call: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Cancels them all. */
  end(): void;
}

/** State: one controller for each call, owned here. */
export function openSessionCalls(): SessionCalls {
  const controllers = new Set<AbortController>();
  return {
    run: async (caller, call) => {
      const controller = new AbortController();
      const cancel = (): void => controller.abort();
      controllers.add(controller);
      caller?.addEventListener('abort', cancel, { once: true });
      if (caller?.aborted) cancel();
      try {
        return await call(controller.signal);
      } finally {
        caller?.removeEventListener('abort', cancel);
        controllers.delete(controller);
      }
    },
    end: () => {
      for (const controller of controllers) controller.abort();
    },
  };
}
