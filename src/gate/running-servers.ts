import { isSallyportError, type JsonObject, type Principal, SallyportError } from '../core/index.ts';
import { localUser, type StopFlag, whoIs } from '../keeper/index.ts';
import { type ServerRule, serverTerms } from '../policy/index.ts';
import type { EgressEvent, SandboxProcess } from '../sandbox/index.ts';
import type { Footprint } from './footprint.ts';
import type { House } from './house.ts';
import { type ServerPlace, startServer } from './server-start.ts';
import { recordSessionEnd } from './session-end.ts';
import { stopCovers } from './stop-covers.ts';

/** The server processes of a gate. */
export interface RunningServers {
  /**
   * Starts a server of the policy in force; where it runs stands in the log before it does, and so does each way out of it.
   * @throws SallyportError SERVER_UNKNOWN, STOPPED, ISOLATION_UNAVAILABLE, SANDBOX_FAILED, AUDIT_WRITE_FAILED
   */
  start(house: House, rule: ServerRule): Promise<SandboxProcess>;
  /** Ends those that the policy of a house shows other files, hosts or limits than they were started with. */
  judgeAll(house: House): void;
  /** Kills those that a stop covers. */
  stop(flag: StopFlag): void;
  /** Kills all; settles when nothing is left of them and their ends are on record. */
  endAll(): Promise<void>;
}

interface Entry {
  readonly name: string;
  readonly terms: string | null;
  readonly principal: Principal;
  /** Settles when its end is on record, or cannot be. */
  readonly over: Promise<void>;
}

/** A server has no surface of its own: what starts it is the library, whoever uses that. */
const SURFACE = 'library';

/** State: one entry for each process, owned here. */
export function openRunningServers(): RunningServers {
  const entries = new Map<SandboxProcess, Entry>();
  return {
    start: async (house, rule) => {
      if (!house.servers.has(rule.name))
        throw new SallyportError('SERVER_UNKNOWN', 'the policy does not have this server any more');
      const terms = termsOf(house, rule.name);
      await checkStops(house, { agent: agentOf(rule), session: '' });
      const { started, principal, footprint } = await startRecorded(house, rule);
      const over = started.ended.then(async () => {
        await recordEnd(house, principal, footprint);
        entries.delete(started);
      });
      entries.set(started, { name: rule.name, terms, principal, over });
      if (termsOf(house.latest(), rule.name) !== terms) await started.stop();
      // A stop that came while it started found no process yet.
      await checkStops(house, principal).catch(async (error: unknown) => {
        await started.stop(0);
        throw error;
      });
      return started;
    },
    judgeAll: (house) => {
      for (const [started, { name, terms }] of entries) if (termsOf(house, name) !== terms) void started.stop();
    },
    stop: (flag) => {
      for (const [started, { principal }] of entries) if (stopCovers(flag, principal)) void started.stop(0);
    },
    endAll: async () => {
      await Promise.all([...entries].map(([started, { over }]) => Promise.all([started.stop(0), over])));
    },
  };
}

const termsOf = ({ compiled }: House, name: string): string | null => serverTerms(compiled(), name)?.digest ?? null;

/** The agent that a server is in records, and for `stop`. */
const agentOf = ({ name }: ServerRule): string => `server:${name}`;

/** @throws SallyportError STOPPED */
async function checkStops({ keeper }: House, who: Pick<Principal, 'agent' | 'session'>): Promise<void> {
  if (!(await keeper.stops()).some((flag) => stopCovers(flag, who))) return;
  throw new SallyportError('STOPPED', 'the operator stopped what this server does');
}

interface Started {
  readonly started: SandboxProcess;
  readonly principal: Principal;
  readonly footprint: Footprint;
}

async function startRecorded(house: House, rule: ServerRule): Promise<Started> {
  const known: { principal?: Principal; footprint?: Footprint; unrecorded: SallyportError | null } = {
    unrecorded: null,
  };
  const placed = async (isolation: JsonObject, { terms, profile }: ServerPlace): Promise<void> => {
    const caller = { tenant: 'local', user: localUser(), agent: agentOf(rule), proof: 'local' } as const;
    known.footprint = await house.profiles.footprint(terms, profile);
    known.principal = await house.keeper.openSession(caller, SURFACE, { server: rule.name, isolation });
  };
  const started = await startServer(house, {
    ...{ rule, placed, current: () => house.latest().compiled() },
    // INVARIANT: once a way out could not be recorded, the next one ends the server's door (`EgressDoor.record`).
    egress: (event) => {
      if (known.unrecorded !== null) throw known.unrecorded;
      if (known.principal === undefined) throw new SallyportError('INTERNAL', 'a server connects without a record');
      void recordEgress(house.latest(), known.principal, rule, event).then(
        (error) => {
          known.unrecorded ??= error;
        },
        (cause: unknown) => {
          known.unrecorded ??= asUnrecorded(cause);
        },
      );
    },
  });
  const { principal, footprint } = known;
  if (principal === undefined || footprint === undefined)
    throw new SallyportError('INTERNAL', 'a server ran without a record');
  return { started, principal, footprint };
}

/** A log that cannot be written refuses every call from now on; here nothing is left to be refused. */
async function recordEnd({ keeper }: House, principal: Principal, footprint: Footprint): Promise<void> {
  try {
    await recordSessionEnd(keeper, { principal, surface: SURFACE }, [footprint]);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
  }
}

/** Why a way out is not on record; null: it is. A policy that came in between is loaded, and its epoch recorded. */
async function recordEgress(
  house: House,
  principal: Principal,
  rule: ServerRule,
  event: EgressEvent,
): Promise<SallyportError | null> {
  const error = await tryRecord(house, principal, rule, event);
  if (error?.code !== 'EPOCH_STALE') return error;
  return tryRecord(await house.renewed(house), principal, rule, event);
}

/** A way out that was taken is a call that ran; one that was refused is a denial. */
async function tryRecord(
  house: House,
  principal: Principal,
  { name }: ServerRule,
  event: EgressEvent,
): Promise<SallyportError | null> {
  const { allowed, rule, ask, ...rest } = event;
  const intent = {
    ...({ surface: SURFACE, ...whoIs(principal), tool: `mcp__${name}:egress`, server: name } as const),
    ...({ decision: allowed ? 'allow' : 'deny', rule, policyDigest: house.policy.digest, epoch: house.epoch } as const),
    ...(allowed ? {} : { code: 'ENDPOINT_NOT_ALLOWED' as const }),
    payloads: { arguments: { ...ask }, decision: { ...rest } },
  };
  try {
    if (!allowed) {
      await house.keeper.refuse(intent);
      return null;
    }
    const admission = await house.keeper.admit(intent, {});
    await house.keeper.settle(admission, { outcome: 'delivered', durationMs: 0, payloads: { result: { ...rest } } });
    return null;
  } catch (error) {
    return asUnrecorded(error);
  }
}

const asUnrecorded = (cause: unknown): SallyportError =>
  isSallyportError(cause) ? cause : new SallyportError('INTERNAL', 'a way out was not recorded', { cause });
