import type { ServerHealth, Upstreams } from '../gateway/index.ts';
import { safeLines, type Terminal } from './output.ts';

/** How often one server is reported at most, in milliseconds. */
const REPORT_MS = 5_000;

/** Tells the operator, on standard error, when a server fails: why, how often in a row, and when it is tried again. */
export function reportFailures(terminal: Terminal, upstreams: Pick<Upstreams, 'onFailure'>): void {
  const reported = new Map<string, number>();
  upstreams.onFailure((server, health) => {
    const now = performance.now();
    if (now - (reported.get(server) ?? Number.NEGATIVE_INFINITY) < REPORT_MS) return;
    reported.set(server, now);
    terminal.err(safeLines(failureLine(server, health)));
  });
}

function failureLine(server: string, { lastFailure, consecutiveFailures, failures, retryInMs }: ServerHealth): string {
  const times = consecutiveFailures > 1 ? ` ${consecutiveFailures} times in a row` : '';
  const next = retryInMs === null ? 'with the next call' : `in ${(retryInMs / 1_000).toFixed(1)} s`;
  const code = lastFailure?.code ?? 'SERVER_UNAVAILABLE';
  return `sallyport: the server ${server} failed${times} (${code}, ${failures} in all); it is tried again ${next}`;
}
