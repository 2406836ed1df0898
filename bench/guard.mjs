// The guard, tier 1: recall and false positives by source, beside other detectors in the same run; speed. Reads labelled texts from
// SALLYPORT_CORPORA (a folder with injection/*.jsonl, lines {"text","label","kind","source","tier"?}); without it only speed is
// measured. Each source is judged with a bar that was set on the other sources alone. Run alone: node bench/guard.mjs
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as allOf } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createGuard, sanitise } from '../dist/guard/index.js';

const guard = createGuard();
const percent = (part, whole) => (whole === 0 ? Number.NaN : (100 * part) / whole);
const shown = (value) => (Number.isNaN(value) ? '-' : value.toFixed(1));

export async function run() {
  const folder = process.env.SALLYPORT_CORPORA;
  const rows = speed();
  if (folder === undefined) {
    rows.push({ name: 'recall and false positives: SKIPPED', value: '-', unit: '', note: 'set SALLYPORT_CORPORA' });
  } else {
    rows.push(...(await quality(readCorpus(folder))));
  }
  return {
    title: 'The guard, tier 1 (budget: 10 KiB of clean text <= 0.5 ms; false positives <= 1 % / 5 % / 2 %)',
    rows,
  };
}

function readCorpus(folder) {
  const place = join(folder, 'injection');
  return readdirSync(place)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(place, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line));
}

const isSoft = ({ source }) => /^(?:secdocs|agentdocs)/.test(source);
/** The three false-positive budgets, each with its group of benign texts. */
const BUDGETS = [
  ['benign tool output', 0.01, (item) => item.label === 'benign' && item.kind === 'tool_output' && !isSoft(item)],
  ['security articles, agent instruction files', 0.05, (item) => item.label === 'benign' && isSoft(item)],
  ['NotInject', 0.02, (item) => item.label === 'benign' && item.source === 'notinject'],
];

/** The lowest score at which none of the budgets is overdrawn on these texts. */
const barOn = (items) =>
  Math.max(
    ...BUDGETS.map(([, share, belongs]) => {
      const scores = items.filter(belongs).map(({ score }) => score);
      scores.sort((a, b) => b - a);
      return (scores[Math.floor(share * scores.length)] ?? 0) + 0.0005;
    }),
  );

async function quality(items) {
  const started = performance.now();
  for (const item of items) {
    const { verdict } = guard.inspect(item.text, { kind: item.kind });
    item.score = guard.inspect(item.text).score;
    item.flagged = verdict === 'quarantined' || verdict === 'blocked';
  }
  const ours = (performance.now() - started) / items.length / 2;
  const peers = await askPeers(items);
  const bars = new Map(
    [...new Set(items.map(({ source }) => source))].map((source) => [
      source,
      barOn(items.filter((item) => item.source !== source)),
    ]),
  );
  const row = (name, group) => {
    const left = percent(group.filter((item) => item.score >= bars.get(item.source)).length, group.length);
    const others = Object.entries(peers).map(
      ([peer, { flags }]) =>
        `${peer} ${shown(percent(group.filter((item) => flags[item.index] === '1').length, group.length))}`,
    );
    return {
      name,
      value: shown(left),
      unit: '%',
      left,
      note: `n ${group.length}; built-in bar ${shown(percent(group.filter(({ flagged }) => flagged).length, group.length))}; ${others.join(', ')}`,
    };
  };
  const rows = [];
  const explicit = items.filter(
    (item) => item.label === 'attack' && item.kind === 'tool_output' && item.tier === 'explicit',
  );
  const bySource = [...new Set(explicit.map(({ source }) => source))].map((source) =>
    row(
      `recall, explicit, ${source} left out`,
      explicit.filter((item) => item.source === source),
    ),
  );
  rows.push(...bySource);
  const mean = bySource.reduce((sum, { left }) => sum + left, 0) / bySource.length;
  rows.push({
    name: 'recall, explicit, mean over the sources left out',
    value: shown(mean),
    unit: '%',
    note: 'goal 45',
  });
  rows.push(
    row(
      'recall, implicit (a bare request), all sources',
      items.filter((item) => item.label === 'attack' && item.tier === 'implicit'),
    ),
  );
  for (const kind of ['user_prompt', 'tool_description'])
    rows.push(
      row(
        `recall, ${kind}`,
        items.filter((item) => item.label === 'attack' && item.kind === kind),
      ),
    );
  for (const [name, share, belongs] of BUDGETS)
    rows.push(row(`false positives, ${name} (<= ${share * 100} %)`, items.filter(belongs)));
  for (const source of [...new Set(items.filter(({ label }) => label === 'benign').map((item) => item.source))])
    rows.push(
      row(
        `false positives, ${source} left out`,
        items.filter((item) => item.label === 'benign' && item.source === source),
      ),
    );
  const clean = items.filter((item) => item.label === 'benign');
  rows.push({
    name: 'benign texts that sanitising leaves as they are',
    value: shown(percent(clean.filter(({ text }) => sanitise(text).text === text).length, clean.length)),
    unit: '%',
    note: `n ${clean.length}`,
  });
  rows.push({
    name: 'time for one text, mean',
    value: ours,
    unit: 'ms',
    note: Object.entries(peers)
      .map(([peer, { ms }]) => `${peer} ${ms.toFixed(3)}`)
      .join(', '),
  });
  return rows;
}

async function askPeers(items) {
  items.forEach((item, index) => {
    item.index = index;
  });
  const child = spawn(process.execPath, [fileURLToPath(new URL('guard-peers.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.end(items.map(({ text }) => JSON.stringify(text)).join('\n'));
  return JSON.parse(await allOf(child.stdout));
}

/** Clean text of a made-up report: prose, a list, code, a table. */
const PAGE = `# Weekly report\n\nThe build has been green for six days. Two tests were slow on Tuesday, because the disk of the runner was full; the disk is larger now.\n\n- Orders: 1,204 (last week 1,188)\n- Returns: 31, mostly size 42\n\n\`\`\`ts\nexport const total = (rows: Row[]) => rows.reduce((sum, { price }) => sum + price, 0);\n\`\`\`\n\n| day | orders |\n| --- | ------ |\n| Mon | 212    |\n| Tue | 198    |\n\n`;
const clean = (bytes) => PAGE.repeat(Math.ceil(bytes / PAGE.length)).slice(0, bytes);

function speed() {
  const page = clean(10_240);
  const time = (text) => {
    const started = performance.now();
    if (guard.inspect(text).verdict !== 'pass') throw new Error('clean text did not pass');
    return performance.now() - started;
  };
  for (let round = 0; round < 1_000; round++) time(page);
  const times = Array.from({ length: 1_000 }, () => time(page)).sort((a, b) => a - b);
  const [small, large] = [1_048_576, 10_485_760].map((bytes) =>
    Math.min(...Array.from({ length: 3 }, () => time(clean(bytes)))),
  );
  return [
    {
      name: 'inspect and sanitise 10 KiB of clean text, p50',
      value: times[500],
      unit: 'ms',
      note: `best ${times[0].toFixed(2)}`,
    },
    { name: 'the same, 1 MiB', value: small, unit: 'ms' },
    {
      name: 'the same, 10 MiB',
      value: large,
      unit: 'ms',
      note: `${(large / small).toFixed(1)} times as long (10 is linear)`,
    },
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { title, rows } = await run();
  console.log(title);
  for (const { name, value, unit, note } of rows) {
    const text = typeof value === 'number' ? value.toFixed(2) : value;
    console.log(`  ${name.padEnd(62)} ${text.padStart(8)} ${unit}${note ? `   ${note}` : ''}`);
  }
}
