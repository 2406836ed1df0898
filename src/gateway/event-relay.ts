import type { SessionEvent } from './exchange.ts';

/** Where the events of a session go: one client over one channel. */
export interface EventSink {
  /** True for an event that this client asked for. */
  wants(event: SessionEvent): boolean;
  /** `busy`: the client does not read at present. `absent`: it has no channel open. Nothing is queued for either. */
  state(): 'ready' | 'busy' | 'absent';
  deliver(event: SessionEvent): void;
}

/** Hands events on until it is ended. */
export interface EventRelay {
  /** Hands on what waited while the client had no channel. */
  flush(): void;
  end(): void;
}

/**
 * Relays the events of a session, at most one of a kind and of a URI within `everyMs`. What cannot be delivered yet waits
 * as a set, so that it never grows beyond the kinds and the URIs that the client asked for; log messages do not wait.
 */
export function relayEvents(
  listen: (listener: (event: SessionEvent) => void) => () => void,
  sink: EventSink,
  everyMs: number,
): EventRelay {
  const waiting = new Map<string, SessionEvent>();
  let timer: NodeJS.Timeout | null = null;
  let ended = false;
  const flush = (): void => {
    if (ended || timer !== null || waiting.size === 0) return;
    const state = sink.state();
    if (state === 'absent') return;
    const events = state === 'ready' ? [...waiting.values()] : [];
    if (state === 'ready') waiting.clear();
    timer = setTimeout(() => {
      timer = null;
      flush();
    }, everyMs).unref();
    for (const event of events) if (sink.wants(event)) sink.deliver(event);
  };
  const stop = listen((event) => {
    if (ended || !sink.wants(event)) return;
    if (event.kind !== 'log') {
      waiting.set(event.kind === 'updated' ? `updated:${event.uri}` : event.kind, event);
      flush();
    } else if (sink.state() === 'ready') sink.deliver(event);
  });
  return {
    flush,
    end: () => {
      ended = true;
      waiting.clear();
      if (timer !== null) clearTimeout(timer);
      stop();
    },
  };
}
