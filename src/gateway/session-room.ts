import type { LegacyTransport } from './legacy-transport.ts';

/** How many 2025-era sessions may be open, and how long one may stay silent. */
export interface SessionLimits {
  readonly sessions: number;
  readonly sessionsPerCaller: number;
  readonly idleMs: number;
  /** Sessions that one caller may begin within a minute. */
  readonly begunPerMinute: number;
  /** Requests of one session that may wait for their answer at the same time. */
  readonly pendingPerSession: number;
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = Object.freeze({
  sessions: 256,
  sessionsPerCaller: 64,
  idleMs: 30 * 60_000,
  begunPerMinute: 240,
  pendingPerSession: 256,
});

/** A session as far as its place among the others goes. */
export interface RoomSession {
  readonly owner: string;
  readonly wire: Pick<LegacyTransport, 'pending' | 'stream'>;
  readonly lastUse: number;
}

/** The sessions of a front. */
export interface Room<S extends RoomSession> {
  readonly open: ReadonlyMap<string, S>;
  /** Owners of sessions that are being opened: they count, so that a burst cannot pass the limits. */
  readonly opening: readonly string[];
  /** When each owner began its sessions of the last minute. */
  readonly begun: Map<string, readonly number[]>;
}

export interface RoomOptions {
  readonly limits: SessionLimits;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** False when the caller begins sessions faster than its share: each may cost a record. */
export function isWithinRate({ limits, now }: RoomOptions, { begun }: Room<RoomSession>, owner: string): boolean {
  const recent = (begun.get(owner) ?? []).filter((at) => at > now() - 60_000);
  const isWithin = recent.length < limits.begunPerMinute;
  begun.set(owner, isWithin ? [...recent, now()] : recent);
  return isWithin;
}

/**
 * True when one more session may open. Ends sessions that were silent for too long, and the caller's own longest silent
 * one when it has its share: clients that crash leave sessions behind.
 */
export function makeRoom<S extends RoomSession>(
  { limits, now }: RoomOptions,
  sessions: Room<S>,
  owner: string,
  close: (session: S) => void,
): boolean {
  const deadline = now() - limits.idleMs;
  const silent = [...sessions.open.values()].filter(isSilent);
  for (const session of silent) if (session.lastUse < deadline) close(session);
  if (countOf(sessions, owner) >= limits.sessionsPerCaller) {
    const [oldest] = silent.filter((session) => session.owner === owner).sort((a, b) => a.lastUse - b.lastUse);
    if (oldest === undefined) return false;
    close(oldest);
  }
  const isWithinShare = countOf(sessions, owner) < limits.sessionsPerCaller;
  return isWithinShare && sessions.open.size + sessions.opening.length < limits.sessions;
}

/** A client that waits for an answer, or holds its stream open, is there. */
const isSilent = ({ wire }: RoomSession): boolean => wire.pending() === 0 && wire.stream() === null;

const countOf = (sessions: Room<RoomSession>, owner: string): number =>
  [...sessions.open.values()].filter((session) => session.owner === owner).length +
  sessions.opening.filter((other) => other === owner).length;
