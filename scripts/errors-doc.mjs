// Writes docs/errors.md from the one table of codes, or checks it with --check. Prevents: a code that nobody can look up.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_TABLE } from '../dist/core/index.js';

const file = fileURLToPath(new URL('../docs/errors.md', import.meta.url));
const rows = Object.entries(ERROR_TABLE).map(
  ([code, [domain, exit, http, remedy]]) => `| \`${code}\` | ${domain} | ${exit} | ${http} | ${remedy} |`,
);
const text = `# Error codes

Made from \`src/core/errors.ts\` by \`node scripts/errors-doc.mjs\`. A denial and an error name the same thing by the same code.
Exit codes of commands: 0 fine, 1 a finding or a denial, 2 wrong use, 3 broken; \`audit verify\`: 10 integrity, 11 completeness,
12 freshness, 13 authenticity.

| code | of | exit | HTTP | what to do |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/errors.md is out of date: run node scripts/errors-doc.mjs');
  process.exit(1);
}
