import * as path from 'node:path';
import { type TileKind, tilePath } from './tile-path.ts';

/** Where everything of a log lies below the state folder (docs/audit-format.md). */
export interface LogLayout {
  readonly state: string;
  readonly log: string;
  readonly wal: string;
  readonly blobs: string;
  readonly keys: string;
  readonly privateKey: string;
  readonly verifierKey: string;
  readonly checkpoint: string;
  /** Space held back for the day on which the disk is full. */
  readonly reserve: string;
  /** The second copy, which completeness is judged against. */
  readonly stateCheckpoint: string;
  /** Replaced by every process that opens the log; who finds another's here no longer owns the log. */
  readonly owner: string;
  tile(kind: TileKind, index: number, width?: number): string;
}

/** The layout below a state folder. */
export function layoutOf(state: string): LogLayout {
  const log = path.join(state, 'log');
  const keys = path.join(state, 'keys');
  const wal = path.join(log, 'wal');
  return Object.freeze({
    state,
    log,
    wal,
    blobs: path.join(log, 'blobs'),
    keys,
    privateKey: path.join(keys, 'log.key'),
    verifierKey: path.join(keys, 'log.vkey'),
    checkpoint: path.join(log, 'checkpoint'),
    reserve: path.join(log, 'reserve'),
    stateCheckpoint: path.join(state, 'checkpoint'),
    owner: path.join(wal, 'owner'),
    tile: (kind: TileKind, index: number, width?: number) => path.join(log, tilePath(kind, index, width)),
  });
}
