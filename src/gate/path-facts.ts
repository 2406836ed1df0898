import { posix } from 'node:path';
import type { Limits } from '../core/index.ts';
import type { PathFacts, PathReading, PathTrouble, PathUse } from '../policy/index.ts';
import type { ControlFiles } from './control-files.ts';
import { identityOf } from './control-identities.ts';
import { troubleInText } from './path-text.ts';
import { type Walked, walkPath } from './path-walk.ts';

export interface ReadPathOptions {
  /** Absolute real path that relative paths are read against; the working folder of the process never counts. */
  readonly root: string;
  readonly use: PathUse;
  readonly control: ControlFiles;
  readonly limits: Pick<Limits, 'pathBytes' | 'pathLinks'>;
  /**
   * Somebody else will open the path by its name: a path that they could read differently is PATH_MALFORMED. That is `..`
   * after a symbolic link, which the kernel takes from the link's target and most programs, cleaning the text first, do not.
   */
  readonly openedElsewhere?: boolean;
}

/**
 * Reads a path argument: what it names now, every symbolic link followed by us, component by component. Opens nothing, so it
 * never waits for a FIFO or wakes a device. What it says is bound to the object later, when that is opened
 * (`open-path.ts`).
 *
 * What does not exist is read as text below its deepest existing folder, `..` included (`missing/../a` is `a`, as most
 * programs that clean paths as text see it), and so is what a path names below a file: whether a file outside the
 * allowed folders exists cannot be told from the answer.
 *
 * ATTACKER-CONTROLLED: `given`, and the links on the disk.
 */
export function readPath(given: string, options: ReadPathOptions): PathReading {
  const { root, use, limits } = options;
  const malformed = troubleInText(given, use, limits);
  if (malformed !== null) return trouble(given, malformed);
  const walked = walkPath(given, root, limits);
  if (typeof walked === 'string') return trouble(given, walked);
  if (Buffer.byteLength(endOf(walked)) > limits.pathBytes) return trouble(given, 'PATH_TOO_LONG');
  if (options.openedElsewhere === true && isAmbiguous(given, walked, options)) return trouble(given, 'PATH_MALFORMED');
  return factsOf(given, walked, options);
}

function isAmbiguous(given: string, walked: Walked, { root, limits }: ReadPathOptions): boolean {
  if (walked.links === 0 || !given.includes('..')) return false;
  const asText = walkPath(posix.resolve(root, given), root, limits);
  return typeof asText === 'string' || endOf(asText) !== endOf(walked);
}

function factsOf(given: string, walked: Walked, { root, control, use }: ReadPathOptions): PathFacts {
  const real = endOf(walked);
  const known = describe(walked);
  const identities = known.identity === null ? walked.folders : [...walked.folders, known.identity];
  const links = known.kind === 'folder' ? 1 : known.links;
  const verdict = control.judge({ real, identities, links, writing: use === 'file_write' });
  return Object.freeze({
    given,
    lexical: posix.resolve(root, given),
    real,
    ...known,
    controlFile: verdict !== null,
    stateFolder: verdict === 'state',
    ownCode: verdict === 'code',
  });
}

const endOf = ({ place, missing }: Walked): string => (missing.length === 0 ? place : posix.join(place, ...missing));

const trouble = (given: string, code: PathTrouble['trouble']): PathTrouble => Object.freeze({ given, trouble: code });

function describe({ stats, missing }: Walked): Pick<PathFacts, 'kind' | 'links' | 'identity'> {
  if (missing.length > 0) return { kind: 'missing', links: 0, identity: null };
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'special';
  return { kind, links: Number(stats.nlink), identity: identityOf(stats) };
}
