import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Masks, SystemParts } from './bubblewrap-plan.ts';
import { type Bind, type InsideUser, makeRoot, placesOf } from './gvisor-bundle.ts';
import type { OpenRuntimeFolder } from './runtime-folder.ts';
import { makeMasks, makeSystemParts } from './system-parts.ts';

/** What the sandboxes of a backend have in common: nothing in it is ever written to again, and no sandbox can. */
export interface SharedParts {
  readonly system: SystemParts;
  readonly masks: Masks;
  /** The root folder with just these places; null: there are too many already. */
  rootFor(binds: readonly Bind[]): string | null;
}

/** Root folders of different shape, kept until the end; a shape is what a profile shows and covers. */
const MOST_ROOTS = 64;

/** Made once: removing a folder in which something was mounted, and there are twenty in a root, waits for every processor. */
export function makeShared(runtime: OpenRuntimeFolder, user: InsideUser): SharedParts {
  const folder = runtime.make('gvisor-shared');
  try {
    const system = makeSystemParts(folder, user);
    const masks = makeMasks(folder);
    mkdirSync(join(folder, 'roots'), { mode: 0o755 });
    return { system, masks, rootFor: openRoots(join(folder, 'roots'), system) };
  } catch (error) {
    // It is made anew by whoever asks next.
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function openRoots(folder: string, system: SystemParts): SharedParts['rootFor'] {
  const roots = new Map<string, string>();
  return (binds) => {
    const places = placesOf(binds);
    const shape = JSON.stringify(places);
    const known = roots.get(shape);
    if (known !== undefined || roots.size === MOST_ROOTS) return known ?? null;
    const root = join(folder, String(roots.size));
    try {
      makeRoot(root, places, system);
    } catch (error) {
      rmSync(root, { recursive: true, force: true });
      throw error;
    }
    roots.set(shape, root);
    return root;
  };
}
