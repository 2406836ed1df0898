import { isSallyportError } from '../core/index.ts';
import { entrySpans, type Span } from './entry-bundle.ts';
import type { LogLayout } from './layout.ts';
import { HASH_BYTES, leafHashInPlace } from './merkle.ts';
import { commit, decodePayloadBundle } from './payload.ts';
import type { SkimmedRecord } from './skim-record.ts';
import type { Snapshot } from './snapshot.ts';
import { TILE_WIDTH } from './tile-path.ts';
import type { Tile } from './tile-tree.ts';
import type { Findings } from './verify-report.ts';

/** Compares the files of a log with each other and with what its records commit to. */
export class BundleCheck {
  readonly #layout: LogLayout;
  readonly #snapshot: Snapshot;
  readonly #findings: Findings;

  constructor(layout: LogLayout, snapshot: Snapshot, findings: Findings) {
    this.#layout = layout;
    this.#snapshot = snapshot;
    this.#findings = findings;
  }

  /**
   * Bundle `index`, of which the checkpoint covers `width` entries. Where it is missing or unreadable, that is a finding,
   * and the leaf hashes of the tile let the rest be judged.
   */
  find(index: number, width: number): FoundBundle {
    const data = this.#snapshot.read(this.#layout.tile('entries', index, width));
    const spans = data === null ? null : spansOf(data, width);
    if (data !== null && spans !== null) return { kind: 'entries', data, spans };
    const first = index * TILE_WIDTH;
    const which = `entries ${first} to ${first + width - 1}`;
    if (data === null) this.#findings.add('completeness', first, `${which} are missing`);
    else this.#findings.add('integrity', first, `the bundle of ${which} is damaged`);
    return { kind: 'hashes', leaves: this.#snapshot.read(this.#layout.tile(0, index, width)) };
  }

  /** Compares a tile as it follows from the entries with the one on the disk. Above level 0 it names no entry. */
  checkTile({ level, index, width, hashes }: Tile): void {
    const found = this.#snapshot.read(this.#layout.tile(level, index, width));
    const expected = hashes.subarray(0, width * HASH_BYTES);
    if (found?.equals(expected) === true) return;
    const first = level === 0 ? index * TILE_WIDTH : null;
    if (found === null) this.#findings.add('completeness', first, `tile ${index} of level ${level} is missing`);
    else if (first === null)
      this.#findings.add('integrity', null, `tile ${index} of level ${level} does not fit the entries`);
    else this.#addMismatch(first + firstDifference(found, expected));
  }

  #addMismatch(entry: number): void {
    this.#findings.add('integrity', entry, `entry ${entry} does not match its leaf hash`);
  }

  /** Compares the payloads beside a bundle with the commitments of its records; returns how many are there and match. */
  checkPayloads(index: number, records: readonly (SkimmedRecord | null)[]): number {
    const data = this.#snapshot.read(this.#layout.tile('blobs', index)) ?? Buffer.alloc(0);
    const due = commitmentsOf(records);
    const { payloads, end } = decodePayloadBundle(data);
    const first = index * TILE_WIDTH;
    let intact = 0;
    for (const { index: at, payload } of payloads) {
      if (at >= records.length) continue;
      const key = `${at}:${payload.name}`;
      if (due.get(key) === commit(payload)) intact += 1;
      else
        this.#findings.add('integrity', first + at, `a payload beside entry ${first + at} is not what it commits to`);
      due.delete(key);
    }
    if (end < data.length && records.length === TILE_WIDTH) {
      this.#findings.add('integrity', first, `the payload bundle ${index} is damaged`);
    }
    for (const key of due.keys()) this.#addAbsent(first + Number.parseInt(key, 10));
    return intact;
  }

  /** Erasure records do not exist yet: until they do, each payload that is gone was taken away. */
  #addAbsent(entry: number): void {
    this.#findings.add(
      'completeness',
      entry,
      `a payload of entry ${entry} is missing, and no record says that it was erased`,
    );
  }
}

/** A bundle as it was found: its entries, or the leaf hashes that stand for entries that are missing or unreadable. */
export type FoundBundle =
  | { readonly kind: 'entries'; readonly data: Buffer; readonly spans: readonly Span[] }
  | { readonly kind: 'hashes'; readonly leaves: Buffer | null };

/** The leaf hash at `at` in a bundle; null when neither the entry nor its hash is there. */
export function leafOf(bundle: FoundBundle, at: number): string | null {
  if (bundle.kind === 'entries') {
    const span = bundle.spans[at];
    return span === undefined ? null : leafHashInPlace(bundle.data, span.start, span.end);
  }
  const leaf = bundle.leaves?.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
  return leaf?.length === HASH_BYTES ? leaf.toString('latin1') : null;
}

function spansOf(data: Buffer, width: number): Span[] | null {
  try {
    return entrySpans(data, width);
  } catch (error) {
    if (!isSallyportError(error, 'AUDIT_CORRUPT')) throw error;
    return null;
  }
}

function firstDifference(found: Buffer, expected: Buffer): number {
  const at = expected.findIndex((byte, position) => found[position] !== byte);
  return at < 0 ? 0 : Math.floor(at / HASH_BYTES);
}

function commitmentsOf(records: readonly (SkimmedRecord | null)[]): Map<string, unknown> {
  const due = new Map<string, unknown>();
  for (const [at, record] of records.entries()) {
    for (const [name, commitment] of Object.entries(parseCommitments(record))) due.set(`${at}:${name}`, commitment);
  }
  return due;
}

/** What cannot be read commits to nothing, and each payload beside it is a finding. */
function parseCommitments(record: SkimmedRecord | null): Record<string, unknown> {
  if (record?.commitments === undefined) return {};
  try {
    const value: unknown = JSON.parse(record.commitments);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}
