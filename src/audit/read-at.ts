import { type JsonValue, SallyportError } from '../core/index.ts';
import { PayloadReader, type ReadRecord, readRecords } from './read-log.ts';

/** A record, and the way to its payloads. */
export interface RecordWithPayloads extends ReadRecord {
  /** Those that were not erased, by name; to be asked for before the next record is. */
  payloads(): Promise<Readonly<Record<string, JsonValue>>>;
}

/** Records between two that are wanted: fewer are read over, since each bundle is one file. */
const NEAR = 256;

/**
 * Records by their numbers, in the order of the log, whatever the order of `numbers`, each once; a number that the log does not
 * reach is left out. Holds one bundle at a time, however many are asked for.
 * @throws SallyportError the codes of `readRecords`; `payloads` those of `readPayloads`
 */
export async function* readRecordsAt(
  directory: string,
  numbers: Iterable<number>,
): AsyncGenerator<RecordWithPayloads, void, undefined> {
  const wanted = [...new Set(numbers)].filter((seq) => Number.isSafeInteger(seq) && seq >= 0).sort((a, b) => a - b);
  const reader = new PayloadReader(directory);
  for (let from = 0, to = 0; from < wanted.length; from = to) {
    to = from + 1;
    while (to < wanted.length && (wanted[to] ?? 0) - (wanted[to - 1] ?? 0) < NEAR) to++;
    const run = new Set(wanted.slice(from, to));
    for await (const found of readRecords(directory, { from: wanted[from] ?? 0, to: (wanted[to - 1] ?? 0) + 1 })) {
      if (run.has(found.seq)) yield { ...found, payloads: () => payloadsOf(reader, found) };
    }
  }
}

async function payloadsOf(reader: PayloadReader, { seq, record }: ReadRecord): Promise<Record<string, JsonValue>> {
  const found: Record<string, JsonValue> = {};
  for (const reading of await reader.read(record)) {
    if (reading.status === 'altered') {
      const message = `payload ${reading.name} of entry ${seq} does not match its commitment`;
      throw new SallyportError('AUDIT_INTEGRITY', message, { detail: { entry: seq } });
    }
    if (reading.status === 'intact') found[reading.name] = reading.value;
  }
  return found;
}
