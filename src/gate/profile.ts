import { SallyportError } from '../core/index.ts';
import type { SpawnTerms } from '../policy/index.ts';
import type { Cover, EgressDoor, Mount, Sandboxes, SandboxLimits, SandboxProfile } from '../sandbox/index.ts';
import type { ControlFiles } from './control-files.ts';
import { type Footprint, takeFootprint } from './footprint.ts';
import { type FolderReader, openFolderReader } from './profile-folders.ts';
import { reservedPlaces } from './profile-reserved.ts';
import { coverLinked, coverLinks, type Walked, walkTerms } from './profile-walk.ts';
import { SYSTEM } from './program-runtime.ts';

/** What holds where a rule says nothing. A server prints as long as it lives. */
export const DEFAULT_SPAWN_LIMITS: Omit<SandboxLimits, 'wallMs'> = Object.freeze({
  memoryBytes: 2 * 1_073_741_824,
  processes: 512,
  fileBytes: 1_073_741_824,
  openFiles: 4_096,
  outputBytes: 64 * 1_048_576,
  diskBytes: 2 * 1_073_741_824,
});

/** What one profile is compiled for. */
interface ProfileRequest {
  readonly terms: SpawnTerms;
  /** Milliseconds until everything is killed; 0: never. */
  readonly wallMs: number;
  /** Where the terms state none. */
  readonly outputBytes: number;
  readonly runtime: readonly string[];
  readonly egress: EgressDoor | null;
}

/** Compiles profiles under one policy. State: what is remembered of folders, by terms. */
export interface Profiles {
  /** The profile of a program that no sandbox holds: limits, and nothing to be seen. */
  plain(request: Omit<ProfileRequest, 'runtime' | 'egress'>): SandboxProfile;
  /**
   * The profile of the disk as it is now.
   * @throws SallyportError SANDBOX_FAILED when what the policy withholds cannot be kept out of it
   */
  compile(request: ProfileRequest): Promise<SandboxProfile>;
  /** How the places lie now that a profile of these terms lets a program write. */
  footprint(terms: SpawnTerms, profile: SandboxProfile): Promise<Footprint>;
}

const NOTHING: Walked = {
  ...{ mounts: new Map(), covers: new Map(), linked: [], withheld: new Set(), links: [], emptyControl: [] },
};

/** Terms whose folders are remembered at once. */
const MOST_READERS = 8;

export function openProfiles(control: ControlFiles, sandboxes: Pick<Sandboxes, 'isPlaceholder'>): Profiles {
  const readers = new Map<string, FolderReader>();
  const readerFor = (terms: SpawnTerms): FolderReader => {
    const known = readers.get(terms.digest) ?? openFolderReader(terms, control);
    readers.delete(terms.digest);
    readers.set(terms.digest, known);
    for (const oldest of readers.keys()) if (readers.size > MOST_READERS) readers.delete(oldest);
    return known;
  };
  return {
    plain: (request) => profileOf({ ...request, runtime: [], egress: null }, NOTHING, []),
    compile: async (request) => {
      const { terms } = request;
      checkBases(terms);
      const found = await walkTerms({ terms, control, folders: readerFor(terms) });
      coverLinks(found);
      coverLinked(found);
      const held = await placeholdersIn(found, sandboxes);
      return profileOf(request, found, [...held, ...reservedPlaces(terms, found)]);
    },
    footprint: (terms, profile) =>
      takeFootprint({ terms, profile, folders: readerFor(terms), isPlaceholder: sandboxes.isPlaceholder }),
  };
}

const KERNEL = ['/proc', '/sys', '/dev'];

/** Before anything is looked at: the whole machine is not walked to say so. */
function checkBases({ root, bases }: SpawnTerms): void {
  if (SYSTEM.some((folder) => root.startsWith(folder))) {
    const message = `the workspace ${root} lies in a folder that every sandbox shows whole: move it out of there`;
    throw new SallyportError('SANDBOX_FAILED', message);
  }
  for (const path of bases) {
    if (path !== '/' && !KERNEL.some((folder) => path === folder || path.startsWith(`${folder}/`))) continue;
    throw new SallyportError('SANDBOX_FAILED', `the policy allows ${path}, which no sandbox can show: name folders`);
  }
}

/** An empty folder that another sandbox of ours needs is as good as nothing: it goes when that one ends. */
async function placeholdersIn(found: Walked, { isPlaceholder }: Pick<Sandboxes, 'isPlaceholder'>): Promise<string[]> {
  const held: string[] = [];
  for (const path of found.emptyControl) {
    if (!(await isPlaceholder(path))) continue;
    found.covers.delete(path);
    held.push(path);
  }
  return held;
}

function profileOf(
  { terms, wallMs, outputBytes, runtime, egress }: ProfileRequest,
  found: Walked,
  reserved: readonly string[],
): SandboxProfile {
  const { limits } = terms;
  return Object.freeze({
    mounts: mountsOf(found),
    covers: coversOf(found),
    reserved: Object.freeze([...new Set(reserved)].toSorted()),
    runtime: Object.freeze([...runtime]),
    limits: Object.freeze({
      wallMs,
      memoryBytes: limits.memoryBytes ?? DEFAULT_SPAWN_LIMITS.memoryBytes,
      processes: limits.processes ?? DEFAULT_SPAWN_LIMITS.processes,
      fileBytes: limits.fileBytes ?? DEFAULT_SPAWN_LIMITS.fileBytes,
      openFiles: limits.openFiles ?? DEFAULT_SPAWN_LIMITS.openFiles,
      outputBytes: limits.outputBytes ?? outputBytes,
      diskBytes: limits.diskBytes ?? DEFAULT_SPAWN_LIMITS.diskBytes,
    }),
    egress,
  });
}

/** Sorted, parents stand before children. */
const mountsOf = ({ mounts }: Walked): readonly Mount[] =>
  Object.freeze([...mounts].map(([path, access]): Mount => ({ path, access })).toSorted(byPath));

const coversOf = ({ covers }: Walked): readonly Cover[] =>
  Object.freeze([...covers].map(([path, kind]): Cover => ({ path, kind })).toSorted(byPath));

const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
