import { setTimeout } from 'node:timers/promises';
import { type IsolationLevel, type Principal, SallyportError, type Surface } from '../core/index.ts';
import type { StopFlag } from '../keeper/index.ts';
import { acceptedLevels } from '../policy/index.ts';
import type { Sandboxes, SandboxProcess } from '../sandbox/index.ts';
import type { Footprint, LeftFiles } from './footprint.ts';
import type { House } from './house.ts';
import { levelsFor, termsFor } from './isolation-facts.ts';
import type { Placement } from './placement.ts';
import { recordSessionEnd } from './session-end.ts';
import { stopCovers } from './stop-covers.ts';

/** What starts a program: the call of a tool. */
export interface SpawnOrigin {
  readonly principal: Principal;
  readonly surface: Surface;
  readonly tool: string;
}

/** Starts a program in what is held under this owner, until the signal. */
type OpenHeld = (owner: string, signal: AbortSignal) => Promise<SandboxProcess>;

/** The sessions of a gate that started programs: what runs for them, what stays warm, and what they leave behind. */
export interface SpawningSessions {
  /**
   * Starts a program of a call. `open` gets the owner under which its sandbox may stay warm, and a signal that ends the start, and
   * the program, with the session and with a stop. What it starts in ends then too, and when the policy shows the tool something else.
   * @throws SallyportError TOOL_CANCELLED when that happens before it starts, and what `open` throws
   */
  start(house: House, origin: SpawnOrigin, placement: Placement, open: OpenHeld): Promise<SandboxProcess>;
  /** Ends what is warm under other terms, or at another level, than the policy of a house has. */
  judgeAll(house: House): void;
  /** Kills what runs, and what is warm, where a stop covers it. */
  stop(flag: StopFlag): void;
  /**
   * Kills what runs and is warm for a session, and records its end with what it left. Null: it started nothing.
   * @throws SallyportError AUDIT_WRITE_FAILED, KEEPER_LOST, KEEPER_CLOSED: nothing runs any more, and it is not on record
   */
  end(session: string): Promise<LeftFiles | null>;
  /** `end` of every session. */
  endAll(): Promise<void>;
}

/** What a session has of one tool. INVARIANT: tools share no warm sandbox, so that one ends without the other. */
interface Holding {
  readonly owner: string;
  readonly origin: SpawnOrigin;
  readonly terms: string;
  readonly level: IsolationLevel;
  readonly sandboxes: Sandboxes;
  readonly processes: Set<SandboxProcess>;
  readonly starting: Set<Promise<SandboxProcess>>;
  readonly killing: AbortController;
  /** How it was let go, perhaps while something was still starting; null: it was not. */
  over: 'release' | 'kill' | null;
}

/** A session from its first program on. */
interface Session {
  readonly origin: SpawnOrigin;
  readonly keeper: House['keeper'];
  /** How things lay before the first program of each terms. */
  readonly footprints: Map<string, Promise<Footprint>>;
}

interface State {
  readonly holdings: Set<Holding>;
  readonly sessions: Map<string, Session>;
}

/** State: what each session holds, owned here. */
export function openSpawningSessions(): SpawningSessions {
  const state: State = { holdings: new Set(), sessions: new Map() };
  const select = (isMeant: (holding: Holding) => boolean): readonly Holding[] => [...state.holdings].filter(isMeant);
  const end = async (session: string): Promise<LeftFiles | null> => {
    const known = state.sessions.get(session);
    state.sessions.delete(session);
    await letGo(
      state,
      select(({ origin }) => origin.principal.session === session),
      'kill',
    );
    if (known === undefined) return null;
    return recordSessionEnd(known.keeper, known.origin, await Promise.all(known.footprints.values()));
  };
  return {
    start: (house, origin, placement, open) => startHeld(holdingFor(state, house, origin, placement), open),
    judgeAll: (house) =>
      void letGo(
        state,
        select((holding) => !isCurrent(house, holding)),
        'release',
      ),
    stop: (flag) =>
      void letGo(
        state,
        select(({ origin }) => stopCovers(flag, origin.principal)),
        'kill',
      ),
    end,
    endAll: async () => {
      for (const session of [...state.sessions.keys()]) await end(session);
    },
  };
}

