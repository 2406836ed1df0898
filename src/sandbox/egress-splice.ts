import type { Socket } from 'node:net';

/**
 * Joins two sockets until both directions have ended; half-closed is not closed. Resolves with null, or with why it ended
 * before: a code.
 */
export function splice(
  client: Socket,
  endpoint: Socket,
  { idleMs, signal }: { readonly idleMs: number; readonly signal: AbortSignal },
): Promise<string | null> {
  return new Promise((resolve) => {
    let open = 2;
    const end = (error: string | null): void => {
      signal.removeEventListener('abort', stop);
      client.destroy();
      endpoint.destroy();
      resolve(error);
    };
    const stop = (): void => end('EGRESS_ABANDONED');
    const flowed = (from: Socket, to: Socket, broken: string): void => {
      let isOver = false;
      const finish = (): void => {
        if (isOver) return;
        isOver = true;
        to.end(() => --open === 0 && end(null));
      };
      from.once('end', finish).once('close', () => !isOver && end(broken));
      from.setTimeout(idleMs, () => quiet());
      if (from.destroyed) end(broken);
      else if (from.readableEnded) finish();
      else from.pipe(to, { end: false });
    };
    // One direction may rest for as long as the other flows.
    let seen = 0;
    const quiet = (): void => {
      const now = client.bytesRead + endpoint.bytesRead;
      if (now === seen) end('EGRESS_TIMEOUT');
      seen = now;
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    flowed(client, endpoint, 'EGRESS_ABANDONED');
    flowed(endpoint, client, 'ENDPOINT_UNREACHABLE');
  });
}
