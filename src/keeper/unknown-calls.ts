import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonValue, parseStrictJson, SallyportError } from '../core/index.ts';

/** A call of which nobody knows how it ended, by its records in the log; what it was stands there, beside the log. */
export interface UnknownCall {
  readonly intentSeq: number;
  readonly admittedSeq: number;
}

/** Bytes of the list; each entry has about 50. */
const MAX_BYTES = 16_777_216;

/**
 * The calls of which nobody knows how they ended, over restarts, until a person who found out takes them off the list:
 * `unknown.json` in the state folder. Holds numbers of records only, so that erasing a payload erases the call.
 */
export class UnknownCalls {
  readonly #file: string;

  constructor(state: string) {
    this.#file = join(state, 'unknown.json');
  }

  /** @throws SallyportError AUDIT_CORRUPT when the list cannot be read: what it said is not to be forgotten */
  list(): readonly UnknownCall[] {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw corrupt(this.#file, error);
    }
    return parseList(this.#file, text);
  }

  /** Durable when it returns. */
  add(calls: readonly UnknownCall[]): void {
    if (calls.length === 0) return;
    const known = new Map(this.list().map((call) => [call.admittedSeq, call]));
    for (const { intentSeq, admittedSeq } of calls) known.set(admittedSeq, { intentSeq, admittedSeq });
    this.#write([...known.values()]);
  }

  /** False if it was not on the list. Durable when it returns. */
  remove(admittedSeq: number): boolean {
    const known = this.list();
    const rest = known.filter((call) => call.admittedSeq !== admittedSeq);
    if (rest.length === known.length) return false;
    this.#write(rest);
    return true;
  }

  #write(calls: readonly UnknownCall[]): void {
    const temporary = `${this.#file}.${process.pid}`;
    const descriptor = openSync(temporary, 'w', 0o600);
    try {
      writeSync(descriptor, JSON.stringify(calls));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, this.#file);
    syncFolder(dirname(this.#file));
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

function parseList(file: string, text: string): UnknownCall[] {
  let value: JsonValue;
  try {
    value = parseStrictJson(text, { maxBytes: MAX_BYTES, maxDepth: 3 });
  } catch (error) {
    throw corrupt(file, error);
  }
  if (!Array.isArray(value)) throw corrupt(file, null);
  return (value as readonly JsonValue[]).map((item) => {
    const intentSeq = isJsonObject(item) ? item['intentSeq'] : null;
    const admittedSeq = isJsonObject(item) ? item['admittedSeq'] : null;
    if (typeof intentSeq !== 'number' || typeof admittedSeq !== 'number') throw corrupt(file, null);
    return { intentSeq, admittedSeq };
  });
}

const corrupt = (file: string, cause: unknown): SallyportError =>
  new SallyportError('AUDIT_CORRUPT', `the list of calls with unknown outcome cannot be read: ${file}`, { cause });
