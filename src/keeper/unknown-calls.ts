import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  SallyportError,
  sha256Hex,
} from '../core/index.ts';

/** A call of which nobody knows how it ended, by its records in the log; what it was stands there, beside the log. */
export interface UnknownCall {
  readonly intentSeq: number;
  readonly admittedSeq: number;
  /** The principal of its records, while they are at hand. */
  readonly principal?: JsonObject | undefined;
}

/** What an entry of the list stands for: that call alone or, as the last one that fits, also those that are not listed. */
export type UnknownScope = 'call' | 'principal' | 'everyone';

export interface ListedCall {
  readonly intentSeq: number;
  readonly admittedSeq: number;
  /** Tells the user and agent of the call from others; empty where nobody knows. */
  readonly who: string;
  readonly scope: UnknownScope;
}

/** Bytes of the list, read or written; an entry has about 100. */
const MAX_BYTES = 16_777_216;
/** Entries for one principal, and for all together. The next one stands for every call of that principal, or of everyone. */
const MAX_OF_PRINCIPAL = 4_096;
const MAX_LISTED = 16_384;

/** A list as it was read: by number of the admission, and whose calls it covers wholly. */
interface Known {
  readonly calls: ReadonlyMap<number, ListedCall>;
  readonly covered: ReadonlySet<string>;
}

/** In place of a principal: everyone. No digest is as short. */
const EVERYONE = '*';

/**
 * The calls of which nobody knows how they ended, over restarts, until a person who found out takes them off the list:
 * `unknown.json` in the state folder. Holds numbers of records and digests of principals only, so that erasing a payload
 * erases the call.
 * INVARIANT: only the owner of the state folder writes it, through one object.
 */
export class UnknownCalls {
  readonly #file: string;
  #known: Known | null = null;

  constructor(state: string) {
    this.#file = join(state, 'unknown.json');
  }

  /** @throws SallyportError AUDIT_CORRUPT when the list cannot be read: what it said is not to be forgotten */
  list(): readonly ListedCall[] {
    return [...this.#load().calls.values()];
  }

  /** True when so many calls of this user and agent, or of everyone, are unknown that each of theirs counts as one. */
  coversAll({ user, agent }: { readonly user: string; readonly agent: string }): boolean {
    const { covered } = this.#load();
    return covered.size > 0 && (covered.has(EVERYONE) || covered.has(digestOf(user, agent)));
  }

  /**
   * Durable when it returns; one write for all of them, so whoever has many adds them at once.
   * @throws SallyportError DISK_FULL and STATE_UNWRITABLE (the list is as it was), AUDIT_CORRUPT
   */
  add(calls: readonly UnknownCall[]): void {
    if (calls.length === 0) return;
    const known = this.#load();
    const counts = new Map<string, number>();
    for (const { who } of known.calls.values()) counts.set(who, (counts.get(who) ?? 0) + 1);
    const [more, covered] = [new Map(known.calls), new Set(known.covered)];
    for (const { intentSeq, admittedSeq, principal } of calls) {
      const who = whoOf(principal);
      const count = counts.get(who) ?? 0;
      const scope = scopeOf(more.size, count);
      const key = scope === 'everyone' ? EVERYONE : who;
      if (more.has(admittedSeq) || (scope !== 'call' && covered.has(key))) continue;
      if (scope !== 'call') covered.add(key);
      counts.set(who, count + 1);
      more.set(admittedSeq, { intentSeq, admittedSeq, who, scope });
    }
    if (more.size > known.calls.size) this.#write(more);
  }

  /** False if it was not on the list. Durable when it returns. @throws SallyportError as `add` */
  remove(admittedSeq: number): boolean {
    const rest = new Map(this.#load().calls);
    if (!rest.delete(admittedSeq)) return false;
    this.#write(rest);
    return true;
  }

  #load(): Known {
    this.#known ??= knownOf(readList(this.#file));
    return this.#known;
  }

  #write(calls: ReadonlyMap<number, ListedCall>): void {
    const text = JSON.stringify([...calls.values()].map(toEntry));
    if (Buffer.byteLength(text) > MAX_BYTES) {
      throw new SallyportError('STATE_UNWRITABLE', 'the list of calls with unknown outcome is too long');
    }
    replaceFile(this.#file, text);
    this.#known = knownOf([...calls.values()]);
  }
}

const scopeOf = (listed: number, ofPrincipal: number): UnknownScope => {
  if (listed >= MAX_LISTED) return 'everyone';
  return ofPrincipal >= MAX_OF_PRINCIPAL ? 'principal' : 'call';
};

function knownOf(list: readonly ListedCall[]): Known {
  const covered = new Set<string>();
  for (const { scope, who } of list) if (scope !== 'call') covered.add(scope === 'everyone' ? EVERYONE : who);
  return { calls: new Map(list.map((call) => [call.admittedSeq, call])), covered };
}

/** Tells users and agents apart, whatever their session. */
export const digestOf = (user: string, agent: string): string => sha256Hex(canonicalJson([user, agent])).slice(0, 32);

function whoOf(principal: JsonObject | undefined): string {
  const [user, agent] = [principal?.['user'], principal?.['agent']];
  return typeof user === 'string' && typeof agent === 'string' ? digestOf(user, agent) : '';
}

/**
 * The text whole and durable in place of the file, or the file as it was.
 * INVARIANT: nothing takes the place of the file before every byte of it is on the disk.
 */
function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}`;
  try {
    rmSync(temporary, { force: true });
    // Writes on after a short write, which a disk that is nearly full answers with.
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600, flush: true });
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (cause) {
    rmSync(temporary, { force: true });
    const isFull = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    const message = `the list of calls with unknown outcome cannot be written: ${file}`;
    throw new SallyportError(isFull ? 'DISK_FULL' : 'STATE_UNWRITABLE', message, { cause });
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const toEntry = ({ intentSeq, admittedSeq, who, scope }: ListedCall): JsonObject => ({
  ...{ intentSeq, admittedSeq },
  ...(who === '' ? {} : { who }),
  ...(scope === 'call' ? {} : { scope }),
});

function readList(file: string): readonly ListedCall[] {
  let value: JsonValue;
  try {
    value = parseStrictJson(readFileSync(file, 'utf8'), { maxBytes: MAX_BYTES, maxDepth: 3 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw corrupt(file, error);
  }
  if (!Array.isArray(value)) throw corrupt(file, null);
  return (value as readonly JsonValue[]).map((item) => {
    const call = isJsonObject(item) ? readEntry(item) : null;
    if (call === null) throw corrupt(file, null);
    return call;
  });
}

function readEntry({ intentSeq, admittedSeq, who = '', scope = 'call' }: JsonObject): ListedCall | null {
  if (typeof intentSeq !== 'number' || typeof admittedSeq !== 'number' || typeof who !== 'string') return null;
  if (scope !== 'call' && scope !== 'principal' && scope !== 'everyone') return null;
  return { intentSeq, admittedSeq, who, scope };
}

const corrupt = (file: string, cause: unknown): SallyportError =>
  new SallyportError('AUDIT_CORRUPT', `the list of calls with unknown outcome cannot be read: ${file}`, { cause });
