import { type LogRecord, readRecordsAt } from '../audit/index.ts';
import { type Clock, canonicalJson, isJsonObject, type JsonValue, SallyportError, sha256Hex } from '../core/index.ts';
import type { Store } from '../store/index.ts';

/** A result that the guard withheld, as the gate asks about it. */
export interface HeldResult {
  readonly principal: { readonly tenant: string; readonly user: string; readonly agent: string };
  readonly tool: string;
  /** SHA-256 of the canonical JSON of what was withheld, hexadecimal. */
  readonly digest: string;
}

/** How long a release holds, in milliseconds. */
const RELEASE_MS = 86_400_000;
const SPACE = 'released';

interface Parts {
  readonly state: string;
  readonly store: Store;
  readonly clock: Clock;
}

/**
 * Results that the guard withheld and an operator let through: exactly the same result, of the same tool, for the same agent and
 * user, for 24 hours. What was withheld is read from the log: who asks for a release says its number and nothing else.
 */
export class ReleasedResults {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Durable when it resolves. @throws SallyportError AUDIT_NOT_FOUND when the record withheld nothing, or it was erased */
  async release(record: number): Promise<void> {
    const { store, clock } = this.#parts;
    await store.put(SPACE, keyOf(await this.find(record)), { record, until: clock.now() + RELEASE_MS });
  }

  async isReleased(result: HeldResult): Promise<boolean> {
    const { store, clock } = this.#parts;
    const known = await store.get(SPACE, keyOf(result));
    if (!isJsonObject(known)) return false;
    const { until } = known;
    return typeof until === 'number' && clock.now() < until;
  }

  /** What a record withholds. @throws SallyportError AUDIT_NOT_FOUND as `release` */
  async find(number: number): Promise<HeldResult> {
    const outcome = await this.#read(number);
    const intent = outcome === null ? null : await this.#read(outcome.record.intentSeq ?? -1);
    const held = (await outcome?.payloads())?.['held'];
    const { tenant, user, agent } = intent?.record.principal ?? {};
    const { tool } = outcome?.record ?? {};
    if (
      held === undefined ||
      !isResult(held) ||
      tool === undefined ||
      !isText(tenant) ||
      !isText(user) ||
      !isText(agent)
    ) {
      throw new SallyportError('AUDIT_NOT_FOUND', `record ${number} withholds no result: sallyport guard held`);
    }
    return { principal: { tenant, user, agent }, tool, digest: digestOfHeld(held) };
  }

  async #read(number: number): Promise<{ record: LogRecord; payloads(): Promise<Record<string, JsonValue>> } | null> {
    for await (const found of readRecordsAt(this.#parts.state, [number])) return found;
    return null;
  }
}

/** A question that was withheld cannot be asked later: there is nobody who waits for it any more. */
const isResult = (held: JsonValue): boolean => isJsonObject(held) && Array.isArray(held['content']);

const isText = (value: JsonValue | undefined): value is string => typeof value === 'string';

/** What a gate names a withheld result by. */
export const digestOfHeld = (held: JsonValue): string => sha256Hex(canonicalJson(held));

const keyOf = ({ principal: { tenant, user, agent }, tool, digest }: HeldResult): string =>
  sha256Hex(canonicalJson([tenant, user, agent, tool, digest]));
