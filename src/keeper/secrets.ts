import type { RecordDraft } from '../audit/index.ts';
import { isJsonObject, isSallyportError, type JsonValue, parseReference, SallyportError } from '../core/index.ts';
import { createRedactor, type Redactor } from '../secrets/index.ts';
import type { Redaction, RedactionReader } from './secret-messages.ts';
import type { SecretSource, SourcedSecret } from './secret-source.ts';

/** Secrets that one result may have in it before all of it is withheld: more is no accident. */
const MAX_FOUND = 4;
/** Sessions whose secrets are remembered; the oldest is forgotten first, and then its results are withheld where one shows up. */
const MAX_SESSIONS = 10_000;
/** How long a provider may take, in milliseconds. */
const RESOLVE_MS = 15_000;

/** A secret as it was given out. */
export interface GivenSecret extends SourcedSecret {
  /** False for a value that is too short to be looked for in what comes back. */
  readonly redacted: boolean;
}

/**
 * The values that this keeper resolved: who got which, and what is removed from everything that leaves or is stored.
 * INVARIANT: a value is known to the redactor before anybody has it.
 */
export class Secrets {
  readonly #source: SecretSource;
  readonly #redactor: Redactor = createRedactor();
  readonly #given = new Map<string, Set<string>>();

  constructor(source: SecretSource) {
    this.#source = source;
  }

  /** @throws SallyportError SECRET_REFERENCE, SECRET_NOT_FOUND, SECRET_DELETED, SECRET_ACCESS_DENIED, SECRET_UNAVAILABLE */
  async give(reference: string, { tenant, session }: RedactionReader): Promise<GivenSecret> {
    const read = parseReference(reference);
    const provided = await this.#source.resolve(read, AbortSignal.timeout(RESOLVE_MS));
    if (provided.value === '') throw new SallyportError('SECRET_UNAVAILABLE', 'the secret is empty');
    const redacted = this.#register(read.text, provided, tenant);
    this.#remember(session, read.text);
    return { ...provided, redacted };
  }

  async close(): Promise<void> {
    await this.#source.close?.();
  }

  /** Without every known value: what may be read by somebody of this session. ATTACKER-CONTROLLED: `value`. */
  redact(value: JsonValue, { tenant, session }: RedactionReader): Redaction {
    if (this.#redactor.size.secrets === 0) return { value, found: [], blocked: false };
    const given = this.#given.get(session);
    const deep = given !== undefined;
    const { value: clean, hits, withheld } = this.#redactor.redactValue(value, { tenant, squash: true, deep });
    if (hits.length === 0 && !withheld) return { value, found: [], blocked: false };
    const blocked =
      withheld || hits.length > MAX_FOUND || hits.some(({ name }) => name === undefined || given?.has(name) !== true);
    return { value: clean, found: [...new Set(hits.map(({ name }) => name ?? '[redacted]'))], blocked };
  }

  /** A record as it may be stored: no reader of the log learns a value, whoever wrote it there. */
  clean(draft: RecordDraft): RecordDraft {
    if (this.#redactor.size.secrets === 0) return draft;
    const { value } = this.#redactor.redactValue(draft as unknown as JsonValue, { squash: true });
    return isJsonObject(value) ? (value as unknown as RecordDraft) : draft;
  }

  #register(name: string, { value, version }: SourcedSecret, tenant: string): boolean {
    try {
      this.#redactor.add(name, version, value, tenant);
      return true;
    } catch (error) {
      if (isSallyportError(error, 'SECRET_TOO_SHORT')) return false;
      throw error;
    }
  }

  #remember(session: string, name: string): void {
    const names = this.#given.get(session) ?? new Set();
    names.add(name);
    this.#given.delete(session);
    this.#given.set(session, names);
    const [oldest] = this.#given.keys();
    if (this.#given.size > MAX_SESSIONS && oldest !== undefined) this.#given.delete(oldest);
  }
}
