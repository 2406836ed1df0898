import {
  type CanonicalUrl,
  isJsonObject,
  isSallyportError,
  isUrlTrouble,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  quoteForMessage,
  readUrl,
  SallyportError,
} from '../core/index.ts';
import type { PackageSpec } from '../policy/index.ts';
import { INTEGRITY } from './package-entry.ts';

const BOUNDS = { maxBytes: 8_388_608, maxDepth: 32 };
const MAX_PACKAGES = 5_000;

/**
 * Reads the `package-lock.json` of an installation and holds it to what can be pinned: every package comes from the registry,
 * with a SHA-512 of its tarball, or in the tarball of another one; nothing is a link.
 *
 * ATTACKER-CONTROLLED: `text`, where a package brings its own lock.
 * @throws SallyportError PACKAGE_REFUSED
 */
export function readNpmLock(text: string, registry: CanonicalUrl): JsonObject {
  const lock = parse(text);
  const packages = isJsonObject(lock) ? lock['packages'] : undefined;
  if (!isJsonObject(lock) || lock['lockfileVersion'] !== 3 || !isJsonObject(packages))
    throw refused('the package-lock.json is not of version 3: a newer npm is needed');
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  if (entries.length > MAX_PACKAGES) throw refused(`it needs more than ${MAX_PACKAGES} packages`);
  for (const [path, entry] of entries) {
    const why = troubleWith(path, entry, registry);
    if (why !== null) throw refused(`${quoteForMessage(path, 200)} ${why}`);
  }
  return lock;
}

function parse(text: string): JsonValue {
  try {
    return parseStrictJson(text, BOUNDS);
  } catch (cause) {
    const why = isSallyportError(cause) ? cause.message : 'it cannot be read';
    throw new SallyportError('PACKAGE_REFUSED', `the package-lock.json cannot be used: ${why}`, { cause });
  }
}

function troubleWith(path: string, entry: JsonValue, registry: CanonicalUrl): string | null {
  if (!path.startsWith('node_modules/') || !isJsonObject(entry)) return 'is not installed as a package';
  if (entry['link'] === true) return 'is a link to a folder';
  const { resolved, integrity } = entry;
  // What lies in the tarball of another package has that one's integrity.
  if (entry['inBundle'] === true && resolved === undefined) return null;
  if (typeof resolved !== 'string' || !isFrom(resolved, registry)) return 'does not come from the registry';
  return typeof integrity === 'string' && INTEGRITY.test(integrity) ? null : 'has no SHA-512 in the registry';
}

function isFrom(resolved: string, registry: CanonicalUrl): boolean {
  const url = readUrl(resolved);
  return !isUrlTrouble(url) && url.origin === registry.origin;
}

/** The integrity of a package in a lock that {@link readNpmLock} read. @throws SallyportError PACKAGE_REFUSED */
export function integrityIn(lock: JsonObject, { name, version }: PackageSpec): string {
  const packages = lock['packages'];
  const entry = isJsonObject(packages) ? packages[`node_modules/${name}`] : undefined;
  if (!isJsonObject(entry) || entry['version'] !== version || typeof entry['integrity'] !== 'string')
    throw refused('it is not what was installed');
  return entry['integrity'];
}

const refused = (why: string): SallyportError =>
  new SallyportError('PACKAGE_REFUSED', `the package cannot be pinned: ${why}`);
