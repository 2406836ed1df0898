import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { quoteForMessage, SallyportError } from '../core/index.ts';

/**
 * The absolute path of a program: the first executable file of that name on `path`, or what a path with a slash names from
 * `cwd`. The working folder itself is never searched.
 *
 * @throws SallyportError TOOL_FAILED when there is none
 */
export function findProgram(file: string, { path, cwd }: { readonly path: string; readonly cwd: string }): string {
  const folders = path.split(':').filter((folder) => isAbsolute(folder));
  const candidates = file.includes('/') ? [resolve(cwd, file)] : folders.map((folder) => join(folder, file));
  const found = file === '' ? undefined : candidates.find(isProgram);
  if (found !== undefined) return found;
  throw new SallyportError('TOOL_FAILED', `there is no program ${quoteForMessage(file)} on ${path}`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not ours to run: the next folder is searched, as a shell does.
    return false;
  }
}
