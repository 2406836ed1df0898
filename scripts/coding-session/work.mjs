/** What the agent does in the project, call by call, as coding agents do: look, read, edit, run the tests, look again, commit. */
const read = (path, more = {}) => ['file_read', { path, ...more }];
const list = (path, depth) => ['file_list', { path, ...(depth ? { depth } : {}) }];
const search = (pattern, more = {}) => ['file_search', { pattern, ...more }];
const write = (path, content) => ['file_write', { path, content }];
const sh = (command) => ['shell', { command }];

const CSV = `/** The cells of one line; a quoted cell may hold commas, and a doubled quote is a quote. */
function cellsOf(line) {
  const cells = [];
  let [cell, quoted] = ['', false];
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at];
    if (quoted && letter === '"' && line[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (letter === '"') quoted = !quoted;
    else if (letter === ',' && !quoted) {
      cells.push(cell);
      cell = '';
    } else cell += letter;
  }
  return [...cells, cell];
}

/** Rows of a CSV text as objects. */
export function parseCsv(text) {
  const [head, ...lines] = text.trim().split('\\n');
  const names = cellsOf(head);
  return lines.map((line) => {
    const cells = cellsOf(line);
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]));
  });
}
`;
const CSV_CRLF = CSV.replace(`text.trim().split('\\n')`, 'text.trim().split(/\\r?\\n/)');
const CSV_STRICT = CSV_CRLF.replace(
  '    return Object',
  `    if (cells.length !== names.length) throw new Error(\`a line has \${cells.length} cells: \${line}\`);\n    return Object`,
);
const CSV_TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsv } from '../src/csv.js';

test('reads rows', () => {
  assert.deepEqual(parseCsv('a,b\\n1,2\\n'), [{ a: '1', b: '2' }]);
});

test('a quoted cell may hold commas and quotes', () => {
  assert.deepEqual(parseCsv('a,b\\n"1,5","say ""hi"""\\n'), [{ a: '1,5', b: 'say "hi"' }]);
});
`;
const CSV_TEST_CRLF = `${CSV_TEST}
test('lines may end as on Windows', () => {
  assert.deepEqual(parseCsv('a,b\\r\\n1,2\\r\\n'), [{ a: '1', b: '2' }]);
});
`;
const CSV_TEST_STRICT = `${CSV_TEST_CRLF}
test('a line with too few cells is refused', () => {
  assert.throws(() => parseCsv('a,b\\n1\\n'), /has 1 cells/);
});
`;
const REPORT = `import { format, sum } from './money.js';

function totals(rows, keyOf, name) {
  const groups = {};
  for (const row of rows) (groups[keyOf(row)] ??= []).push(row.amount);
  return Object.entries(groups).map(([key, amounts]) => ({ [name]: key, total: format(sum(amounts)) }));
}

export const byCategory = (rows) => totals(rows, ({ category }) => category, 'category');

export const byMonth = (rows) => totals(rows, ({ date }) => date.slice(0, 7), 'month');
`;
const REPORT_SORTED = REPORT.replace(
  'Object.entries(groups)',
  'Object.entries(groups)\n    .sort(([a], [b]) => (a < b ? -1 : 1))\n    ',
);
const REPORT_TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byCategory, byMonth } from '../src/report.js';

const rows = [
  { date: '2026-02-01', category: 'food', amount: '1.10' },
  { date: '2026-01-01', category: 'food', amount: '2.20' },
];

test('adds up by category', () => {
  assert.deepEqual(byCategory(rows), [{ category: 'food', total: '3.30' }]);
});

test('adds up by month, in order', () => {
  assert.deepEqual(byMonth(rows), [
    { month: '2026-01', total: '2.20' },
    { month: '2026-02', total: '1.10' },
  ]);
});
`;
const CLI_MONTHS = `import { readFileSync } from 'node:fs';
import { parseCsv } from './csv.js';
import { byCategory, byMonth } from './report.js';

const [command, file] = process.argv.slice(2);
const reports = { report: byCategory, months: byMonth };
if (!Object.hasOwn(reports, command ?? '') || file === undefined) {
  console.error('usage: spendings report|months FILE');
  process.exit(2);
}
for (const { total, ...key } of reports[command](parseCsv(readFileSync(file, 'utf8')))) {
  console.log(\`\${Object.values(key)[0].padEnd(12)} \${total.padStart(10)}\`);
}
`;
const CLI_JSON = `import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseCsv } from './csv.js';
import { print } from './print.js';
import { byCategory, byMonth } from './report.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' } },
});
const [command, file] = positionals;
const reports = { report: byCategory, months: byMonth };
if (!Object.hasOwn(reports, command ?? '') || file === undefined) {
  console.error('usage: spendings report|months FILE [--json]');
  process.exit(2);
}
console.log(print(reports[command](parseCsv(readFileSync(file, 'utf8'))), values.json ? 'json' : 'text'));
`;
const PRINT = `export function print(lines, form) {
  if (form === 'json') return JSON.stringify(lines, null, 2);
  return lines
    .map(({ total, ...key }) => \`\${Object.values(key)[0].padEnd(12)} \${total.padStart(10)}\`)
    .join('\\n');
}
`;
const PRINT_TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { print } from '../src/print.js';

