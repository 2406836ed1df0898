import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { equalBytes, randomBytes, SallyportError, sha256, singleHeader } from '../core/index.ts';
import { type Keeper, RateMeter } from '../keeper/index.ts';
import type { ConsoleLimits } from './limits.ts';

/** The header that carries the token: no browser sends it unasked, and no page of another origin can (there is no CORS). */
export const TOKEN_HEADER = 'x-sallyport-console';
const FILE = 'console.token';
const PATTERN = /^spc_[A-Za-z0-9_-]{43}$/;

/**
 * Lets its holder see what waits. It proves no person: who answers proves a credential of an operator, or is `local`, which is
 * advisory. INVARIANT: a token that was presented on the tool side opens nothing any more.
 */
export class ConsoleToken {
  readonly text: string;
  readonly #hash: Buffer;
  readonly #file: string;
  #isSpent = false;

  private constructor(text: string, file: string) {
    this.text = text;
    this.#hash = sha256(text);
    this.#file = file;
  }

  /** The token that is kept in this folder (0600), made if there is none. @throws SallyportError STATE_UNWRITABLE, STATE_PERMISSIONS */
  static keptIn(state: string): ConsoleToken {
    const file = join(state, FILE);
    return new ConsoleToken(read(file) ?? make(file), file);
  }

  /** Takes as long for one wrong text as for another. */
  is(presented: string): boolean {
    return equalBytes(sha256(presented), this.#hash) && !this.#isSpent;
  }

  /** A text that a client presented as its token: if it is this one, it is no token any more, and the next start makes another. */
  presentedAsToken(presented: string): void {
    if (!equalBytes(sha256(presented), this.#hash)) return;
    this.#isSpent = true;
    rmSync(this.#file, { force: true });
  }
}

function read(file: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new SallyportError('STATE_PERMISSIONS', `cannot open ${file}`, { cause });
  }
  try {
    const { mode, uid, size } = fstatSync(descriptor);
    const isPrivate = (mode & 0o170077) === 0o100000 && uid === (process.getuid?.() ?? uid) && size <= 256;
    if (!isPrivate) throw new SallyportError('STATE_PERMISSIONS', `${file} is open to other users`);
    const text = readFileSync(descriptor, 'utf8').trim();
    return PATTERN.test(text) ? text : null;
  } finally {
    closeSync(descriptor);
  }
}

function make(file: string): string {
  const text = `spc_${randomBytes(32).toString('base64url')}`;
  try {
    rmSync(file, { force: true });
    writeFileSync(file, `${text}\n`, { flag: 'wx', mode: 0o600, flush: true });
  } catch (cause) {
    throw new SallyportError('STATE_UNWRITABLE', `cannot write ${file}`, { cause });
  }
  return text;
}

/** Who may use the console: the holders of its token. */
export class Entrance {
  readonly #token: ConsoleToken;
  readonly #keeper: Keeper;
  readonly #requests: RateMeter;
  readonly #wrong: RateMeter;

  constructor({ token, keeper, limits }: { token: ConsoleToken; keeper: Keeper; limits: ConsoleLimits }) {
    this.#token = token;
    this.#keeper = keeper;
    this.#requests = new RateMeter(limits.requests);
    this.#wrong = new RateMeter(limits.wrongTokens);
  }

  /**
   * INVARIANT: what is presented here and is not the token of the console is shown to the keeper as a token of a client, which
   * remembers it as one of the tool side: so no credential of an operator survives being used as one.
   * @throws SallyportError CONSOLE_TOKEN, CONSOLE_BUSY
   */
  async check(request: IncomingMessage): Promise<void> {
    const presented = singleHeader(request, TOKEN_HEADER);
    const bearer = /^Bearer (\S{1,512})$/i.exec(singleHeader(request, 'authorization') ?? '')?.[1];
    if (presented !== undefined && bearer === undefined && this.#token.is(presented)) {
      if (this.#requests.take('all')) return;
      throw new SallyportError('CONSOLE_BUSY', 'too many requests at once');
    }
    for (const text of [presented, bearer]) if (text !== undefined) await this.#remember(text);
    throw new SallyportError('CONSOLE_TOKEN', 'this is not the token of the console');
  }

  async #remember(text: string): Promise<void> {
    if (this.#token.is(text) || text.length > 512) return;
    if (!this.#wrong.take('all')) throw new SallyportError('CONSOLE_BUSY', 'too many wrong tokens');
    await this.#keeper.authenticate(text);
  }
}
