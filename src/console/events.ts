import type { ServerResponse } from 'node:http';
import { type JsonObject, SallyportError } from '../core/index.ts';
import type { Keeper, KeeperEvent } from '../keeper/index.ts';
import { SECURITY_HEADERS } from './http.ts';
import type { ConsoleLimits } from './limits.ts';
import { flagJson } from './stops.ts';

/** Streams of what happens (server-sent events): names and states, no texts of requests. */
export class EventStreams {
  readonly #open = new Set<ServerResponse>();
  readonly #keeper: Keeper;
  readonly #limits: ConsoleLimits;

  constructor(keeper: Keeper, limits: ConsoleLimits) {
    this.#keeper = keeper;
    this.#limits = limits;
  }

  /** Streams until either side ends it. @throws SallyportError CONSOLE_BUSY */
  serve(response: ServerResponse): void {
    if (this.#open.size >= this.#limits.streams) throw new SallyportError('CONSOLE_BUSY', 'too many streams are open');
    this.#open.add(response);
    response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    const send = (text: string): void => this.#send(response, text);
    const unwatch = this.#keeper.watch((event) => {
      const told = toldOf(event);
      if (told !== null) send(`data: ${JSON.stringify(told)}\n\n`);
    });
    const alive = setInterval(() => send(': alive\n\n'), this.#limits.keepAliveMs).unref();
    response.once('close', () => {
      clearInterval(alive);
      unwatch();
      this.#open.delete(response);
    });
    send('data: {"type":"open"}\n\n');
  }

  /** INVARIANT: who does not read is cut off, and looks at the list when it comes back. */
  #send(response: ServerResponse, text: string): void {
    if (response.destroyed) return;
    response.write(text);
    if (response.writableLength > this.#limits.streamBytes) response.destroy();
  }

  close(): void {
    for (const response of [...this.#open]) response.end();
  }
}

function toldOf(event: KeeperEvent): JsonObject | null {
  switch (event.type) {
    case 'approval':
      return { type: 'approval', id: event.id, state: event.state };
    case 'act':
      return { type: 'act', id: event.id };
    case 'stop':
    case 'resume':
      return { type: event.type, flag: flagJson(event.flag) };
    case 'lost':
    case 'reconnected':
      return { type: event.type };
    default:
      return null;
  }
}
