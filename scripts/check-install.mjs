// Installs the packed package globally in an empty prefix and uses it there. Prevents: a package that only works in its own
// repository (a file left out of `files`, a development dependency imported, a path that points back into the clone).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'sallyport-install-'));
const quiet = { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' };
try {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', base], { ...quiet, cwd: root });
  const [tarball] = readdirSync(base).filter((name) => name.endsWith('.tgz'));
  const prefix = join(base, 'prefix');
  execFileSync(
    'npm',
    ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--loglevel=error', join(base, tarball)],
    { ...quiet, cwd: base },
  );
  const work = mkdtempSync(join(base, 'work-'));
  writeFileSync(join(work, 'hello.txt'), 'hello from elsewhere\n');
  const sallyport = (...words) =>
    execFileSync(join(prefix, 'bin', 'sallyport'), [...words, '--state', join(base, 'state')], { ...quiet, cwd: work });
  const answer = sallyport('call', 'file_read', '{"path":"hello.txt"}');
  if (!answer.includes('hello from elsewhere')) throw new Error(`sallyport call answered ${JSON.stringify(answer)}`);
  sallyport('audit', 'verify');
  const library = join(prefix, 'lib', 'node_modules', 'sallyport', 'dist', 'index.js');
  execFileSync(process.execPath, ['--input-type=module', '-e', `await import(${JSON.stringify(library)})`], {
    ...quiet,
    cwd: work,
  });
  console.log('The packed package installs elsewhere and works there.');
} finally {
  rmSync(base, { recursive: true, force: true });
}