const lines = [{ category: 'food', total: '3.30' }];

test('prints a table', () => {
  assert.equal(print(lines, 'text'), 'food               3.30');
});

test('prints JSON', () => {
  assert.deepEqual(JSON.parse(print(lines, 'json')), lines);
});
`;
const MONEY = `/** Whole cents of an amount as it is written: 12.5 is 1250. */
export function toCents(amount) {
  const [, sign, whole, part = ''] = /^(-?)(\\d+)(?:\\.(\\d{1,2}))?$/.exec(amount) ?? [];
  if (whole === undefined) throw new Error(\`no amount: \${amount}\`);
  return Number(\`\${sign}\${whole}\${part.padEnd(2, '0')}\`);
}

/** The sum of amounts, in cents. */
export const sum = (amounts) => amounts.reduce((total, amount) => total + toCents(amount), 0);

export const format = (cents) => (cents / 100).toFixed(2);
`;
const MONEY_TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, sum, toCents } from '../src/money.js';

test('counts in cents', () => {
  assert.equal(toCents('12.5'), 1250);
  assert.equal(toCents('-0.07'), -7);
  assert.equal(format(sum(['0.10', '0.20'])), '0.30');
});

test('refuses what is no amount', () => {
  assert.throws(() => toCents('1,5'), /no amount/);
});
`;
const CLI_TEST = `import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const run = (...words) => spawnSync(process.execPath, ['src/cli.js', ...words], { encoding: 'utf8' });

test('reports months as JSON', () => {
  const { stdout } = run('months', 'data/sample.csv', '--json');
  assert.deepEqual(JSON.parse(stdout)[0], { month: '2026-01', total: '42.50' });
});

test('says how it is used', () => {
  assert.equal(run().status, 2);
});
`;
const ONLY = `export const only = (rows, category) =>
  category === undefined ? rows : rows.filter((row) => row.category === category);
`;
const ONLY_TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { only } from '../src/only.js';

const rows = [{ category: 'food' }, { category: 'books' }];

test('keeps one category', () => {
  assert.deepEqual(only(rows, 'food'), [{ category: 'food' }]);
});

test('keeps all without one', () => {
  assert.deepEqual(only(rows), rows);
});
`;
const CLI_ONLY = CLI_JSON.replace(`import { print }`, `import { only } from './only.js';\nimport { print }`)
  .replace(`options: { json: { type: 'boolean' } }`, `options: { json: { type: 'boolean' }, only: { type: 'string' } }`)
  .replace(
    `console.log(print(reports[command](parseCsv(readFileSync(file, 'utf8')))`,
    `const rows = only(parseCsv(readFileSync(file, 'utf8')), values.only);\nconsole.log(print(reports[command](rows)`,
  );
const README = `# spendings

Reports what was spent, from a CSV file.

\`\`\`
spendings report data/sample.csv
spendings months data/sample.csv --json
\`\`\`

Amounts are counted in whole cents. [The file](docs/format.md).
`;
const FORMAT = `# The file

One line for each expense: \`date,category,amount,note\`. The first line names the columns.

- A cell in double quotes may hold commas; a doubled quote is a quote.
- An amount is written \`12\`, \`12.5\` or \`12.50\`.
- A line with another number of cells than the first is refused.
`;
const CHANGES = (lines) => `# Changelog\n\n## Unreleased\n\n${lines}\n\n## 0.3.0\n\n- Totals by category.\n`;
const PACKAGE = `{
  "name": "spendings",
  "version": "0.4.0",
  "private": true,
  "type": "module",
  "bin": { "spendings": "src/cli.js" },
  "scripts": {
    "test": "node --test",
    "lint": "node scripts/lint.js",
    "build": "node scripts/build.js",
    "check": "npm run lint && npm test"
  }
}
`;
const WORKFLOW = `on: [push]
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
      - run: npm run check
`;
const TESTED = 'npm test 2>&1 | tail -20';

/** A look at a project that nobody has told the agent about. */
const explore = [
  ...[list('.'), sh('git status'), sh('git log --oneline -5'), read('README.md'), read('package.json')],
  ...[list('.', 3), read('src/cli.js'), read('src/csv.js'), read('src/report.js'), read('src/money.js')],
  ...[sh('ls -la'), sh('ls src test'), sh('wc -l src/*.js'), read('test/csv.test.js'), read('test/report.test.js')],
  ...[
    sh('node --version'),
    sh('npm --version'),
    sh('npm ci'),
    sh('npm test'),
    sh('npm run lint'),
    read('docs/format.md'),
  ],
  ...[sh('head -3 data/sample.csv'), sh('node src/cli.js report data/sample.csv'), sh('git branch -a')],
  ...[search('parseCsv'), sh('cat .gitignore'), read('.env.example'), sh('cat scripts/lint.js'), sh('which node')],
];

/** "Amounts go wrong when a note has a comma in it." */
const quotes = [
  ...[sh('git checkout -b fix/quoted-cells'), sh('grep -n "maps" data/sample.csv'), search('split(', { path: 'src' })],
  ...[sh("sed -n '1,12p' src/csv.js"), write('test/csv.test.js', CSV_TEST), sh('node --test test/csv.test.js')],
  ...[write('src/csv.js', CSV), sh('node --test test/csv.test.js'), sh(TESTED), sh('npm run lint')],
  ...[sh('git diff --stat'), sh('git diff src/csv.js'), sh('git add src/csv.js test/csv.test.js')],
  ...[sh('git commit -m "Read quoted cells of a line"'), sh('git status --short'), sh('git log --oneline -3')],
  ...[search('\\r', { path: 'src' }), write('test/csv.test.js', CSV_TEST_CRLF), sh(TESTED)],
  ...[
    sh(`sed -i 's/split(.\\\\n.)/split(\\/\\\\r?\\\\n\\/)/' src/csv.js`),
    sh('git diff src/csv.js'),
    read('src/csv.js'),
  ],
  ...[write('src/csv.js', CSV_CRLF), sh(TESTED), sh('git diff'), sh('npm run lint && npm test')],
  ...[sh('git commit -am "Read lines that end as on Windows"'), sh('git push origin fix/quoted-cells')],
];

/** "Add a report by month." */
const months = [
  ...[sh('git checkout main'), sh('git merge fix/quoted-cells'), sh('git checkout -b months')],
  ...[search('byCategory'), read('src/report.js'), sh('grep -rn "format(" src test'), read('test/report.test.js')],
  ...[write('test/report.test.js', REPORT_TEST), sh(TESTED), write('src/report.js', REPORT), sh(TESTED)],
  ...[sh('node --test test/report.test.js'), read('src/report.js'), write('src/report.js', REPORT_SORTED)],
  ...[sh('node --test test/report.test.js'), sh('npm run lint'), read('src/cli.js', { offset: 1, limit: 8 })],
  ...[write('src/cli.js', CLI_MONTHS), sh('node src/cli.js months data/sample.csv'), sh('node src/cli.js')],
  ...[sh('node src/cli.js report data/sample.csv | sort'), sh('git status'), sh('git diff --cached'), sh('git diff')],
  ...[
    sh('git add -A && git commit -m "Report by month"'),
    sh('npm run build'),
    sh('ls dist'),
    sh('git status --short'),
  ],
  ...[sh('node dist/cli.js months data/sample.csv'), sh('git log -1 --stat'), read('CHANGELOG.md')],
  ...[write('CHANGELOG.md', CHANGES('- Quoted cells.\n- A report by month.')), write('README.md', README)],
  ...[sh('git commit -am "Say what is new"'), sh('git push -u origin months')],
];

/** "It shall print JSON, too." */
const json = [
  ...[sh('git checkout -b json'), search('console.log', { path: 'src' }), read('src/cli.js')],
  ...[sh('mkdir -p src test'), write('src/print.js', PRINT), write('test/print.test.js', PRINT_TEST)],
  ...[sh('node --test test/print.test.js'), write('src/cli.js', CLI_JSON), sh('npm test')],
  ...[sh('node src/cli.js months data/sample.csv --json'), sh('node src/cli.js months data/sample.csv')],
  ...[sh('node src/cli.js report data/sample.csv --json | head -4'), write('test/cli.test.js', CLI_TEST), sh(TESTED)],
  ...[sh('node --test test/cli.test.js'), sh('npm run lint'), sh('git status --short'), sh('git diff src/cli.js')],
  ...[sh('git add src/print.js test/print.test.js test/cli.test.js src/cli.js')],
  ...[sh('git commit -m "Print reports as JSON"'), sh('git show HEAD --stat'), sh('wc -l test/*.js')],
];

/** "0.1 + 0.2 is 0.30000000000000004 somewhere: count in cents." */
const cents = [
  ...[sh('git checkout -b cents'), search('Number\\(', { regex: true }), read('src/money.js')],
  ...[
    sh(`node -e 'console.log(0.1 + 0.2)'`),
    write('src/try.js', 'console.log(0.1 + 0.2);\n'),
    sh('node src/try.js'),
    sh('rm src/try.js'),
    sh('grep -rn "sum(" src'),
    write('test/money.test.js', MONEY_TEST),
  ],
  ...[
    sh('node --test test/money.test.js'),
    write('src/money.js', MONEY),
    sh('node --test test/money.test.js'),
    sh(TESTED),
  ],
  ...[read('test/report.test.js', { offset: 5, limit: 10 }), sh('node src/cli.js report data/sample.csv')],
  ...[sh('npm run lint'), sh('git diff --stat'), sh('git add -A'), sh('git commit -m "Count in whole cents"')],
  ...[
    sh('git stash list'),
    sh('git log --oneline -8'),
    sh('git diff main --stat'),
    sh('git blame -L 1,8 src/money.js'),
  ],
  ...[sh('cp data/sample.csv test/sample.csv'), sh('node src/cli.js months test/sample.csv'), sh('rm test/sample.csv')],
  ...[read('docs/format.md'), write('docs/format.md', FORMAT), search('cells', { glob: '*.md' })],
  ...[sh('git commit -am "Say what an amount is"'), sh('git push -u origin cents')],
];

/** Feedback: lines with too few cells must not pass; one command for all checks; checks in CI. */
const feedback = [
  ...[sh('git fetch origin'), sh('git log --oneline main..cents'), sh('git diff main..cents -- src')],
  ...[
    read('src/csv.js', { offset: 20 }),
    write('test/csv.test.js', CSV_TEST_STRICT),
    sh('node --test test/csv.test.js'),
  ],
  ...[write('src/csv.js', CSV_STRICT), sh('node --test test/csv.test.js'), sh('cat src/csv.js | tail -12')],
  ...[sh(TESTED), sh('npm run lint'), sh('git commit -am "Refuse lines with another number of cells"')],
  ...[read('package.json'), write('package.json', PACKAGE), sh('npm run check'), sh('git diff package.json')],
  ...[sh('git commit -am "Add npm run check"'), list('.', 2), write('.github/workflows/check.yml', WORKFLOW)],
  ...[sh('git status --short'), sh('git add -A && git commit -m "Check in CI"'), sh('git log --oneline -4')],
  ...[sh('grep -rn "TODO\\|FIXME" src test'), sh('find . -name "*.test.js" -not -path "./node_modules/*"')],
  ...[sh('git push origin cents'), sh('git status'), sh('npm ls'), read('CHANGELOG.md')],
  ...[write('CHANGELOG.md', CHANGES('- Quoted cells.\n- A report by month, JSON.\n- Whole cents.'))],
  ...[sh('git diff CHANGELOG.md'), sh('git commit -am "Say what is new"'), sh('git push origin cents')],
];

/** "One category only, please." */
const only = [
  ...[sh('git checkout -b only'), read('src/cli.js'), search('parseArgs'), sh('rg -n "values" src')],
  ...[write('test/only.test.js', ONLY_TEST), sh('node --test test/only.test.js'), write('src/only.js', ONLY)],
  ...[sh('node --test test/only.test.js'), sh('node --check src/only.js'), write('src/cli.js', CLI_ONLY)],
  ...[
    sh('node src/cli.js months data/sample.csv --only food'),
    sh('node src/cli.js report data/sample.csv --only none'),
  ],
  ...[
    sh(TESTED),
    sh('npm run lint'),
    sh('git diff src/cli.js'),
    sh("sed -n '1,14p' src/cli.js"),
    sh('nl -ba src/only.js'),
  ],
  ...[sh('mv src/only.js src/filter.js'), sh("sed -i 's/only.js/filter.js/' src/cli.js test/only.test.js"), sh(TESTED)],
  ...[sh('mv test/only.test.js test/filter.test.js'), sh('node --test test/filter.test.js'), sh('git status --short')],
  ...[sh('git add -A && git commit -m "Report one category only"'), sh('git show HEAD --stat'), sh('npm run check')],
  ...[sh('cd src && ls -la'), sh('cat README.md | head -12'), sh('git push -u origin only'), sh('git checkout cents')],
  ...[sh('git merge only'), sh('npm test 2>&1 | grep -E "^# (pass|fail)"')],
];

/** A last look before it is handed over. */
const handOver = [
  ...[sh('git checkout main'), sh('git merge cents'), sh('npm run lint && npm test'), sh('npm run build')],
  ...[sh('ls -la dist'), sh('node dist/cli.js report data/sample.csv'), sh('git status'), sh('git log --oneline -12')],
  ...[sh('git branch --merged'), sh('git branch -d fix/quoted-cells'), sh('git tag v0.4.0'), sh('git tag -l')],
  ...[
    read('README.md'),
    sh('date'),
    sh('git diff HEAD~3 --stat'),
    sh('git push origin main'),
    sh('git show --stat HEAD'),
  ],
];

export const WORK = [...explore, ...quotes, ...months, ...json, ...cents, ...feedback, ...only, ...handOver];
