import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson, SallyportError } from '../core/index.ts';

/** Bytes of the file at most, and of one line. */
const MAX_BYTES = 536_870_912;
const MAX_LINE = 16_384;
/** The file is written anew when it has this many lines more than twice what is alive. */
const SLACK_LINES = 10_000;

interface Waiting {
  readonly line: string;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Small state of the keeper that must survive it: names with a value each, all in memory, every change a line of an
 * append-only file. Changes that arrive in one turn share one write and one fdatasync.
 * INVARIANT: after any failure of the disk no change is acknowledged any more.
 */
export class Journal {
  readonly #file: string;
  readonly #values: Map<string, JsonValue>;
  #handle: FileHandle;
  #lines: number;
  #queue: Waiting[] = [];
  #writing: Promise<void> | null = null;
  #failure: SallyportError | null = null;

  private constructor(file: string, values: Map<string, JsonValue>, handle: FileHandle) {
    this.#file = file;
    this.#values = values;
    this.#handle = handle;
    this.#lines = values.size;
  }

  /**
   * Opens the journal, or begins one; drops the torn end that a crash left, of which nothing was acknowledged.
   * @throws SallyportError AUDIT_CORRUPT (a damaged line before a good one), STATE_UNWRITABLE
   */
  static async open(file: string): Promise<Journal> {
    const values = readValues(file, await textOf(file));
    try {
      return new Journal(file, values, await writeAnew(file, values));
    } catch (cause) {
      throw new SallyportError('STATE_UNWRITABLE', `cannot write ${file}`, { cause });
    }
  }

  get(name: string): JsonValue | undefined {
    return this.#values.get(name);
  }

  /** Names and values, in the order in which they were put. */
  entries(): IterableIterator<[string, JsonValue]> {
    return this.#values.entries();
  }

  /** In memory at once; durable when it resolves. @throws SallyportError AUDIT_WRITE_FAILED */
  put(name: string, value: JsonValue): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#values.delete(name);
    this.#values.set(name, value);
    return this.#append(JSON.stringify({ name, value }));
  }

  /** As `put`. */
  delete(name: string): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (!this.#values.delete(name)) return this.#writing ?? Promise.resolve();
    return this.#append(JSON.stringify({ name }));
  }

  async close(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    this.#failure ??= new SallyportError('AUDIT_WRITE_FAILED', 'the journal of the keeper is closed');
    await this.#handle.close();
  }

  #append(line: string): Promise<void> {
    const done = new Promise<void>((resolve, reject) => this.#queue.push({ line, resolve, reject }));
    this.#writing ??= this.#drain();
    return done;
  }

  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0);
      try {
        await this.#write(batch);
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        this.#failure = new SallyportError('AUDIT_WRITE_FAILED', 'the journal of the keeper cannot be written', {
          cause,
        });
        for (const { reject } of [...batch, ...this.#queue.splice(0)]) reject(this.#failure);
      }
    }
    this.#writing = null;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    this.#lines += batch.length;
    if (this.#lines > 2 * this.#values.size + SLACK_LINES) {
      await this.#handle.close();
      this.#handle = await writeAnew(this.#file, this.#values);
      this.#lines = this.#values.size;
      return;
    }
    await this.#handle.appendFile(batch.map(({ line }) => `${line}\n`).join(''));
    await this.#handle.datasync();
  }
}

/** A file under the name, holding just these values, durable together with its name; open for appending. */
async function writeAnew(file: string, values: ReadonlyMap<string, JsonValue>): Promise<FileHandle> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    for (const [name, value] of values) await handle.appendFile(`${JSON.stringify({ name, value })}\n`);
    await handle.datasync();
    await rename(temporary, file);
    const folder = await open(dirname(file), 'r');
    await folder.sync().finally(() => folder.close());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function textOf(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length <= MAX_BYTES) return bytes.toString('utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
    throw corrupt(file, cause);
  }
  throw corrupt(file, null);
}

function readValues(file: string, text: string): Map<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  let torn = false;
  for (const line of text.split('\n').slice(0, -1)) {
    const change = readChange(line);
    if (change === null) torn = true;
    else if (torn) throw corrupt(file, null);
    else if (change.value === undefined) values.delete(change.name);
    else {
      values.delete(change.name);
      values.set(change.name, change.value);
    }
  }
  return values;
}

function readChange(line: string): { name: string; value: JsonValue | undefined } | null {
  let change: JsonValue;
  try {
    change = parseStrictJson(line, { maxBytes: MAX_LINE, maxDepth: 4 });
  } catch {
    // Torn by a crash, or damaged: the caller tells which by what follows.
    return null;
  }
  if (!isJsonObject(change)) return null;
  const { name, value }: JsonObject = change;
  return typeof name === 'string' ? { name, value } : null;
}

const corrupt = (file: string, cause: unknown): SallyportError =>
  new SallyportError('AUDIT_CORRUPT', `the journal of the keeper cannot be read: ${file}`, { cause });
