import * as path from 'node:path';
import { SallyportError } from '../core/index.ts';
import type { LogLayout } from './layout.ts';
import { type LogFile, type LogFiles, unlessMissing, writeWhole } from './log-files.ts';
import { decodePayloadBundle, encodeBundledPayload, type Payload } from './payload.ts';

/**
 * Appends the payloads of 256 neighbouring records to the bundle that lies beside theirs. Bundles are appended to, never
 * rewritten, so that a checkpoint costs what is new; a record without payloads leaves no trace, and 256 of them no file.
 */
export class PayloadBundleWriter {
  readonly #files: LogFiles;
  readonly #layout: LogLayout;
  readonly index: number;
  #file: LogFile | null = null;
  #size: number;
  #pieces: Buffer[] = [];

  private constructor(files: LogFiles, layout: LogLayout, index: number, size: number) {
    this.#files = files;
    this.#layout = layout;
    this.index = index;
    this.#size = size;
  }

  /** A bundle of which nothing is covered by a checkpoint: what a crash left there is dropped with the first write. */
  static empty(files: LogFiles, layout: LogLayout, index: number): PayloadBundleWriter {
    return new PayloadBundleWriter(files, layout, index, 0);
  }

  /** The bundle whose first `width` records are covered by a checkpoint; payloads of later ones are cut off. */
  static async resume(files: LogFiles, layout: LogLayout, index: number, width: number): Promise<PayloadBundleWriter> {
    const file = layout.tile('blobs', index);
    const data = await unlessMissing(files.read(file));
    const { payloads } = decodePayloadBundle(data ?? Buffer.alloc(0));
    const size = payloads.reduce((end, payload) => (payload.index < width ? payload.end : end), 0);
    if (data !== null && size < data.length) await truncate(files, file, size);
    return new PayloadBundleWriter(files, layout, index, size);
  }

  add(index: number, payloads: readonly Payload[]): void {
    for (const payload of payloads) this.#pieces.push(encodeBundledPayload(index, payload));
  }

  /** Returns when what was added is on the disk. The caller makes the folder durable: returned when it is new. */
  async flush(): Promise<string | null> {
    if (this.#pieces.length === 0) return null;
    const data = Buffer.concat(this.#pieces);
    this.#pieces = [];
    const target = this.#layout.tile('blobs', this.index);
    this.#file ??= await this.#files.open(target, this.#size === 0 ? 'replace' : 'append');
    await writeWhole(this.#file, data);
    await this.#file.sync();
    this.#size += data.length;
    if (this.#file.size() !== this.#size) {
      throw new SallyportError('AUDIT_WRITE_FAILED', 'something else has written to a payload bundle');
    }
    return path.dirname(target);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }
}

async function truncate(files: LogFiles, target: string, size: number): Promise<void> {
  const file = await files.open(target, 'append');
  try {
    await file.truncate(size);
    await file.sync();
  } finally {
    await file.close();
  }
}
