import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const list = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** What sandboxes of this process could leave on the host: notes, placeholders, doors, control groups, descriptors. */
export function sandboxTraces(): readonly string[] {
  const base = process.env['XDG_RUNTIME_DIR'] ?? tmpdir();
  const name = `sallyport-${process.getuid?.()}`;
  const folders = list(base).filter((folder) => folder === name || folder.startsWith(`${name}-`));
  const own = folders.flatMap((folder) => list(join(base, folder)).map((process) => join(base, folder, process)));
  const mine = own.filter((path) => path.includes(`/p-${process.pid}-`));
  const notes = mine.flatMap((path) => list(join(path, 'notes')).map((note) => `note ${note}`));
  const board = join(base, name, 'placeholders');
  const entries = list(board).flatMap((generation) =>
    list(join(board, generation)).filter((entry) => entry.startsWith(`${process.pid}-`)),
  );
  return [...notes, ...entries, ...ownGroups()].sort();
}

function ownGroups(): readonly string[] {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, names = '', path = ''] = line.split(':');
    return list(join('/sys/fs/cgroup', names, path)).filter((name) => name.startsWith(`sallyport-${process.pid}-`));
  });
}
