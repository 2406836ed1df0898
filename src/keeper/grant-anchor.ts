import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { count, newId, parseStrictJson, SallyportError, sha256Hex, shape, text } from '../core/index.ts';

/** Bytes of the file. */
const MAX_BYTES = 1_024;

interface Anchored {
  /** Names the life of the state folder; grants hold in theirs only. */
  readonly generation: string;
  /** How many records the log had at least when a grant was last given or spent. */
  readonly size: number;
}

const readAnchored = shape<Anchored>({ generation: text(64), size: count });

/** The folder of this user that ends with the machine's run (XDG Base Directory Specification), or null. */
export function runtimeFolder(environment: NodeJS.ProcessEnv = process.env): string | null {
  const folder = environment['XDG_RUNTIME_DIR'];
  if (folder === undefined || !isAbsolute(folder)) return null;
  const stat = statSync(folder, { throwIfNoEntry: false });
  const isOurs = stat?.isDirectory() === true && (process.getuid === undefined || stat.uid === process.getuid());
  return isOurs && (stat.mode & 0o077) === 0 ? folder : null;
}

/**
 * What a backup of the state folder does not bring back: a file outside of it, in memory where the system has such a folder.
 * INVARIANT: grants outlive a restart only if this proves that the log is no older than their last use. Whoever deletes or
 * alters the file ends every grant, and opens none: what a grant has to name stands in the state folder too.
 */
export class GrantAnchor {
  #path: string | null;
  readonly generation: string;
  /** False: grants of before are void, and what was half answered begins anew. */
  readonly continues: boolean;
  #size: number;

  private constructor(path: string | null, anchored: Anchored, continues: boolean) {
    this.#path = path;
    this.generation = anchored.generation;
    this.#size = anchored.size;
    this.continues = continues;
  }

  /** `logSize`: records that the log has now. Without a folder, grants end with this process. */
  static open(folder: string | null, state: string, logSize: number): GrantAnchor {
    const path = folder === null ? null : join(folder, 'sallyport', `${sha256Hex(state).slice(0, 32)}.json`);
    const known = path === null ? null : read(path);
    const continues = known !== null && logSize >= known.size;
    const anchor = new GrantAnchor(path, continues ? known : { generation: newId('gen'), size: logSize }, continues);
    if (!continues) anchor.#begin();
    return anchor;
  }

  /** A grant is about to be given or spent behind the record `size - 1`. @throws SallyportError STATE_UNWRITABLE */
  advance(size: number): void {
    if (size <= this.#size) return;
    this.#size = size;
    this.#write();
  }

  /** INVARIANT: where a new life cannot be written down, nothing says that the one before goes on. */
  #begin(): void {
    try {
      this.#write();
    } catch {
      if (this.#path !== null) rmSync(this.#path, { force: true });
      this.#path = null;
    }
  }

  #write(): void {
    if (this.#path === null) return;
    const fresh = `${this.#path}.${process.pid}`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(fresh, JSON.stringify({ generation: this.generation, size: this.#size }), { mode: 0o600 });
      renameSync(fresh, this.#path);
    } catch (cause) {
      throw new SallyportError('STATE_UNWRITABLE', `cannot write ${this.#path}`, { cause });
    }
  }
}

/** Null for what is missing or cannot be read: then nothing continues. */
function read(path: string): Anchored | null {
  try {
    return readAnchored(parseStrictJson(readFileSync(path, 'utf8'), { maxBytes: MAX_BYTES, maxDepth: 2 }), 'anchor');
  } catch {
    return null;
  }
}