/** How long an end waits for what is just starting, in milliseconds. */
const START_WAIT_MS = 10_000;

/** Never rejects: what cannot be ended says so when its backend closes. */
async function letGo({ holdings }: State, some: readonly Holding[], how: 'release' | 'kill'): Promise<void> {
  for (const holding of some) {
    holding.over = how;
    holdings.delete(holding);
    if (how === 'kill') holding.killing.abort(endedError());
  }
  const killed = how === 'kill' ? some : [];
  const starting = Promise.allSettled(killed.flatMap((holding) => [...holding.starting]));
  const isLate = new AbortController();
  // A start that hangs is ended by its backend; whoever closes a gate gets that far.
  const late = setTimeout(START_WAIT_MS, null, { signal: isLate.signal }).catch(() => null);
  await Promise.race([starting, late]);
  isLate.abort();
  await Promise.allSettled([
    ...killed.flatMap(({ processes }) => [...processes]).map((process) => process.stop(0)),
    ...some.map(({ sandboxes, owner }) => sandboxes.release(owner)),
  ]);
}

interface Held {
  readonly holding: Holding;
  readonly footprint: Promise<Footprint>;
}

async function startHeld({ holding, footprint }: Held, open: OpenHeld): Promise<SandboxProcess> {
  await footprint;
  if (holding.over !== null) throw endedError();
  const starting = startIn(holding, open);
  holding.starting.add(starting);
  try {
    return await starting;
  } finally {
    holding.starting.delete(starting);
  }
}

/** INVARIANT: what was let go while this started keeps nothing warm, and runs no longer where it was killed. */
async function startIn(holding: Holding, open: OpenHeld): Promise<SandboxProcess> {
  const { owner, processes, sandboxes, killing } = holding;
  try {
    const started = await open(owner, killing.signal);
    processes.add(started);
    void started.ended.then(() => processes.delete(started));
    if (letGoAs(holding) === 'kill') await started.stop(0);
    return started;
  } finally {
    if (letGoAs(holding) !== null) await sandboxes.release(owner);
  }
}

const endedError = (): SallyportError =>
  new SallyportError('TOOL_CANCELLED', 'what it would have started in has ended');

/** Asked anew after each wait. */
const letGoAs = ({ over }: Holding): Holding['over'] => over;

function holdingFor(
  { holdings, sessions }: State,
  house: House,
  origin: SpawnOrigin,
  { chosen, terms, profile }: Placement,
): Held {
  const { session } = origin.principal;
  const known = sessions.get(session) ?? { origin, keeper: house.keeper, footprints: new Map() };
  sessions.set(session, known);
  const footprint = known.footprints.get(terms.digest) ?? house.profiles.footprint(terms, profile);
  known.footprints.set(terms.digest, footprint);
  footprint.catch(() => known.footprints.delete(terms.digest)); // whoever starts something is told, and the next one looks again
  const owner = `${session} ${origin.tool} ${terms.digest}`;
  const sandboxes = house.sandboxes();
  const same = [...holdings].find(
    (one) => one.owner === owner && one.level === chosen.level && one.sandboxes === sandboxes,
  );
  const holding: Holding = same ?? {
    ...{ owner, origin, terms: terms.digest, level: chosen.level, sandboxes },
    ...{ processes: new Set(), starting: new Set(), killing: new AbortController(), over: null },
  };
  holdings.add(holding);
  return { holding, footprint };
}

/** What runs is judged as a call is (`judgePlace`); this is about what would be used again. */
function isCurrent(house: House, { origin, terms, level, sandboxes }: Holding): boolean {
  const accepted = levelsFor(house, acceptedLevels(house.compiled(), origin.tool));
  return termsFor(house, origin.tool)?.digest === terms && accepted.includes(level) && house.sandboxes() === sandboxes;
}
