import type { ApprovedServer, UpstreamEvent } from './approved-server.ts';
import type { UseServer } from './server-caller.ts';
import { backoffMs } from './upstream-backoff.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Takes up again what was watched on a connection that broke. */
export interface Rewatch {
  /** Tries, with growing delays, until the resources are watched again or `stop` is called for their server or holder. */
  begin(server: ApprovedServer, holder: string, uris: ReadonlySet<string>): void;
  /** Gives up those that `which` names. */
  stop(which: (server: string, holder: string) => boolean): void;
}

/** Attempts for one broken connection. */
const MAX_ATTEMPTS = 20;

/** `tell` is called for each resource that is watched again: nobody knows what happened to it meanwhile. */
export function rewatching(use: UseServer, tell: (event: UpstreamEvent) => void): Rewatch {
  const timers = new Map<
    string,
    { readonly server: string; readonly holder: string; readonly timer: NodeJS.Timeout }
  >();
  const attempt = (server: ApprovedServer, holder: string, uris: ReadonlySet<string>, failures: number): void => {
    const key = JSON.stringify([server.rule.name, holder]);
    clearTimeout(timers.get(key)?.timer);
    timers.delete(key);
    if (failures > MAX_ATTEMPTS) return;
    const again = async (connection: UpstreamConnection): Promise<void> => {
      // Who watches by now has said what it wants.
      if (connection.watched().size > 0) return;
      await connection.watch(uris);
      for (const uri of uris) {
        tell({ server: server.rule.name, holder, method: 'notifications/resources/updated', params: { uri } });
      }
    };
    const act = (): void => {
      timers.delete(key);
      use(server, holder, again).catch(() => attempt(server, holder, uris, failures + 1));
    };
    timers.set(key, { server: server.rule.name, holder, timer: setTimeout(act, backoffMs(failures)).unref() });
  };
  return {
    begin: (server, holder, uris) => attempt(server, holder, uris, 1),
    stop: (which) => {
      for (const [key, { server, holder, timer }] of timers) {
        if (!which(server, holder)) continue;
        clearTimeout(timer);
        timers.delete(key);
      }
    },
  };
}
