import { originalSpan, type Reading, type Span } from './reading.ts';

/** Shortest run of readable text inside what was decoded. */
const READABLE_LENGTH = 12;

/** What opening the blobs of one inspection may still cost. */
export interface BlobBudget {
  blobs: number;
  length: number;
}

const HEX = /^(?:0x)?[0-9a-fA-F]+$/;

/**
 * Decodes those of the runs (`surveyText`) of a reading that hold text. What the budget does not allow is left;
 * `budget.blobs` is then negative.
 */
export function openBlobs(reading: Reading, runs: readonly Span[], budget: BlobBudget): Reading[] {
  const found: Reading[] = [];
  for (const { start, end } of runs) {
    const next = openBlob(reading, start, end, budget);
    if (next !== null) found.push(next);
    if (budget.blobs < 0) break;
  }
  return found;
}

function openBlob(reading: Reading, from: number, to: number, budget: BlobBudget): Reading | null {
  const run = reading.text.slice(from, to).replace(/[\r\n]+/g, '');
  const text = decodeRun(run);
  if (text === null) return null;
  budget.blobs -= 1;
  budget.length -= text.length;
  if (budget.length < 0) budget.blobs = -1;
  if (budget.blobs < 0) return null;
  const within = originalSpan(reading, from, to);
  return { text, offsets: null, within, origin: isHexRun(run) ? 'hex' : 'base64', depth: reading.depth + 1 };
}

const isHexRun = (run: string): boolean => run.length % 2 === 0 && HEX.test(run);

/** The readable text inside a run, null if there is none: a hash, a picture, a long word. */
function decodeRun(run: string): string | null {
  if (isHexRun(run)) return readable(Buffer.from(run.startsWith('0x') ? run.slice(2) : run, 'hex'));
  // A long identifier or path has no upper case between lower case, or few of them.
  return looksEncoded(run) ? readable(Buffer.from(run, 'base64')) : null;
}

function looksEncoded(run: string): boolean {
  let changes = 0;
  let last = 0;
  const end = Math.min(run.length, 64);
  for (let at = 0; at < end; at++) {
    const code = run.charCodeAt(at);
    const kind = code >= 97 ? 1 : code >= 65 && code <= 90 ? 2 : 3;
    if (kind !== last) changes += 1;
    last = kind;
  }
  return changes * 5 >= end;
}

function readable(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  let [good, run, best] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isText = (code >= 0x20 && code !== 0x7f && code !== 0xfffd) || code === 9 || code === 10 || code === 13;
    run = isText ? run + 1 : 0;
    if (isText) good += 1;
    if (run > best) best = run;
  }
  return best >= READABLE_LENGTH && (good * 10 >= text.length * 9 || best >= READABLE_LENGTH * 3) ? text : null;
}
