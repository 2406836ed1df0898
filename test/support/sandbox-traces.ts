import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const list = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** What sandboxes of this process could leave on the host: notes, placeholders, doors, control groups, descriptors. */
export function sandboxTraces(): readonly string[] {
  const shared = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `sallyport-${process.getuid?.()}`);
  const own = list(shared).filter((name) => name.startsWith(`p-${process.pid}-`));
  const notes = own.flatMap((name) => list(join(shared, name, 'notes')).map((note) => `note ${note}`));
  const entries = list(join(shared, 'placeholders')).flatMap((name) =>
    list(join(shared, 'placeholders', name)).filter((entry) => entry.startsWith(`${process.pid}-`)),
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
