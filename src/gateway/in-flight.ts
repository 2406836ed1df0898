import type { ServerResponse } from 'node:http';

/** The responses that are not written yet. */
export interface InFlight {
  add(response: ServerResponse): void;
  /** Resolves once there are none. */
  ended(): Promise<void>;
}

const MAX_LISTENERS = 24;

export function inFlight(): InFlight {
  const running = new Set<ServerResponse>();
  let onEnded: () => void = () => undefined;
  return {
    add: (response) => {
      running.add(response);
      // Each part that serves a stream waits for its end, and the pipe to it does so several times.
      response.setMaxListeners(MAX_LISTENERS);
      response.once('close', () => {
        running.delete(response);
        if (running.size === 0) onEnded();
      });
    },
    ended: () =>
      new Promise((resolve) => {
        onEnded = resolve;
        if (running.size === 0) resolve();
      }),
  };
}
