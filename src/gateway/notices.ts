import type { JsonObject } from '../core/index.ts';
import type { ClientLimits } from './client-limits.ts';

/** Passes messages about one running request on, at a pace and in a number that a flooding server cannot raise. */
export interface Notices {
  /** Passes one on, or drops it: a client that does not get it misses a hint, not an answer. */
  push(message: JsonObject): Promise<void>;
  /** Sends what is held; nothing goes out after it. */
  finish(): Promise<void>;
}

/** What a pace depends on: how to send, the limits, the request's own end, and milliseconds on a clock that never goes back. */
export interface NoticesOptions {
  readonly send: (message: JsonObject) => Promise<void>;
  readonly limits: ClientLimits;
  readonly signal: AbortSignal;
  /** Keep the newest message that came too fast, and send it when it may go. */
  readonly keepLast: boolean;
  readonly now?: () => number;
}

export function pacedNotices(options: NoticesOptions): Notices {
  const { send, limits, signal, keepLast, now = () => performance.now() } = options;
  const state = { sent: 0, bytes: 0, windowStart: 0, windowSent: 0, held: null as JsonObject | null, over: false };
  let timer: NodeJS.Timeout | undefined;
  // A cancelled request is silent (MCP 2025-11-25, cancellation): its id may belong to another one already.
  const isOver = (): boolean => state.over || signal.aborted;
  const pass = async (message: JsonObject): Promise<void> => {
    state.held = null;
    state.sent += 1;
    state.windowSent += 1;
    try {
      await send(message);
    } catch {
      state.over = true; // the client is gone, or does not read: nobody misses the rest
    }
  };
  const mayPass = (): boolean => {
    if (now() - state.windowStart >= 1_000) Object.assign(state, { windowStart: now(), windowSent: 0 });
    // The last place is for the message that is held at the end.
    return state.sent < limits.noticesPerRequest - 1 && state.windowSent < limits.noticesPerSecond;
  };
  const later = (): void => {
    timer = undefined;
    if (isOver() || state.held === null || !mayPass()) return;
    void pass(state.held);
  };
  return {
    push: async (message) => {
      const bytes = Buffer.byteLength(JSON.stringify(message));
      if (isOver() || bytes > limits.noticeBytes || state.bytes + bytes > limits.noticeBytesPerRequest) return;
      if (mayPass()) {
        state.bytes += bytes;
        return pass(message);
      }
      if (!keepLast) return;
      state.held = message;
      timer ??= setTimeout(later, 1_000).unref();
    },
    finish: async () => {
      clearTimeout(timer);
      const held = isOver() ? null : state.held;
      state.over = true;
      if (held !== null) await pass(held);
    },
  };
}
