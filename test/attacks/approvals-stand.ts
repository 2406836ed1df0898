import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/core/index.ts';
import { type EmbeddedKeeper, openKeeper } from '../../src/keeper/index.ts';

/** A state folder, a folder that a backup does not bring back, and keepers over them, one at a time. */
export class Stand {
  readonly base: string = mkdtempSync(join(tmpdir(), 'sallyport-approvals-'));
  readonly state: string = join(this.base, 'state');
  readonly runtime: string = join(this.base, 'runtime');
  #keeper: EmbeddedKeeper | null = null;

  constructor() {
    mkdirSync(this.runtime, { mode: 0o700 });
  }

  async open(options: { clock?: Clock; runtime?: string | null } = {}): Promise<EmbeddedKeeper> {
    await this.#keeper?.close();
    const { state, runtime } = this;
    this.#keeper = await openKeeper({ state, reachable: [], runtime, adoptionMs: 100, ...options });
    return this.#keeper;
  }

  async shut(): Promise<void> {
    await this.#keeper?.close();
    this.#keeper = null;
  }

  async end(): Promise<void> {
    await this.shut();
    rmSync(this.base, { recursive: true });
  }
}
