import type { Box } from './gvisor-box.ts';
import type { Ground } from './gvisor-sandbox.ts';
import { idleTimeOf, openWarm, type WarmSandbox } from './gvisor-warm.ts';

/** Warm sandboxes, at most one for each owner and profile. */
export interface WarmPool {
  /** A container in the owner's warm sandbox, and that sandbox. What the owner has for other profiles, and does not use, ends. */
  take(owner: string, digest: string): Promise<{ readonly box: Box; readonly sandbox: Box } | null>;
  /** A place for a warm sandbox that comes later; lost when the owner is released meanwhile. */
  reserve(owner: string, digest: string): Reservation;
  /** Opens one in the background, unless there is one, or its place was lost. Never rejects. */
  warmUp(reservation: Reservation, lay: () => Promise<Ground>): Promise<void>;
  /** Ends those of an owner; null: of all. */
  release(owner: string | null): Promise<void>;
  /** Ends all, and opens none any more. */
  close(): Promise<void>;
}

/** What a command that runs has a claim to, once it has ended. */
interface Reservation {
  readonly owner: string;
  readonly digest: string;
}

/** Warm sandboxes at once; each holds some tens of megabytes. */
const MOST_WARM = 8;

interface Entry {
  readonly owner: string;
  readonly digest: string;
  /** Null: it could not be opened. */
  readonly opening: Promise<WarmSandbox | null>;
  warm: WarmSandbox | null;
}

export function openWarmPool(): WarmPool {
  const entries = new Set<Entry>();
  const reserved = new Set<Reservation>();
  let isClosed = false;
  const find = (owner: string, digest: string): Entry | undefined =>
    [...entries].find((entry) => entry.owner === owner && entry.digest === digest);
  const end = async (entry: Entry): Promise<void> => {
    entries.delete(entry);
    await (await entry.opening)?.end();
  };
  const release = async (owner: string | null): Promise<void> => {
    for (const one of reserved) if (owner === null || one.owner === owner) reserved.delete(one);
    await Promise.all([...entries].filter((entry) => owner === null || entry.owner === owner).map(end));
  };
  const take: WarmPool['take'] = async (owner, digest) => {
    for (const entry of entries) {
      if (entry.owner === owner && entry.digest !== digest && entry.warm?.isBusy() !== true) void end(entry);
    }
    const warm = find(owner, digest)?.warm ?? null;
    const box = (await warm?.take()) ?? null;
    return warm === null || box === null ? null : { box, sandbox: warm.sandbox };
  };
  const reserve: WarmPool['reserve'] = (owner, digest) => {
    const reservation = Object.freeze({ owner, digest });
    reserved.add(reservation);
    return reservation;
  };
  const warmUp: WarmPool['warmUp'] = async (reservation, lay) => {
    const { owner, digest } = reservation;
    // INVARIANT: who was released gets no sandbox from a command that was still running then.
    if (!reserved.delete(reservation)) return;
    if (isClosed || find(owner, digest) !== undefined || !makeRoom(entries, end)) return;
    const entry: Entry = { owner, digest, warm: null, opening: open() };
    entries.add(entry);
    entry.warm = await entry.opening;
    if (entry.warm === null) entries.delete(entry);

    async function open(): Promise<WarmSandbox | null> {
      try {
        const ground = await lay();
        const idleMs = idleTimeOf(ground.profile);
        return await openWarm(ground, { owner, digest, idleMs, onEnd: () => entries.delete(entry) });
      } catch {
        // Nothing waits for it: the next command gets a cold sandbox, and says what is wrong if that fails, too.
        return null;
      }
    }
  };
  const close = async (): Promise<void> => {
    isClosed = true;
    await release(null);
  };
  return { take, reserve, warmUp, release, close };
}

/** Ends the warm sandbox that is there longest of those that are not in use. */
function makeRoom(entries: ReadonlySet<Entry>, end: (entry: Entry) => Promise<void>): boolean {
  if (entries.size < MOST_WARM) return true;
  const idle = [...entries].find(({ warm }) => warm?.isBusy() === false);
  if (idle !== undefined) void end(idle);
  return idle !== undefined;
}
