/** The project that the session works on, as it lies there at the start: a small command that reports expenses from a CSV file. */
export const PROJECT = {
  'package.json': `{
  "name": "spendings",
  "version": "0.3.0",
  "private": true,
  "type": "module",
  "bin": { "spendings": "src/cli.js" },
  "scripts": {
    "test": "node --test",
    "lint": "node scripts/lint.js",
    "build": "node scripts/build.js"
  }
}
`,
  'package-lock.json': `{
  "name": "spendings",
  "version": "0.3.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": { "": { "name": "spendings", "version": "0.3.0", "bin": { "spendings": "src/cli.js" } } }
}
`,
  '.gitignore': 'node_modules/\ndist/\n.env\n',
  '.env.example': 'SPENDINGS_FILE=data/sample.csv\n',
  'README.md':
    '# spendings\n\nReports what was spent, from a CSV file.\n\n```\nspendings report data/sample.csv\n```\n',
  'CHANGELOG.md': '# Changelog\n\n## 0.3.0\n\n- Totals by category.\n',
  'docs/format.md':
    '# The file\n\nOne line for each expense: `date,category,amount,note`. The first line names the columns.\n',
  'data/sample.csv':
    'date,category,amount,note\n2026-01-03,food,12.50,lunch\n2026-01-09,books,30.00,"maps, old"\n2026-02-01,food,7.25,bread\n2026-02-11,travel,120.10,train\n',
  'scripts/lint.js': `import { readdirSync, readFileSync } from 'node:fs';
let bad = 0;
for (const folder of ['src', 'test']) {
  for (const name of readdirSync(folder)) {
    for (const [index, line] of readFileSync(\`\${folder}/\${name}\`, 'utf8').split('\\n').entries()) {
      if (line.length <= 120 && !/\\s$/.test(line) && !line.includes('console.log(\\'DEBUG')) continue;
      console.error(\`\${folder}/\${name}:\${index + 1}: too long, ends in a blank, or a left-over\`);
      bad += 1;
    }
  }
}
process.exit(bad === 0 ? 0 : 1);
`,
  'scripts/build.js': `import { cpSync, rmSync } from 'node:fs';
rmSync('dist', { recursive: true, force: true });
cpSync('src', 'dist', { recursive: true });
console.log('built dist');
`,
  'src/csv.js': `/** Rows of a CSV text as objects. */
export function parseCsv(text) {
  const [head, ...lines] = text.trim().split('\\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]));
  });
}
`,
  'src/money.js': `export const sum = (amounts) => amounts.reduce((total, amount) => total + Number(amount), 0);

export const format = (amount) => amount.toFixed(2);
`,
  'src/report.js': `import { format, sum } from './money.js';

export function byCategory(rows) {
  const groups = {};
  for (const { category, amount } of rows) (groups[category] ??= []).push(amount);
  return Object.entries(groups).map(([category, amounts]) => ({ category, total: format(sum(amounts)) }));
}
`,
  'src/cli.js': `import { readFileSync } from 'node:fs';
import { parseCsv } from './csv.js';
import { byCategory } from './report.js';

const [command, file] = process.argv.slice(2);
if (command !== 'report' || file === undefined) {
  console.error('usage: spendings report FILE');
  process.exit(2);
}
for (const { category, total } of byCategory(parseCsv(readFileSync(file, 'utf8')))) {
  console.log(\`\${category.padEnd(12)} \${total.padStart(10)}\`);
}
`,
  'test/csv.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsv } from '../src/csv.js';

test('reads rows', () => {
  assert.deepEqual(parseCsv('a,b\\n1,2\\n'), [{ a: '1', b: '2' }]);
});
`,
  'test/report.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byCategory } from '../src/report.js';

test('adds up by category', () => {
  const rows = [
    { category: 'food', amount: '1.10' },
    { category: 'food', amount: '2.20' },
  ];
  assert.deepEqual(byCategory(rows), [{ category: 'food', total: '3.30' }]);
});
`,
};
