import { isSallyportError, SallyportError } from '../core/index.ts';
import type { KeeperEvent } from '../keeper/index.ts';
import { buildHouse, type Fixtures, type House } from './house.ts';
import { loadOneByOne } from './load-one-by-one.ts';
import { noticeOf, noticeOfPair } from './policy-notice.ts';
import { digestOfPair, type PolicyPair } from './policy-pair.ts';
import { type PolicyStatus, statusOf } from './policy-status.ts';
import { type FileWatch, watchFiles } from './policy-watch.ts';

/** Where the policy of a gate comes from, and what the keeper knows it by. */
export interface PolicySource {
  readonly scope: string;
  /** `null`: an object. */
  readonly policyFile: string | null;
  /** The files that are watched: the policy and, where they can be seen, its approvals; `null`: nothing is watched. */
  readonly watched: (() => readonly string[]) | null;
  /** What the file widens waits until it is approved. */
  readonly needsApproval: boolean;
  /** The approvals cannot be watched: while a change waits, the keeper is asked once a second. */
  readonly asks: boolean;
  readonly development: boolean;
  /** @throws SallyportError */
  read(): Promise<PolicyPair>;
}

/** The policy of a gate, as it changes. State: the house that is in force, owned here. */
export interface PolicyInForce {
  house(): House;
  /**
   * Loads whatever changed before this was called. `stale`: a house whose epoch the keeper refused. What cannot be loaded leaves
   * the house as it is.
   */
  renewed(stale: House): Promise<House>;
  status(): PolicyStatus;
  close(): void;
}

/** A house knows the policy that comes after it, so what it is built from comes first. */
export type FixturesOf = (room: Pick<PolicyInForce, 'house' | 'renewed'>) => Fixtures;

interface Room {
  readonly source: PolicySource;
  readonly fixtures: Fixtures;
  /** Told after a house took another's place, and when a trouble came or went. */
  readonly changed: () => void;
  house: House;
  /** Digest of the pair in force. */
  digest: string;
  /** The newest epoch that the keeper told of for this scope, and the digest behind it. */
  seen: { readonly epoch: number; readonly digest: string };
  trouble: PolicyStatus['trouble'];
  pushedAt: number;
  /** The keeper did not take the policy that was read: it is asked again. */
  owed: boolean;
  /** The gate is closed: what a load that was under way finds out concerns nobody. */
  closed: boolean;
}

/**
 * Puts the policy of a source in force, and each that comes after it.
 * @throws SallyportError what reading the first policy throws, and what the keeper does
 */
export async function openPolicy(
  source: PolicySource,
  fixturesOf: FixturesOf,
  changed: () => void,
): Promise<PolicyInForce> {
  let room: Room | null = null;
  const opened = (): Room => {
    if (room === null) throw new TypeError('the policy is not open yet');
    return room;
  };
  const loader = loadOneByOne(() => load(opened()));
  const renewed = async (stale: House): Promise<House> => {
    await loader.load();
    if (opened().house !== stale) return opened().house;
    // Nothing changed here, and still the keeper does not know the epoch: it forgot it, or another gate holds another policy.
    opened().seen = UNKNOWN;
    await loader.load();
    return opened().house;
  };
  const fixtures = fixturesOf({ house: () => opened().house, renewed });
  // Before the first reading: what changes during it is seen, and loaded once there is something that it can change.
  let isEarly = false;
  const reload = (): void => {
    if (room === null) isEarly = true;
    else void loader.load();
  };
  const watching = startWatching(source, reload, () => {
    if (room !== null && isToBeAsked(room)) reload();
  });
  const early: KeeperEvent[] = [];
  const unwatch = fixtures.keeper.watch((event) => {
    if (room === null) early.push(event);
    else if (takeEvent(room, event)) reload();
  });
  const close = (): void => {
    watching?.close();
    unwatch();
    if (room !== null) room.closed = true;
  };
  try {
    room = await openRoom(source, fixtures, changed);
    for (const event of early) if (takeEvent(room, event)) isEarly = true;
    if (isEarly) reload();
  } catch (error) {
    close();
    throw error;
  }
  const { policyFile: file, development } = source;
  return {
    house: () => opened().house,
    renewed,
    status: () => statusOf(opened().house, { file, development, trouble: opened().trouble }),
    close,
  };
}

