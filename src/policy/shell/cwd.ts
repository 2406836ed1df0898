/** The folders a command may run in: relative to the root (`.`), absolute, or null for one that is not known. */
export type Folders = readonly (string | null)[];

/** More possibilities than this count as not known. */
const MAX_FOLDERS = 8;

/** A longer path cannot be opened (PATH_MAX). */
const MAX_LENGTH = 4_096;

export function eitherOf(...all: readonly Folders[]): Folders {
  const union = [...new Set(all.flat())];
  return union.length > MAX_FOLDERS ? [null] : union;
}

/** Where `cd text` leads from each folder. `..` is removed as text, as bash does without `-P`. */
export const enter = (folders: Folders, text: string): Folders =>
  eitherOf(folders.map((folder) => enterOne(folder, text)));

function enterOne(folder: string | null, text: string): string | null {
  if (text.length + (folder?.length ?? 0) > MAX_LENGTH) return null;
  if (text.startsWith('~')) return text;
  if (text.startsWith('/')) return normalise(text);
  return folder === null ? null : normalise(folder === '.' ? text : `${folder}/${text}`);
}

function normalise(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (segment !== '..' || !path.startsWith('/')) kept.push(segment);
  }
  const joined = kept.join('/');
  if (path.startsWith('/')) return `/${joined}`;
  return joined === '' ? '.' : joined;
}
