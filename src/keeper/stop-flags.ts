import { type JsonObject, SallyportError } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import type { IntentDraft, StopFlag } from './keeper.ts';
import { type StateTable, stateTable, unreadable } from './state-table.ts';

/** Stops at a time; more are refused: `all` is always possible. */
const MAX_STOPS = 10_000;
/** Characters of the name of an agent or a session. */
const MAX_NAME = 512;
const SPACE = 'stop';

/** The stops in force, over restarts. */
export class StopFlags {
  readonly #table: StateTable;
  readonly #flags = new Map<string, StopFlag>();

  private constructor(table: StateTable, flags: readonly StopFlag[]) {
    this.#table = table;
    for (const flag of flags) this.#flags.set(nameOf(flag), flag);
  }

  static async open(store: Store): Promise<StopFlags> {
    const table = stateTable(store, SPACE);
    return new StopFlags(table, (await table.all()).map(readFlag));
  }

  list(): readonly StopFlag[] {
    return [...this.#flags.values()];
  }

  /** True when a stop covers the call of this intent. */
  covers(intent: Pick<IntentDraft, 'principal' | 'session'>): boolean {
    if (this.#flags.size === 0) return false;
    const agent = intent.principal?.['agent'];
    return (
      this.#flags.has(nameOf({ kind: 'all' })) ||
      (typeof agent === 'string' && this.#flags.has(nameOf({ kind: 'agent', name: agent }))) ||
      (intent.session !== undefined && this.#flags.has(nameOf({ kind: 'session', id: intent.session })))
    );
  }

  /** In force at once; durable when it resolves. @throws SallyportError KEEPER_BUSY, INPUT_TOO_LARGE */
  async add(flag: StopFlag): Promise<void> {
    const name = nameOf(flag);
    if (name.length > MAX_NAME) throw new SallyportError('INPUT_TOO_LARGE', 'the name to stop is too long');
    if (flag.kind !== 'all' && this.#flags.size >= MAX_STOPS && !this.#flags.has(name)) {
      throw new SallyportError('KEEPER_BUSY', `there are ${MAX_STOPS} stops already: stop all`);
    }
    this.#flags.set(name, Object.freeze({ ...flag }));
    await this.#table.put(name, { ...flag });
  }

  /** False if it was not in force. INVARIANT: nothing is admitted before it is durable that nothing is stopped. */
  async remove(flag: StopFlag): Promise<boolean> {
    const name = nameOf(flag);
    if (!this.#flags.has(name)) return false;
    await this.#table.delete(name);
    return this.#flags.delete(name);
  }
}

function nameOf(flag: StopFlag): string {
  if (flag.kind === 'all') return 'all';
  return flag.kind === 'agent' ? `agent/${flag.name}` : `session/${flag.id}`;
}

function readFlag({ kind, name, id }: JsonObject): StopFlag {
  if (kind === 'all') return { kind };
  if (kind === 'agent' && typeof name === 'string') return { kind, name };
  if (kind === 'session' && typeof id === 'string') return { kind, id };
  throw unreadable(SPACE);
}