async function openRoom(source: PolicySource, fixtures: Fixtures, changed: () => void): Promise<Room> {
  const pair = await source.read();
  buildHouse(fixtures, pair, { epoch: 0, before: null }); // what cannot be built is not told to the keeper
  const epoch = await fixtures.keeper.policyLoaded(noticeOfPair(source, pair));
  const house = buildHouse(fixtures, pair, { epoch, before: null });
  const digest = digestOfPair(pair);
  return {
    source,
    fixtures,
    changed,
    house,
    digest,
    seen: { epoch, digest },
    trouble: null,
    pushedAt: 0,
    owed: false,
    closed: false,
  };
}

function startWatching({ watched }: PolicySource, changed: () => void, poll: () => void): FileWatch | null {
  return watched === null ? null : watchFiles(watched, changed, poll);
}

/** What no file shows: the keeper has to be told, or may answer otherwise than before. */
function isToBeAsked(room: Room): boolean {
  const { source, house, trouble } = room;
  if (isBehind(room) || room.owed || isOfKeeper(trouble)) return true;
  return source.asks && (house.approved !== null || trouble !== null);
}

/** The keeper did not answer, or not in time. */
const isOfKeeper = (trouble: PolicyStatus['trouble']): boolean => trouble?.code.startsWith('KEEPER_') === true;

/** Takes what the keeper tells; true when something is to be loaded. */
function takeEvent(room: Room, event: KeeperEvent): boolean {
  if (event.type === 'reconnected') {
    room.seen = UNKNOWN;
    return true;
  }
  if (event.type !== 'policy' || event.scope !== room.source.scope) return false;
  room.seen = { epoch: event.epoch, digest: event.digest };
  return isBehind(room);
}

/** What the keeper holds is to be found out by telling it what is here. */
const UNKNOWN: Room['seen'] = Object.freeze({ epoch: Number.POSITIVE_INFINITY, digest: '' });

const isBehind = ({ seen, house }: Room): boolean => seen.epoch > house.epoch;

/** Two gates that read the same file in two ways would take turns for ever: each speaks up once in this time. */
const PUSH_MS = 1_000;

async function load(room: Room): Promise<void> {
  const { source, fixtures } = room;
  room.owed = false;
  try {
    const pair = await source.read();
    const digest = digestOfPair(pair);
    if (digest === room.digest && !isBehind(room)) return mended(room);
    if (digest === room.digest && room.seen.digest !== digest && !mayPush(room)) return;
    buildHouse(fixtures, pair, { epoch: 0, before: room.house });
    room.owed = true;
    const epoch = await fixtures.keeper.policyLoaded(noticeOfPair(source, pair));
    if (room.closed) return;
    swap(room, pair, { epoch, digest });
  } catch (error) {
    if (room.closed) return;
    await keepTheOldOne(room, isSallyportError(error) ? error : asInternal(error));
  }
}

/** A defect of ours, or of the disk, that nobody foresaw: the policy in force stays, and it is said. */
const asInternal = (cause: unknown): SallyportError =>
  new SallyportError('INTERNAL', `the policy cannot be read: ${String(cause)}`, { cause });

function mayPush(room: Room): boolean {
  const now = performance.now();
  if (now - room.pushedAt < PUSH_MS) return false;
  room.pushedAt = now;
  return true;
}

/** Nothing is awaited here: calls see the policy before or the one after. */
function swap(room: Room, pair: PolicyPair, { epoch, digest }: { epoch: number; digest: string }): void {
  room.house = buildHouse(room.fixtures, pair, { epoch, before: room.house });
  room.digest = digest;
  room.owed = false;
  room.trouble = null;
  if (!(room.seen.epoch > epoch && Number.isFinite(room.seen.epoch))) room.seen = { epoch, digest };
  room.fixtures.running.judgeAll(room.house);
  room.fixtures.spawning.judgeAll(room.house);
  room.changed();
}

function mended(room: Room): void {
  if (room.trouble === null) return;
  room.trouble = null;
  room.changed();
}

/** A file that cannot be used: said and recorded once for each trouble. */
async function keepTheOldOne(room: Room, error: SallyportError): Promise<void> {
  const { code, message } = error;
  if (room.trouble?.code === code && room.trouble.message === message) return;
  room.trouble = Object.freeze({ code, message });
  room.changed();
  // A gate that is behind must not put its policy in force again, and a keeper that failed is not asked for a record.
  if (isBehind(room) || room.owed || isOfKeeper(room.trouble)) return;
  const { house, source, fixtures } = room;
  try {
    await fixtures.keeper.policyLoaded({ ...noticeOf(source, house, room.digest), detail: { error: code } });
  } catch (failure) {
    if (!isSallyportError(failure)) throw failure;
    if (room.closed) return;
    room.trouble = Object.freeze({ code, message: `${message}; and it could not be recorded (${failure.code})` });
    room.changed();
  }
}
