import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where sandboxes keep their folders, whatever the environment says (`runtime-folder.ts`). */
const BASE = process.platform === 'linux' ? '/tmp' : tmpdir();
const NAME = `sallyport-${process.getuid?.()}`;

const list = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** What sandboxes of a process, ours if none is named, could leave on the host: notes, placeholders, control groups. */
export function sandboxTraces(pid: number = process.pid): readonly string[] {
  const notes = runtimeFolders(pid).flatMap((path) => list(join(path, 'notes')).map((note) => `note ${note}`));
  const board = join(BASE, NAME, 'placeholders');
  const entries = list(board).flatMap((generation) =>
    list(join(board, generation)).filter((entry) => entry.startsWith(`${pid}-`)),
  );
  return [...notes, ...entries, ...groupsOf(pid)].sort();
}

/** The folders of a process, which are there until its sandboxes are closed. */
export function runtimeFolders(pid: number = process.pid): readonly string[] {
  const shared = list(BASE).filter((folder) => folder === NAME || folder.startsWith(`${NAME}-`));
  const all = shared.flatMap((folder) => list(join(BASE, folder)).map((name) => join(BASE, folder, name)));
  // Those of a dead process have the number of whoever sweeps them in front.
  return all.filter((path) => path.includes(`p-${pid}-`));
}

function groupsOf(pid: number): readonly string[] {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, names = '', path = ''] = line.split(':');
    return list(join('/sys/fs/cgroup', names, path)).filter((name) => name.startsWith(`sallyport-${pid}-`));
  });
}
