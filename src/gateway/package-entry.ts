import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';

/** What was installed for a server: the part of `sallyport.lock` that pins a package with everything it depends on. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-…` of its tarball. */
  readonly integrity: string;
  /** Where it was fetched: an origin and a path. */
  readonly registry: string;
  /** Digest of all that was installed; see `treeDigest`. */
  readonly tree: string;
  /** The `package-lock.json` that npm made, by which the same is fetched again. */
  readonly npmLock: JsonObject;
  /** RFC 3339, UTC. */
  readonly installedAt: string;
}

/** An integrity as npm writes it, of the one kind that is taken. */
export const INTEGRITY: RegExp = /^sha512-[A-Za-z0-9+/]{86}==$/;
const TREE = /^sha256:[0-9a-f]{64}$/;

const TEXTS = ['name', 'version', 'integrity', 'registry', 'tree', 'installedAt'] as const;

/** Reads one entry; null where it is none. */
export function readPackageEntry(entry: JsonValue): LockedPackage | null {
  if (!isJsonObject(entry)) return null;
  const { npmLock } = entry;
  const [name, version, integrity, registry, tree, installedAt] = TEXTS.map((key) => {
    const value = entry[key];
    return typeof value === 'string' ? value : '';
  });
  if (!name || !version || !integrity || !registry || !tree || !installedAt || !isJsonObject(npmLock)) return null;
  if (!INTEGRITY.test(integrity) || !TREE.test(tree)) return null;
  return Object.freeze({ name, version, integrity, registry, tree, npmLock, installedAt });
}
