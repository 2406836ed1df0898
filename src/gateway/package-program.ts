import { realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import {
  isJsonObject,
  isSallyportError,
  type JsonValue,
  parseStrictJson,
  quoteForMessage,
  SallyportError,
} from '../core/index.ts';
import type { ServerPackage } from '../policy/index.ts';

const MAX_MANIFEST = { maxBytes: 1_048_576, maxDepth: 64 };

/** Where the files of a package lie in its tree. */
const packageFolder = (tree: string, { name }: Pick<ServerPackage, 'name'>): string => join(tree, 'node_modules', name);

/**
 * The program of a package in its tree: an absolute real path, and a plain file of the package.
 *
 * ATTACKER-CONTROLLED: what `package.json` says.
 * @throws SallyportError PACKAGE_REFUSED
 */
export async function programOf(tree: string, wanted: ServerPackage): Promise<string> {
  const folder = packageFolder(tree, wanted);
  const manifest = await readManifest(join(folder, 'package.json'));
  if (!isJsonObject(manifest) || manifest['name'] !== wanted.name || manifest['version'] !== wanted.version)
    throw refused('its package.json names another package');
  return checkedProgram(folder, chooseProgram(manifest['bin'], wanted));
}

async function readManifest(path: string): Promise<JsonValue> {
  try {
    const text = await readFile(path, 'utf8');
    return parseStrictJson(text.replace(/^\ufeff/, ''), MAX_MANIFEST);
  } catch (error) {
    const why = isSallyportError(error) ? error.message : 'it cannot be read';
    throw new SallyportError('PACKAGE_REFUSED', `package.json of the package: ${why}`, { cause: error });
  }
}

/** The one that the policy names; else the only one, or the one that is called as the package is, as npx chooses. */
function chooseProgram(bin: JsonValue | undefined, { name, bin: named }: ServerPackage): string {
  const short = name.split('/').at(-1) ?? name;
  const all = typeof bin === 'string' ? [[short, bin] as const] : isJsonObject(bin) ? Object.entries(bin) : [];
  const programs = new Map(all.filter((one): one is [string, string] => typeof one[1] === 'string'));
  const places = new Set([...programs.values()].map((place) => posix.normalize(place)));
  const found =
    named === null ? (programs.get(short) ?? (places.size === 1 ? [...places][0] : undefined)) : programs.get(named);
  if (found !== undefined) return found;
  const names = [...programs.keys()].slice(0, 20).map((one) => quoteForMessage(one, 40));
  if (names.length === 0) throw refused('it has no program');
  throw refused(`servers.NAME.bin has to name one of its programs: ${names.join(', ')}`);
}

/** INVARIANT: the program is a file of the package, whatever path its package.json writes. */
function checkedProgram(folder: string, place: string): string {
  const path = posix.normalize(place);
  const isInside = !posix.isAbsolute(path) && path !== '..' && !path.startsWith('../') && !path.includes('\0');
  if (!isInside) throw refused('its program lies outside of it');
  const written = join(folder, path);
  try {
    const real = realpathSync(written);
    if (real !== join(realpathSync(folder), path)) throw refused('its program is a link');
    if (statSync(real).isFile()) return real;
  } catch (cause) {
    if (isSallyportError(cause)) throw cause;
  }
  throw refused('its program is not there');
}

const refused = (why: string): SallyportError =>
  new SallyportError('PACKAGE_REFUSED', `the package cannot be run: ${why}`);
