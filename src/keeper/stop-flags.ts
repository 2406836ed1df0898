import { SallyportError } from '../core/index.ts';
import type { Journal } from './journal.ts';
import type { IntentDraft, StopFlag } from './keeper.ts';

/** Stops at a time; more are refused: `all` is always possible. */
const MAX_STOPS = 10_000;
/** Characters of the name of an agent or a session. */
const MAX_NAME = 512;
const PREFIX = 'stop/';

/** The stops in force, over restarts. */
export class StopFlags {
  readonly #journal: Journal;
  readonly #flags = new Map<string, StopFlag>();

  constructor(journal: Journal) {
    this.#journal = journal;
    for (const [name] of journal.entries()) {
      if (name.startsWith(PREFIX)) this.#flags.set(name, readFlag(name.slice(PREFIX.length)));
    }
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
    await this.#journal.put(name, true);
  }

  /** False if it was not in force. INVARIANT: nothing is admitted before it is durable that nothing is stopped. */
  async remove(flag: StopFlag): Promise<boolean> {
    const name = nameOf(flag);
    if (!this.#flags.has(name)) return false;
    await this.#journal.delete(name);
    return this.#flags.delete(name);
  }
}

function nameOf(flag: StopFlag): string {
  if (flag.kind === 'all') return `${PREFIX}all`;
  return flag.kind === 'agent' ? `${PREFIX}agent/${flag.name}` : `${PREFIX}session/${flag.id}`;
}

function readFlag(text: string): StopFlag {
  if (text === 'all') return { kind: 'all' };
  if (text.startsWith('agent/')) return { kind: 'agent', name: text.slice('agent/'.length) };
  if (text.startsWith('session/')) return { kind: 'session', id: text.slice('session/'.length) };
  throw new SallyportError('AUDIT_CORRUPT', 'the journal of the keeper holds a stop that cannot be read');
}
