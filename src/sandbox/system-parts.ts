import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Masks, SystemParts } from './bubblewrap-plan.ts';
import { madeUpFiles } from './inside.ts';

/** Folders of programs and libraries in the root folder, which most systems have as links into /usr. */
const ROOT_FOLDERS = ['/bin', '/sbin', '/lib', '/lib64', '/lib32', '/libx32'];
/** Public parts of /etc that programs need, as they are: certificates, and which program stands behind a name. */
const PUBLIC_FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs', '/etc/pki/ca-trust/extracted', '/etc/alternatives'];
const PUBLIC_FILES = [
  '/etc/ld.so.cache',
  '/etc/ssl/openssl.cnf',
  '/etc/ssl/cert.pem',
  '/etc/mime.types',
  '/etc/protocols',
  '/etc/services',
];
/** A public file of /etc is small; another one is not what its name says. */
const LARGEST_FILE_BYTES = 4_194_304;

/**
 * The folders of the machine that every sandbox shows, by their real paths; none where there is no sandbox. What must be out of
 * reach of programs lies in none of them.
 */
export function shownFolders(): readonly string[] {
  if (process.platform !== 'linux') return [];
  const there = ['/usr', ...ROOT_FOLDERS, ...PUBLIC_FOLDERS].filter((path) => existsSync(path));
  return [...new Set(there.map((path) => realpathSync(path)))];
}

/** Makes an `/etc` in `folder` that says nothing about the machine, and names what else of the system is shown. */
export function makeSystemParts(folder: string, user: { readonly uid: number; readonly gid: number }): SystemParts {
  const etc = join(folder, 'etc');
  makeReadable(etc);
  for (const [path, text] of madeUpFiles(user)) writeFileSync(join(folder, path), text, { mode: 0o444 });
  for (const path of PUBLIC_FILES) copyPublic(path, join(folder, path));
  copyLink('/etc/localtime', join(folder, '/etc/localtime'));
  const folders = PUBLIC_FOLDERS.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
  for (const path of folders) makeReadable(join(folder, path));
  return {
    links: ROOT_FOLDERS.flatMap((path) => (isLink(path) ? [{ path, target: readlinkSync(path) }] : [])),
    binds: [
      { source: '/usr', path: '/usr' },
      ...ROOT_FOLDERS.filter((path) => isFolder(path)).map((path) => ({ source: path, path })),
      { source: etc, path: '/etc' },
      ...folders.map((path) => ({ source: realpathSync(path), path })),
    ],
  };
}

/** What stands behind masks: nobody but root may open it, and it is shown read-only. */
export function makeMasks(folder: string): Masks {
  const masks = { file: join(folder, 'hidden-file'), folder: join(folder, 'hidden-folder') };
  writeFileSync(masks.file, '', { mode: 0o400 });
  chmodSync(masks.file, 0o000);
  mkdirSync(masks.folder, { mode: 0o000 });
  return masks;
}

/** A folder that the user whom sandboxes run as can read, whatever our umask. */
function makeReadable(path: string): void {
  if (!isFolder(dirname(path))) makeReadable(dirname(path));
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

function copyPublic(path: string, to: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size > LARGEST_FILE_BYTES || (stat.mode & 0o004) === 0) return;
  makeReadable(dirname(to));
  copyFileSync(path, to);
  chmodSync(to, 0o444);
}

function copyLink(path: string, to: string): void {
  if (isLink(path)) symlinkSync(readlinkSync(path), to);
  else copyPublic(path, to);
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
