import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isJsonObject, type JsonObject } from '../core/index.ts';

/** Our own code, compiled or not: who may write it decides everything. */
const OWN_CODE: string = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/**
 * The places that this process, and the next one, load code from (absolute paths, existing or not): our package, every
 * `node_modules` folder above it, for a package put into a nearer one stands in for ours, and where the packages that we
 * import really lie.
 */
export function ownCodePlaces(code: string = OWN_CODE): readonly string[] {
  const manifest = manifestAbove(code);
  const top = manifest?.folder ?? code;
  const modules = ancestorsOf(top)
    .filter((folder) => !folder.endsWith(`${sep}node_modules`))
    .map((folder) => join(folder, 'node_modules'));
  const names = Object.keys(isJsonObject(manifest?.content['dependencies']) ? manifest.content['dependencies'] : {});
  const linked = modules.flatMap((folder) => names.flatMap((name) => placeOfPackage(join(folder, name), name)));
  return [...new Set([code, top, ...modules, ...linked])];
}

/** Our `package.json` and its folder; null where our code was bundled into another package. */
function manifestAbove(code: string): { readonly folder: string; readonly content: JsonObject } | null {
  for (const folder of ancestorsOf(code)) {
    const content = readJson(join(folder, 'package.json'));
    if (content !== null) return content['name'] === 'sallyport' ? { folder, content } : null;
  }
  return null;
}

function readJson(file: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Where a package that is a link lies: the `node_modules` folder around it, which holds what it imports, or itself. */
function placeOfPackage(path: string, name: string): string[] {
  try {
    const real = realpathSync(path);
    const around = real.slice(0, -name.length - 1);
    return [real.endsWith(`${sep}node_modules${sep}${name}`) ? around : real];
  } catch {
    return [];
  }
}

/** The folder itself and every folder above it. */
export const ancestorsOf = (folder: string): string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...ancestorsOf(dirname(folder))];
