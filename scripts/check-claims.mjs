// Holds SECURITY.md against the tests. Prevents: a promise that no test proves, and a test that cites a promise nobody makes.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const security = readFileSync(join(root, 'SECURITY.md'), 'utf8');
const promised = new Set([...security.matchAll(/^\| (T\d+\.\d+) \|/gm)].map(([, id]) => id));
const cited = new Map();
for (const file of [...tests(join(root, 'src')), ...tests(join(root, 'test'))]) {
  for (const [, id] of readFileSync(file, 'utf8').matchAll(/\[(T\d+\.\d+)\]/g)) cited.set(id, file);
}
const unproved = [...promised].filter((id) => !cited.has(id));
const unpromised = [...cited.keys()].filter((id) => !promised.has(id));
for (const id of unproved) console.error(`SECURITY.md promises ${id}, and no test carries [${id}] in its title.`);
for (const id of unpromised) console.error(`${cited.get(id)} cites ${id}, which SECURITY.md does not promise.`);
if (promised.size === 0)
  console.error('SECURITY.md promises nothing: the table of promises is not where it should be.');
if (promised.size === 0 || unproved.length + unpromised.length > 0) process.exit(1);
console.log(`${promised.size} promises, each cited by a test.`);

function tests(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return tests(path);
    return name.endsWith('.test.ts') ? [path] : [];
  });
}
