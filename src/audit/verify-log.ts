import { setImmediate } from 'node:timers/promises';
import { isSallyportError } from '../core/index.ts';
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { layoutOf } from './layout.ts';
import { type NoteVerifier, parseVerifierKey } from './signed-note.ts';
import { type SkimmedRecord, skimSource } from './skim-record.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { TILE_WIDTH, tileWidth } from './tile-path.ts';
import { TileTree } from './tile-tree.ts';
import { BundleCheck, type FoundBundle, leafOf } from './verify-bundles.ts';
import { RecordJudge } from './verify-records.ts';
import { Findings, type Verdict, type VerifyReport } from './verify-report.ts';

/** How old the last record of a log that is open may be: three heartbeats, in milliseconds. */
export const FRESH_MS = 180_000;

/** Bundles that are judged before others get a turn: some 10,000 records, some 50 ms. */
const BUNDLES_AT_ONCE = 40;

/** How far ahead of our clock a record may be, in milliseconds. */
const CLOCK_SKEW_MS = 60_000;

export interface VerifyOptions {
  /** The state folder. */
  readonly directory: string;
  /** The key that must have signed, as a C2SP vkey line, from where whoever can write the log cannot write. */
  readonly verifierKey: string;
  /** Now, in milliseconds since the epoch. */
  readonly now: number;
  /** Default {@link FRESH_MS}. */
  readonly maxAgeMs?: number;
  /** A checkpoint of this log that was kept elsewhere; by default the second copy in the state folder. */
  readonly stateCheckpoint?: string;
}

/**
 * Reads a whole log and judges authenticity, integrity, completeness and freshness, each by itself. A damaged log is a
 * report, not an exception. Reads only, in memory that does not grow with the log, and may run while a writer does.
 *
 * @throws SallyportError AUDIT_FORGED when `verifierKey` itself cannot be read; errors of the system other than ENOENT
 */
export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const verifier = parseVerifierKey(options.verifierKey);
  const layout = layoutOf(options.directory);
  const findings = new Findings();
  const snapshot = await takeSnapshot(layout);
  const copyNote =
    options.stateCheckpoint === undefined ? snapshot.stateCheckpoint : Buffer.from(options.stateCheckpoint);
  const checkpoint = open(snapshot.checkpoint, verifier, findings, 'the checkpoint');
  const copy = open(copyNote, verifier, findings, 'the second copy of the checkpoint');
  const check = new BundleCheck(layout, snapshot, findings);
  const walk = new LogWalk(check, findings, [checkpoint, copy]);
  const basis = checkpoint ?? copy;
  if (basis !== null) await walk.run(basis.size);
  return walk.report({ basis, checkpoint, copy, snapshot, options });
}

function open(note: Buffer | null, verifier: NoteVerifier, findings: Findings, name: string): SignedCheckpoint | null {
  if (note === null) {
    findings.add('completeness', null, `${name} is missing`);
    return null;
  }
  try {
    return openCheckpoint(note, verifier);
  } catch (error) {
    if (!isSallyportError(error, 'AUDIT_FORGED')) throw error;
    findings.add('authenticity', null, `${name}: ${error.message}`);
    return null;
  }
}

interface Outcome {
  readonly basis: SignedCheckpoint | null;
  readonly checkpoint: SignedCheckpoint | null;
  readonly copy: SignedCheckpoint | null;
  readonly snapshot: Snapshot;
  readonly options: VerifyOptions;
}

/** One pass over the records of a log: the tree grows with them, and is compared with what is signed where it is signed. */
class LogWalk {
  readonly #check: BundleCheck;
  readonly #findings: Findings;
  readonly #judge: RecordJudge;
  readonly #tree = new TileTree();
  readonly #signed: readonly SignedCheckpoint[];
  #payloads = 0;
  #proven = false;

  constructor(check: BundleCheck, findings: Findings, signed: readonly (SignedCheckpoint | null)[]) {
    this.#check = check;
    this.#findings = findings;
    this.#judge = new RecordJudge(findings);
    this.#signed = signed.filter((checkpoint) => checkpoint !== null);
  }

