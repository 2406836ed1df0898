/** A way to a server whose connection is one request's, until it is left. */
export interface Lane {
  /** Whose connection the request goes over. */
  readonly holder: string;
  /** Runs `answer` while the request waits for it: meanwhile another request may go, on another lane. */
  whileParked<T>(answer: () => Promise<T>): Promise<T>;
  /** The request is over. */
  leave(): void;
}

/**
 * Lanes to servers that may ask in mid-call. On a pipe nothing else says which request a question belongs to, so each lane
 * has a connection of its own and one request at a time.
 */
export interface Lanes {
  /**
   * Waits while a request of the same holder runs, and takes the first lane that is free once all others wait for answers. When
   * no lane is free, the request that has waited longest for an answer is abandoned: a client without sessions that does not
   * come back says so to nobody, and must not keep its later requests waiting.
   *
   * @throws the reason of `signal`
   */
  enter(request: LaneRequest): Promise<Lane>;
}

/** Who wants a lane. */
export interface LaneRequest {
  readonly server: string;
  readonly holder: string;
  readonly signal: AbortSignal;
  /** Ends the request, which then leaves its lane; called at most once. */
  readonly abandon: () => void;
}

/** Lanes of one holder to one server. */
const MAX_LANES = 4;

/** The holders of all connections that lanes of `holder` may have; the first is `holder` itself. */
export const laneHolders = (holder: string): readonly string[] =>
  // No session and no credential has a line break in its name.
  Array.from({ length: MAX_LANES }, (_, index) => (index === 0 ? holder : `${holder}\nlane ${index}`));

interface Taken {
  readonly abandon: () => void;
  /** Questions that are open. */
  parked: number;
  /** Counts up with each time that a lane of the road was parked: the lowest has waited longest. */
  since: number;
  isEnding: boolean;
}

interface Waiter {
  readonly abandon: () => void;
  readonly give: (index: number) => void;
}

/** The lanes of one holder to one server. */
interface Road {
  readonly taken: (Taken | null)[];
  readonly waiters: Set<Waiter>;
  parkings: number;
}

export function createLanes(): Lanes {
  const roads = new Map<string, Road>();
  return {
    enter: async (request) => {
      const { server, holder } = request;
      const key = JSON.stringify([server, holder]);
      const road = roads.get(key) ?? { taken: laneHolders(holder).map(() => null), waiters: new Set(), parkings: 0 };
      roads.set(key, road);
      const forget = (): void => {
        const isEmpty = road.waiters.size === 0 && road.taken.every((lane) => lane === null);
        if (isEmpty && roads.get(key) === road) roads.delete(key);
      };
      try {
        const index = await turn(road, request);
        return laneOf(road, index, laneHolders(holder)[index] ?? holder, forget);
      } catch (error) {
        forget();
        throw error;
      }
    },
  };
}

/** The index of the lane that the next request got. */
function turn(road: Road, { signal, abandon }: LaneRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = (): void => {
      road.waiters.delete(waiter);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      abandon,
      give: (index) => {
        road.waiters.delete(waiter);
        signal.removeEventListener('abort', stop);
        resolve(index);
      },
    };
    signal.addEventListener('abort', stop, { once: true });
    road.waiters.add(waiter);
    moveOn(road);
  });
}

const isRunning = (lane: Taken | null): boolean => lane !== null && (lane.parked === 0 || lane.isEnding);

/** Lets the next one go, unless some request runs. */
function moveOn({ taken, waiters }: Road): void {
  const [waiter] = waiters;
  if (waiter === undefined || taken.some(isRunning)) return;
  const free = taken.indexOf(null);
  if (free !== -1) {
    taken[free] = { abandon: waiter.abandon, parked: 0, since: 0, isEnding: false };
    waiter.give(free);
    return;
  }
  const [oldest] = taken.filter((lane) => lane !== null).sort((a, b) => a.since - b.since);
  if (oldest === undefined) return;
  oldest.isEnding = true;
  oldest.abandon();
}

function laneOf(road: Road, index: number, holder: string, forget: () => void): Lane {
  const mine = road.taken[index] ?? null;
  return {
    holder,
    whileParked: async (answer) => {
      if (mine === null) return answer();
      mine.parked += 1;
      road.parkings += 1;
      mine.since = road.parkings;
      moveOn(road);
      try {
        return await answer();
      } finally {
        mine.parked -= 1;
      }
    },
    leave: () => {
      if (mine === null || road.taken[index] !== mine) return;
      road.taken[index] = null;
      moveOn(road);
      forget();
    },
  };
}
