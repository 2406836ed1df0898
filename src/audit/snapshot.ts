import * as fs from 'node:fs';
import { isSallyportError } from '../core/index.ts';
import { statedSize } from './checkpoint.ts';
import type { LogLayout } from './layout.ts';
import { isSystemError, realFiles, unlessMissing } from './log-files.ts';
import { hashesAtLevel, TILE_WIDTH, tileWidth } from './tile-path.ts';
import { readTail, type Tail } from './wal.ts';

/** Tries to read files of one moment while a writer replaces them. */
const TRIES = 50;

/** The files of a log that a writer replaces, as they were at one moment; all others only appear. */
export interface Snapshot {
  readonly checkpoint: Buffer | null;
  readonly stateCheckpoint: Buffer | null;
  /** What follows the checkpoint, or null if the write-ahead log is damaged. */
  readonly tail: Tail | null;
  /**
   * A file of the log: from the snapshot if it belongs to it, else from the disk; null if it is missing. Blocks: a log is
   * thousands of small files, and a verifier that waits for each by way of the event loop takes twice as long.
   */
  read(file: string): Buffer | null;
}

/** Reads the checkpoint and all that goes with it, again if the checkpoint changed meanwhile. */
export async function takeSnapshot(layout: LogLayout): Promise<Snapshot> {
  let snapshot = await readOnce(layout);
  for (let tries = 1; tries < TRIES && !(await isCurrent(layout, snapshot)); tries++) snapshot = await readOnce(layout);
  return snapshot;
}

async function isCurrent(layout: LogLayout, { checkpoint }: Snapshot): Promise<boolean> {
  const now = await readFile(layout.checkpoint);
  return now === null || checkpoint === null ? now === checkpoint : now.equals(checkpoint);
}

const readFile = (file: string): Promise<Buffer | null> => unlessMissing(realFiles.read(file));

function readNow(file: string): Buffer | null {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

async function readOnce(layout: LogLayout): Promise<Snapshot> {
  const checkpoint = await readFile(layout.checkpoint);
  const stateCheckpoint = await readFile(layout.stateCheckpoint);
  const size = sizeOf(checkpoint);
  const edge = new Map<string, Buffer | null>();
  for (const file of edgeFiles(layout, size)) edge.set(file, await readFile(file));
  const tail = await tailOf(layout, size);
  const read = (file: string): Buffer | null => edge.get(file) ?? (edge.has(file) ? null : readNow(file));
  return { checkpoint, stateCheckpoint, tail, read };
}

/** ATTACKER-CONTROLLED: only says which files to look at. */
function sizeOf(checkpoint: Buffer | null): number {
  if (checkpoint === null) return 0;
  try {
    return statedSize(checkpoint);
  } catch (error) {
    if (!isSallyportError(error, 'AUDIT_FORGED')) throw error;
    return 0;
  }
}

function edgeFiles(layout: LogLayout, size: number): string[] {
  const files: string[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    const index = Math.floor(hashesAtLevel(size, level) / TILE_WIDTH);
    const width = tileWidth(size, level, index);
    if (width === 0) continue;
    files.push(layout.tile(level, index, width));
    if (level === 0) files.push(layout.tile('entries', index, width));
  }
  return files;
}

async function tailOf(layout: LogLayout, size: number): Promise<Tail | null> {
  const none: Tail = { entries: [], tornBytes: 0, segments: [] };
  try {
    return (await unlessMissing(readTail(realFiles, layout, size))) ?? none;
  } catch (error) {
    if (!isSallyportError(error, 'AUDIT_CORRUPT')) throw error;
    return null;
  }
}