  async run(size: number): Promise<void> {
    this.#compareRoots();
    for (let index = 0; index * TILE_WIDTH < size; index++) {
      if (!this.#walkBundle(index, tileWidth(size, 0, index))) return;
      if (index % BUNDLES_AT_ONCE === 0) await setImmediate();
    }
    for (const tile of this.#tree.partialTiles()) this.#check.checkTile(tile);
  }

  /** False when what comes after the bundle cannot be proven. */
  #walkBundle(index: number, width: number): boolean {
    const bundle = this.#check.find(index, width);
    if (!this.#hash(bundle, width)) return false;
    const records = bundle.kind === 'entries' ? this.#read(bundle, index) : [];
    const committed = records.some((record) => record?.commitments !== undefined);
    if (committed) this.#payloads += this.#check.checkPayloads(index, records);
    return true;
  }

  /** False when neither an entry nor its hash is there. */
  #hash(bundle: FoundBundle, width: number): boolean {
    for (let at = 0; at < width; at++) {
      const leaf = leafOf(bundle, at);
      if (leaf === null) {
        const entry = this.#tree.size;
        this.#findings.add('integrity', entry, `nothing is left of entry ${entry}: what follows cannot be proven`);
        return false;
      }
      for (const tile of this.#tree.append(leaf)) this.#check.checkTile(tile);
      this.#compareRoots();
    }
    return true;
  }

  #compareRoots(): void {
    for (const { size, root } of this.#signed) {
      if (size !== this.#tree.size) continue;
      if (this.#tree.root().equals(root)) this.#proven = true;
      else this.#findings.add('integrity', null, `the first ${size} entries do not have the root that was signed`);
    }
  }

  #read(bundle: FoundBundle & { kind: 'entries' }, index: number): (SkimmedRecord | null)[] {
    const first = index * TILE_WIDTH;
    const source = skimSource(bundle.data);
    return bundle.spans.map((span, at) => this.#judge.read(source, span, first + at));
  }

  report({ basis, checkpoint, copy, snapshot, options }: Outcome): VerifyReport {
    const findings = this.#findings;
    const size = basis?.size ?? 0;
    if (checkpoint !== null && copy !== null && copy.size > checkpoint.size) {
      const reason = `entries ${size} to ${copy.size - 1} are missing: the log was rolled back below its last checkpoint`;
      findings.add('completeness', size, reason);
    }
    if (snapshot.tail === null) findings.add('integrity', size, 'the write-ahead log is damaged');
    const freshness = this.#freshness(options);
    const unsigned = checkpoint === null ? [] : (snapshot.tail?.entries ?? []);
    for (const { bytes, seq } of unsigned) this.#judge.read(skimSource(bytes), { start: 0, end: bytes.length }, seq);
    const unknown = basis === null ? 'no checkpoint could be verified' : undefined;
    const note = this.#proven ? 'the records have the root that was signed' : '';
    return {
      origin: basis?.origin ?? null,
      size,
      unsigned: unsigned.length,
      tornBytes: snapshot.tail?.tornBytes ?? 0,
      unwitnessed: size,
      authenticity: findings.verdict('authenticity', { unknown }),
      integrity: findings.verdict('integrity', { unknown, note }),
      completeness: findings.verdict('completeness', { unknown }),
      freshness,
      findings: findings.listed,
      findingsTotal: findings.total,
      openAdmissions: this.#judge.openAdmissions,
      counts: this.#judge.counts,
      boots: this.#judge.boots,
      payloads: this.#payloads,
      lastRecord: this.#judge.last?.time ?? null,
    };
  }

  /** By signed records only: anybody who can write the write-ahead log could put a heartbeat there. */
  #freshness({ now, maxAgeMs = FRESH_MS }: VerifyOptions): Verdict {
    const last = this.#judge.last;
    if (last === null) return this.#findings.verdict('freshness', { unknown: 'no signed record says a time' });
    const time = Date.parse(last.time);
    const age = now - time;
    if (Number.isNaN(age)) this.#findings.add('freshness', last.seq, 'the last record states no time');
    else if (age < -CLOCK_SKEW_MS) this.#findings.add('freshness', last.seq, 'the last record is from the future');
    else if (age > maxAgeMs && last.type !== 'shutdown') {
      const seconds = Math.floor(age / 1000);
      this.#findings.add('freshness', last.seq, `the last record is ${seconds} s old and is no shutdown`);
    }
    const note = last.type === 'shutdown' ? 'the log was shut down' : '';
    return this.#findings.verdict('freshness', { note });
  }
}
