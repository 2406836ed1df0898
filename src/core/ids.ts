import { randomFillSync } from 'node:crypto';

/** Random bytes are asked of the system by the page: one question for many salts and ids. */
const PAGE = 8_192;

/** INVARIANT: each byte of the page is handed out at most once, as a copy. */
class RandomPage {
  readonly #page = Buffer.alloc(PAGE);
  #used = PAGE;

  take(count: number): Buffer {
    if (count > PAGE) return randomFillSync(Buffer.alloc(count));
    if (this.#used + count > PAGE) {
      randomFillSync(this.#page);
      this.#used = 0;
    }
    const taken = Buffer.from(this.#page.subarray(this.#used, this.#used + count));
    this.#page.fill(0, this.#used, this.#used + count);
    this.#used += count;
    return taken;
  }
}

const source = new RandomPage();

/** Bytes from the system's cryptographic generator. */
export const randomBytes = (count: number): Buffer => source.take(count);

/** An unguessable identifier of 128 bits, as `prefix_` and 22 characters of base64url. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('base64url')}`;
