import { setImmediate } from 'node:timers/promises';
import { isSallyportError } from '../core/index.ts';
import type { OpenedPath } from '../gate/index.ts';
import type { LineBuffer } from './answer.ts';
import { decodeText } from './decode-text.ts';
import { excerptOf, type LineMatcher } from './search-text.ts';
import { walkFolder } from './walk-folder.ts';

const MAX_DEPTH = 64;
/** Bytes read per call. */
const SEARCH_BYTES = 268_435_456;
/** Steps of matching between two pauses for everybody else in the process. */
const STEPS_PER_TURN = 1_000_000;
/** Entries seen per file that may be opened. */
const ENTRIES_PER_FILE = 10;
/** Folders that hold what tools made; they are searched when they are named. */
const PASSED_OVER = new Set(['.git', 'node_modules']);

/** A search under way: what is wanted, and what was found and passed over so far. */
export interface Search {
  readonly matcher: LineMatcher;
  readonly signal: AbortSignal;
  readonly maxMatches: number;
  readonly maxFileBytes: number;
  readonly lines: LineBuffer;
  readonly tally: {
    /** Entries seen, whether or not they were searched. */
    entries: number;
    /** Files opened. */
    files: number;
    bytes: number;
    steps: number;
    binary: number;
    large: number;
    unreadable: number;
    /** Why the search ended before everything was searched. */
    stop: string | null;
  };
}

/** Which files are searched, and how many at most. */
interface Selection {
  readonly accepts: (path: string) => boolean;
  readonly maxFiles: number;
}

/** Searches a file, or the files below a folder, into `search`. */
export async function searchBelow(top: OpenedPath, search: Search, { accepts, maxFiles }: Selection): Promise<void> {
  if (top.kind !== 'folder') return searchFile(top, search);
  const { tally, signal } = search;
  const walk = walkFolder(top, {
    depth: MAX_DEPTH,
    signal,
    skip: ({ display }) => PASSED_OVER.has(lastSegment(display)),
    onIncomplete: () => {
      tally.unreadable += 1;
    },
  });
  for await (const entry of walk) {
    tally.entries += 1;
    tally.stop ??= limitReached(tally, maxFiles);
    if (tally.stop !== null) return;
    const isCandidate = entry.kind === 'file' && entry.linkedTo === null && accepts(below(top, entry));
    if (isCandidate) await searchBelowTop(entry, search);
  }
}

function limitReached({ entries, files, bytes }: Search['tally'], maxFiles: number): string | null {
  if (files >= maxFiles) return `after ${files} files`;
  if (bytes >= SEARCH_BYTES) return `after ${bytes} bytes`;
  return entries > maxFiles * ENTRIES_PER_FILE ? `after ${entries} entries` : null;
}

/** A file that changed or cannot be read is counted; it does not end the search. */
async function searchBelowTop(file: OpenedPath, search: Search): Promise<void> {
  try {
    await searchFile(file, search);
  } catch (error) {
    if (!isSallyportError(error) || search.signal.aborted) throw error;
    search.tally.unreadable += 1;
  }
}

async function searchFile(path: OpenedPath, search: Search): Promise<void> {
  const { tally } = search;
  tally.files += 1;
  const bytes = await readWhole(path, search);
  if (bytes === null) {
    tally.large += 1;
    return;
  }
  tally.bytes += bytes.length;
  const decoded = decodeText(bytes);
  if (decoded === null) tally.binary += 1;
  else if (search.matcher.mayMatch(decoded.text)) await searchLines(path.display, decoded.text, search);
}

/** The file as large as it was when opened; null if that is too much. */
async function readWhole(path: OpenedPath, { maxFileBytes, signal }: Search): Promise<Buffer | null> {
  signal.throwIfAborted();
  const file = await path.openFile();
  try {
    const { size } = await file.stat();
    if (size > maxFileBytes) return null;
    const buffer = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await file.read(buffer, filled, size - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

async function searchLines(display: string, text: string, search: Search): Promise<void> {
  const { matcher, lines, tally, signal } = search;
  let number = 0;
  for (const line of text.split(/\r?\n/)) {
    number += 1;
    tally.steps += matcher.cost * line.length;
    if (tally.steps > STEPS_PER_TURN) {
      tally.steps = 0;
      await setImmediate();
      signal.throwIfAborted();
    }
    const at = matcher.find(line);
    if (at === null) continue;
    if (lines.count >= search.maxMatches) tally.stop = `after ${search.maxMatches} matches`;
    else if (!lines.add(`${display}:${number}: ${excerptOf(line, at)}`)) tally.stop = 'where the result was full';
    if (tally.stop !== null) return;
  }
}

/** What to say besides the matches. */
export function notesOf({ lines, tally }: Search): string[] {
  const notes = [
    lines.count === 0 ? 'No matches.' : null,
    tally.stop === null ? null : `Ended ${tally.stop}: narrow path, glob or pattern.`,
  ];
  const passed = [
    tally.binary > 0 ? `${tally.binary} binary` : null,
    tally.large > 0 ? `${tally.large} too large` : null,
    tally.unreadable > 0 ? `${tally.unreadable} not readable` : null,
  ].filter((part) => part !== null);
  if (passed.length > 0) notes.push(`Not searched: ${passed.join(', ')}.`);
  return notes.filter((note) => note !== null);
}

const lastSegment = (display: string): string => display.slice(display.lastIndexOf('/') + 1);

/** The entry's path relative to the folder that is searched, wherever a link to that folder led. */
function below({ display, linkedTo }: OpenedPath, entry: OpenedPath): string {
  const prefix = `${linkedTo ?? display}/`;
  return entry.display.startsWith(prefix) ? entry.display.slice(prefix.length) : entry.display;
}
