// Runs every benchmark of this folder, one after the other, and prints them side by side: npm run bench [-- policy audit …]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const all = ['policy', 'shell', 'guard', 'redact', 'gate', 'audit', 'keeper', 'gateway', 'sandbox', 'approvals'];
const wanted = process.argv.slice(2).filter((name) => name !== '--');
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`No benchmark named ${unknown.join(', ')}; there are: ${all.join(', ')}`);
  process.exit(2);
}

const peers = join(here, 'node_modules', '.peers');
const lock = readFileSync(join(here, 'package-lock.json'), 'utf8');
if (!existsSync(peers) || readFileSync(peers, 'utf8') !== lock) {
  console.error('Installing the engines to compare with (once) …');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', here], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(3);
  writeFileSync(peers, lock);
}

console.log(
  `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`,
);
for (const name of wanted.length > 0 ? wanted : all) {
  console.error(`Running ${name} …`);
  const { run } = await import(`./${name}.mjs`);
  const { title, rows } = await run();
  console.log(`\n${title}`);
  for (const row of rows) console.log(line(row));
}
process.exit(0);

function line({ name, value, unit, note }) {
  const shown =
    typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 0 }) : value;
  return `  ${name.padEnd(58)} ${String(shown).padStart(10)} ${unit}${note ? `   ${note}` : ''}`;
}
