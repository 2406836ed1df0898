import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Lays a project out in a new folder `work` below `base`, as a repository of Git with a remote beside it. @returns the folder */
export function layOut(base, files) {
  const [root, remote] = [join(base, 'work'), join(base, 'origin.git')];
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  const git = (...words) => execFileSync('git', words, { cwd: root, stdio: 'pipe' });
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', remote]);
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Coder');
  git('config', 'user.email', 'coder@example.com');
  git('remote', 'add', 'origin', remote);
  git('add', '-A');
  git('commit', '-q', '-m', 'Totals by category');
  git('push', '-q', 'origin', 'main');
  return root;
}
