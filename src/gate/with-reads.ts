import { sha256Hex } from '../core/index.ts';
import type { SpawnAccess, SpawnTerms } from '../policy/index.ts';

/** The same terms, and what a program is installed as may be read. */
export function withReads(terms: SpawnTerms, folders: readonly string[]): SpawnTerms {
  if (folders.length === 0) return terms;
  const isInstalled = (real: string): boolean =>
    folders.some((folder) => real === folder || real.startsWith(`${folder}/`));
  const access = (real: string, kind: 'file' | 'folder'): SpawnAccess => {
    const stated = terms.access(real, kind);
    return stated === 'none' && isInstalled(real) ? 'read' : stated;
  };
  const digest = sha256Hex(JSON.stringify([terms.digest, folders]));
  return Object.freeze({ ...terms, bases: [...new Set([...terms.bases, ...folders])].toSorted(), access, digest });
}
