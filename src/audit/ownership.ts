import * as path from 'node:path';
import type { LogLayout } from './layout.ts';
import { type LogFiles, writeWhole } from './log-files.ts';

/** The claim of one process on the log. */
export interface Ownership {
  /** False as soon as another process has claimed the log. */
  holds(): boolean;
  release(): Promise<void>;
}

const CLAIM = 'owner.';

/**
 * Claims the log: from here on every earlier owner sees that it lost it, before it acknowledges anything more. The lock
 * that keeps a second process from getting here at all is the keeper's.
 *
 * INVARIANT: an owner asks {@link Ownership.holds} after its bytes are durable and before it acknowledges them; who claims
 * reads the log after the claim. So what is acknowledged was there to be read. The file stays open, so that its inode is
 * not given to another claim.
 */
export async function claimLog(files: LogFiles, layout: LogLayout, boot: string): Promise<Ownership> {
  for (const name of await files.list(layout.wal)) {
    if (name.startsWith(CLAIM)) await files.remove(path.join(layout.wal, name));
  }
  const claim = path.join(layout.wal, `${CLAIM}${boot}`);
  const file = await files.open(claim, 'create');
  try {
    await writeWhole(file, Buffer.from(`${boot}\n`));
    const ours = files.identity(claim);
    await files.rename(claim, layout.owner);
    return { holds: () => files.identity(layout.owner) === ours, release: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}
