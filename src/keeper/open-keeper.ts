import { userInfo } from 'node:os';
import { join } from 'node:path';
import { AuditLog, type RecordDraft } from '../audit/index.ts';
import { type Clock, isSallyportError, SallyportError, systemClock } from '../core/index.ts';
import { openStore, type Store } from '../store/index.ts';
import { Approvals } from './approvals.ts';
import { CallLimits } from './call-limits.ts';
import { ADOPTION_MS } from './calls.ts';
import { EmbeddedKeeper } from './embedded-keeper.ts';
import { runtimeFolder } from './grant-anchor.ts';
import { LimitCounters, type Times } from './limit-counters.ts';
import { takeOwnership } from './owner.ts';
import { PeerFolder } from './peer-folder.ts';
import { PolicyEpochs } from './policy-epochs.ts';
import { recover } from './recover.ts';
import { ReleasedResults } from './released-results.ts';
import { configuredSource, type SecretSource } from './secret-source.ts';
import { Secrets } from './secrets.ts';
import { type ServeOptions, serveKeeper } from './serve-keeper.ts';
import { openStateFolder } from './state-folder.ts';
import { SteadyTime } from './steady-time.ts';
import { StopFlags } from './stop-flags.ts';
import { TokenFolder } from './token-folder.ts';
import { UnknownCalls } from './unknown-calls.ts';

export interface KeeperOptions {
  /** The state folder; made (0700) if it is missing. */
  readonly state: string;
  /** Absolute folders that tools can reach: the state folder may lie neither in nor around one of them. */
  readonly reachable: readonly string[];
  readonly clock?: Clock;
  /** Where secrets come from; the providers that `secrets.json` of the state folder names if absent. */
  readonly secretSource?: SecretSource;
  /** Path of the socket for other processes; `keeper/socket` in the state folder if absent. */
  readonly socket?: string;
  /** How long calls of other processes wait for them to come back, in milliseconds; default 10,000. */
  readonly adoptionMs?: number;
  /**
   * A private folder outside the state folder that ends with the machine's run; `XDG_RUNTIME_DIR` if absent. Grants outlive a
   * restart only with it, since it tells a restored backup from the folder as it was left; null: they end with this process.
   */
  readonly runtime?: string | null;
  /**
   * Prints a one-time code that lets a credential of an operator in, when somebody offers one: on the terminal of this process
   * and nowhere else. If absent, credentials come in by other operators only.
   */
  readonly onOperatorCode?: (code: string) => void;
  /** The socket keeps this process alive; by default it does not. */
  readonly stayAlive?: boolean;
}

/**
 * Opens the keeper inside this process: takes the state folder, repairs what a crash left, gives every admission without
 * outcome that no other process can still settle its record `outcome: unknown`, and serves other processes over its socket.
 *
 * @throws SallyportError STATE_OWNED, KEEPER_SOCKET, STATE_EXPOSED, STATE_UNWRITABLE, STATE_PERMISSIONS, AUDIT_CORRUPT, AUDIT_ROLLBACK
 */
export async function openKeeper(options: KeeperOptions): Promise<EmbeddedKeeper> {
  const clock = options.clock ?? systemClock;
  const state = openStateFolder(options.state, options.reachable);
  const ownership = takeOwnership(state);
  let [log, store]: [AuditLog | null, Store | null] = [null, null];
  let keeper: EmbeddedKeeper;
  let approvals: Approvals | null = null;
  const peers = new PeerFolder(state);
  try {
    // INVARIANT: the store before the log. Its lock is the kernel's, which holds whatever becomes of the files of ownership.
    store = await openStoreOf(state, clock);
    const secrets = new Secrets(options.secretSource ?? configuredSource(state, process.env));
    const clean = (draft: RecordDraft): RecordDraft => secrets.clean(draft);
    log = await AuditLog.open({ directory: state, clock, writer: `keeper:${process.pid}`, clean });
    const [epochs, stops] = [await PolicyEpochs.open(store), await StopFlags.open(store)];
    const [unknown, tokens] = [new UnknownCalls(state), new TokenFolder(state)];
    const recovered = await recover({ state, log, unknown, peers });
    const runtime = options.runtime === undefined ? runtimeFolder() : options.runtime;
    approvals = await Approvals.open({ state, log, store, clock, runtime, user: localUser() });
    const limits = await openLimits(store, clock);
    const adoptionMs = options.adoptionMs ?? ADOPTION_MS;
    const onOperatorCode = options.onOperatorCode ?? null;
    keeper = new EmbeddedKeeper({
      ...{
        state,
        log,
        ownership,
        clock,
        store,
        epochs,
        stops,
        secrets,
        released: new ReleasedResults({ state, store, clock }),
        unknown,
        tokens,
        adoptionMs,
        approvals,
        limits,
        onOperatorCode,
      },
      ...recovered,
    });
  } catch (error) {
    await approvals?.close();
    await log?.close().catch(() => undefined);
    await store?.close();
    ownership.release();
    throw error;
  }
  return serve(keeper, { peers, state, socket: options.socket ?? null, stayAlive: options.stayAlive ?? false });
}

/** Windows are measured by the clock that never jumps; the other one is for what is written. */
async function openLimits(store: Store, clock: Clock): Promise<CallLimits> {
  const steady = new SteadyTime(clock);
  const times: Times = { mono: () => clock.mono() / 1_000, wall: () => steady.now() };
  return new CallLimits(await LimitCounters.open(store, times), times);
}

/** @throws SallyportError STATE_OWNED when another process has it open, and the codes of `openStore` */
async function openStoreOf(state: string, clock: Clock): Promise<Store> {
  try {
    return await openStore({ file: join(state, 'state.db'), clock });
  } catch (cause) {
    if (!isSallyportError(cause, 'STORE_OWNED')) throw cause;
    throw new SallyportError('STATE_OWNED', `another process has the state folder ${state} open`, { cause });
  }
}

async function serve(keeper: EmbeddedKeeper, options: Omit<ServeOptions, 'keeper'>): Promise<EmbeddedKeeper> {
  try {
    const { peers } = options;
    peers.sweep();
    // For commands of operators that find no space for a token of their own.
    const { name } = peers.addOwn('operator');
    const server = await serveKeeper({ ...options, keeper });
    keeper.serveWith({
      path: server.path,
      close: () => {
        peers.revoke(name);
        return server.close();
      },
    });
    return keeper;
  } catch (error) {
    await keeper.close('its socket could not be opened');
    throw error;
  }
}

/** The user that runs this process, as principals name it. */
export function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`; // a user id that has no name here
  }
}
