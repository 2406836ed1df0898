// Makes a fresh clone ready to run, and an unchanged one ready in a moment: installs the dependencies when the lockfile
// changed, builds when a source changed. Prevents: "works after you have run three commands in the right order".
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Sallyport needs Node 20.19 or later; this is ${process.version}. Install a current Node and run it again.`,
  );
  process.exit(3);
}

const lockDigest = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const installStamp = join(root, 'node_modules', '.sallyport-lock');
if (!existsSync(installStamp) || readFileSync(installStamp, 'utf8') !== lockDigest) {
  console.error('Installing dependencies (once, about half a minute) …');
  run('npm', ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(installStamp, lockDigest);
}

const buildStamp = join(root, 'dist', '.built');
const sources = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'].map((name) => newest(join(root, name)));
if (!existsSync(buildStamp) || statSync(buildStamp).mtimeMs < Math.max(...sources)) {
  console.error('Building …');
  run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`Setting up failed: ${command} ${args[0]} ended with ${error?.message ?? `status ${status}`}.`);
  process.exit(3);
}
