import { analyseCommandLine, compileDeniedPattern, decideCommandLine } from '../dist/policy/shell/index.js';

/** Lines as coding agents send them. */
const LINES = [
  'git status',
  'git log --oneline -n 20',
  'git add -A && git commit -m "fix: handle an empty list"',
  'npm test -- --grep "parser|lexer" 2>&1 | tail -50',
  'cd packages/api && npm run build',
  "sed -n '1,40p' src/index.ts",
  'grep -rn "TODO" src --include="*.ts" | head',
  'pytest -x -q tests/unit -k "not slow"',
  'docker compose -f docker-compose.yml up -d --build',
  'for i in 1 2 3; do git fetch --all; done',
];

const RULE = {
  allowedCommands: ['git', 'npm', 'pytest', 'docker compose', 'cd', 'sed', 'grep', 'head', 'tail', 'echo'],
  deniedPatterns: ['git push .*--force', 'npm publish', 'rm -rf'].map(compileDeniedPattern),
  confirmCommands: ['git push'],
};

const ROUNDS = 3_000;

function medianMicroseconds(work) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const line of LINES) {
      const start = process.hrtime.bigint();
      work(line);
      times.push(Number(process.hrtime.bigint() - start));
    }
  }
  times.sort((left, right) => left - right);
  const at = (share) => (times[Math.floor(times.length * share)] ?? 0) / 1_000;
  return { median: at(0.5), p99: at(0.99) };
}

/** Median and 99th percentile of one command line, in microseconds. Budget: analysis under 50 µs median. */
export async function run() {
  medianMicroseconds(analyseCommandLine);
  const analysis = medianMicroseconds(analyseCommandLine);
  const decision = medianMicroseconds((line) => decideCommandLine(RULE, analyseCommandLine(line)));
  return {
    title: 'Reading a typical command line (budget: analysis p50 < 50 µs)',
    rows: [
      { name: 'analysis, p50', value: analysis.median, unit: 'µs' },
      { name: 'analysis, p99', value: analysis.p99, unit: 'µs' },
      { name: 'analysis and decision, p50', value: decision.median, unit: 'µs' },
      { name: 'analysis and decision, p99', value: decision.p99, unit: 'µs' },
    ],
  };
}
