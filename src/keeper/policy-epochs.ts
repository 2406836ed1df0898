import { isJsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Journal } from './journal.ts';

/** Scopes that are remembered; beyond it the one that was loaded longest ago is forgotten, and its gates load it again. */
const MAX_SCOPES = 1_000;
/** Bytes of a scope: a path, or `object_…`. */
const MAX_SCOPE_BYTES = 4_352;
const PREFIX = 'policy/';
const LAST = 'last-epoch';

/** A policy that is in force. */
interface InForce {
  readonly epoch: number;
  readonly digest: string;
}

/**
 * Which policy is in force for which scope, over restarts.
 * INVARIANT: an epoch is given out once in the life of a state folder, so that it also names its scope.
 */
export class PolicyEpochs {
  readonly #journal: Journal;
  readonly #scopes = new Map<string, InForce>();
  readonly #current = new Set<number>();
  #last: number;

  constructor(journal: Journal) {
    this.#journal = journal;
    for (const [name, value] of journal.entries()) {
      if (name.startsWith(PREFIX)) this.#set(name.slice(PREFIX.length), readInForce(value));
    }
    const last = journal.get(LAST);
    this.#last = Math.max(0, typeof last === 'number' ? last : 0, ...this.#current);
  }

  /** True while the policy of this epoch is in force. */
  isCurrent(epoch: number | undefined): boolean {
    return epoch !== undefined && this.#current.has(epoch);
  }

  /** The epoch of a policy, and whether it began just now; durable when it resolves. @throws SallyportError INPUT_TOO_LARGE */
  async load(scope: string, digest: string): Promise<{ readonly epoch: number; readonly isNew: boolean }> {
    if (Buffer.byteLength(scope) > MAX_SCOPE_BYTES) {
      throw new SallyportError('INPUT_TOO_LARGE', `the scope of a policy has at most ${MAX_SCOPE_BYTES} bytes`);
    }
    const known = this.#scopes.get(scope);
    const isNew = known?.digest !== digest;
    const epoch = isNew ? ++this.#last : known.epoch;
    this.#set(scope, { epoch, digest });
    this.#forgetOldest();
    await Promise.all([this.#journal.put(LAST, this.#last), this.#journal.put(PREFIX + scope, { epoch, digest })]);
    return { epoch, isNew };
  }

  #set(scope: string, inForce: InForce): void {
    const before = this.#scopes.get(scope);
    if (before !== undefined) this.#current.delete(before.epoch);
    this.#scopes.delete(scope);
    this.#scopes.set(scope, inForce);
    this.#current.add(inForce.epoch);
  }

  #forgetOldest(): void {
    for (const [scope, { epoch }] of this.#scopes) {
      if (this.#scopes.size <= MAX_SCOPES) return;
      this.#scopes.delete(scope);
      this.#current.delete(epoch);
      // Its failure stops the journal, which the next change meets.
      this.#journal.delete(PREFIX + scope).catch(() => undefined);
    }
  }
}

function readInForce(value: JsonValue): InForce {
  const { epoch, digest } = isJsonObject(value) ? value : {};
  if (typeof epoch === 'number' && typeof digest === 'string') return { epoch, digest };
  throw new SallyportError('AUDIT_CORRUPT', 'the journal of the keeper holds an epoch that cannot be read');
}
