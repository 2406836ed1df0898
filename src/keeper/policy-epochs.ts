import { type JsonObject, SallyportError } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { RateMeter } from './rate-meter.ts';
import { type StateTable, stateTable, unreadable } from './state-table.ts';

/** Scopes that are remembered; beyond it the one that was loaded longest ago is forgotten, and its gates load it again. */
const MAX_SCOPES = 1_000;
/** Bytes of a scope: a path, or `object_…`. */
const MAX_SCOPE_BYTES = 4_352;
/** Policies that one peer may put into force in one scope, and scopes that it may begin. */
const CHANGES = { burst: 10, perSecond: 10 / 60 };
const NEW_SCOPES = { burst: 64, perSecond: 1 };
const SPACE = 'policy';
const COUNTER = 'policy-epoch';

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
  readonly #store: Store;
  readonly #table: StateTable;
  readonly #scopes = new Map<string, InForce>();
  readonly #current = new Set<number>();
  readonly #changes = new RateMeter(CHANGES);
  readonly #newScopes = new RateMeter(NEW_SCOPES);
  #loading: Promise<unknown> = Promise.resolve();

  private constructor(store: Store, inForce: readonly (InForce & { readonly scope: string })[]) {
    this.#store = store;
    this.#table = stateTable(store, SPACE);
    for (const { scope, epoch, digest } of inForce) this.#set(scope, { epoch, digest });
  }

  static async open(store: Store): Promise<PolicyEpochs> {
    const inForce = (await stateTable(store, SPACE).all()).map(readInForce);
    return new PolicyEpochs(
      store,
      inForce.sort((a, b) => a.epoch - b.epoch),
    );
  }

  /** True while the policy of this epoch is in force. */
  isCurrent(epoch: number | undefined): boolean {
    return epoch !== undefined && this.#current.has(epoch);
  }

  /**
   * The epoch of a policy, and whether it began just now; durable when it resolves. One after the other, so that of two
   * policies of a scope the later one is in force. `peer`: who says so; null for this process, which may as often as it likes.
   * @throws SallyportError INPUT_TOO_LARGE, KEEPER_BUSY (a peer that changes policies too fast), and the codes of the store
   */
  load(
    scope: string,
    digest: string,
    peer: string | null = null,
  ): Promise<{ readonly epoch: number; readonly isNew: boolean }> {
    const loaded = this.#loading.then(() => this.#load(scope, digest, peer));
    this.#loading = loaded.catch(() => undefined);
    return loaded;
  }

  async #load(
    scope: string,
    digest: string,
    peer: string | null,
  ): Promise<{ readonly epoch: number; readonly isNew: boolean }> {
    if (Buffer.byteLength(scope) > MAX_SCOPE_BYTES) {
      throw new SallyportError('INPUT_TOO_LARGE', `the scope of a policy has at most ${MAX_SCOPE_BYTES} bytes`);
    }
    const known = this.#scopes.get(scope);
    if (known?.digest === digest) return { epoch: known.epoch, isNew: false };
    if (peer !== null) this.#checkRate(scope, peer, known !== undefined);
    // From here on the policy before is not in force, whatever becomes of this one.
    if (known !== undefined) this.#current.delete(known.epoch);
    const epoch = await this.#store.add(COUNTER, 'last', 1);
    await this.#table.put(scope, { scope, epoch, digest });
    this.#set(scope, { epoch, digest });
    await this.#forgetOldest();
    return { epoch, isNew: true };
  }

  /** Each new policy makes every gate of its scope load again: a peer must not do that all the time. */
  #checkRate(scope: string, peer: string, isKnown: boolean): void {
    const isFree = isKnown ? this.#changes.take(`${peer}\n${scope}`) : this.#newScopes.take(peer);
    if (!isFree) throw new SallyportError('KEEPER_BUSY', 'this peer changes policies too fast');
  }

  #set(scope: string, inForce: InForce): void {
    const before = this.#scopes.get(scope);
    if (before !== undefined) this.#current.delete(before.epoch);
    this.#scopes.delete(scope);
    this.#scopes.set(scope, inForce);
    this.#current.add(inForce.epoch);
  }

  async #forgetOldest(): Promise<void> {
    for (const [scope, { epoch }] of this.#scopes) {
      if (this.#scopes.size <= MAX_SCOPES) return;
      this.#scopes.delete(scope);
      this.#current.delete(epoch);
      await this.#table.delete(scope);
    }
  }
}

function readInForce({ scope, epoch, digest }: JsonObject): InForce & { readonly scope: string } {
  if (typeof scope === 'string' && typeof epoch === 'number' && typeof digest === 'string') {
    return { scope, epoch, digest };
  }
  throw unreadable(SPACE);
}
