import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseStrictJson, SallyportError } from '../core/index.ts';
import { checkTokenName, describeToken, findToken, mintToken, type TokenRecord } from '../identity/index.ts';

/**
 * The tokens of a state folder, one file each, so that adding and revoking need no lock: `tokens/NAME.json`. The token that
 * Sallyport makes by itself for the first client lies beside it in clear (`NAME.token`, 0600), so that `up` can print it again.
 */
export class TokenFolder {
  readonly #folder: string;
  #records: readonly TokenRecord[] = [];
  #stamp = '';

  constructor(state: string) {
    this.#folder = join(state, 'tokens');
  }

  /** The record of a presented token, or null; sees what other processes added or revoked. */
  find(presented: string): TokenRecord | null {
    return findToken(this.list(), presented);
  }

  list(): readonly TokenRecord[] {
    const stamp = this.#currentStamp();
    if (stamp !== this.#stamp) {
      this.#records = this.#read();
      this.#stamp = stamp;
    }
    return this.#records;
  }

  /**
   * Makes a token and returns it: the only time that it is seen.
   * @throws SallyportError TOKEN_NAME when the name is malformed or taken
   */
  add(holder: { name: string; user: string; now: number }): string {
    const token = mintToken();
    const record = describeToken(token, holder);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(join(this.#folder, `${record.name}.json`), JSON.stringify(record), {
        flag: 'wx',
        mode: 0o600,
        flush: true,
      });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(this.#folder, cause);
      throw new SallyportError('TOKEN_NAME', `a token named ${record.name} exists`, { cause });
    }
    return token;
  }

  /** True if there was such a token; it is refused from now on. */
  revoke(name: string): boolean {
    const path = join(this.#folder, `${checkTokenName(name)}.json`);
    const existed = statSync(path, { throwIfNoEntry: false }) !== undefined;
    rmSync(path, { force: true });
    rmSync(join(this.#folder, `${name}.token`), { force: true });
    return existed;
  }

  /** The token kept in clear under this name, made if it is not there. */
  keptInClear(holder: { name: string; user: string; now: number }): string {
    const path = join(this.#folder, `${checkTokenName(holder.name)}.token`);
    const kept = statSync(path, { throwIfNoEntry: false }) === undefined ? null : readFileSync(path, 'utf8').trim();
    if (kept !== null && this.find(kept)?.name === holder.name) return kept;
    this.revoke(holder.name);
    const token = this.add(holder);
    writeFileSync(path, `${token}\n`, { mode: 0o600, flush: true });
    return token;
  }

  #currentStamp(): string {
    const stat = statSync(this.#folder, { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? 'none' : `${stat.ino} ${stat.mtimeNs}`;
  }

  #read(): readonly TokenRecord[] {
    if (this.#currentStamp() === 'none') return [];
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.json'));
    return names.map((name) => readToken(join(this.#folder, name)));
  }
}

const unwritable = (folder: string, cause: unknown): SallyportError =>
  new SallyportError('STATE_UNWRITABLE', `cannot write to ${folder}`, { cause });

function readToken(path: string): TokenRecord {
  const value = parseStrictJson(readFileSync(path, 'utf8'), { maxBytes: 4_096, maxDepth: 2 });
  if (isJsonObject(value)) {
    const { name, user, digest, created } = value;
    if (typeof name === 'string' && typeof user === 'string' && typeof created === 'string') {
      if (typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)) return { name, user, digest, created };
    }
  }
  throw new SallyportError('STATE_UNWRITABLE', `${path} is not a token record; remove it and add the token again`);
}
