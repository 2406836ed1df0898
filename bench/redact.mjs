// Redaction of known values beside what else one would write, over the same needles and the same text in one run: speed,
// cost of a secret, memory; and the search for unknown credentials. Run alone: node bench/redact.mjs
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { needlesOf } from '../dist/secrets/redact/encodings.js';
import { createRedactor, findCredentials } from '../dist/secrets/redact/index.js';
import { DEFAULT_REDACTION_LIMITS } from '../dist/secrets/redact/limits.js';

const made = (seed, length = 40) => createHash('sha512').update(`bench ${seed}`).digest('base64').slice(0, length);
const lineOf = (at) =>
  `2026-11-25T12:00:00Z INFO worker-${at % 16} GET /api/v1/users/${(at * 7919) % 1000}?q=orders HTTP/1.1 200 ${made(`line ${at}`, 24)}\n`;
const textOf = (length) => {
  let text = '';
  for (let at = 0; text.length < length; at++) text += lineOf(at);
  return text.slice(0, length);
};

const MEBIBYTE = 1_048_576;
const TEXT = textOf(MEBIBYTE);
const PAGE = TEXT.slice(0, 10_240);
const ME = { tenant: 'me' };

const timed = (act) => {
  const started = performance.now();
  act();
  return performance.now() - started;
};
const best = (rounds, act) => Math.min(...Array.from({ length: rounds }, () => timed(act)));
const rate = (milliseconds) => MEBIBYTE / 1e3 / milliseconds;

function knowing(count) {
  const redactor = createRedactor();
  const added = timed(() => {
    for (let at = 0; at < count; at++) redactor.add(`n${at}`, '1', made(at), 'me');
  });
  const built = timed(() => redactor.redactText('', ME));
  return { redactor, each: (added + built) / count };
}

function ours(count, rounds) {
  const { redactor, each } = knowing(count);
  const through = best(rounds, () => {
    if (redactor.redactText(TEXT, ME).text !== TEXT) throw new Error('clean text was changed');
  });
  const { needles, bytes } = redactor.size;
  return [
    { name: `${count} secrets (${needles} needles)`, value: rate(through), unit: 'MB/s', note: 'budget 50 with 100' },
    {
      name: '  a secret: its needles and its part of the automaton',
      value: each,
      unit: 'ms',
      note: 'budget 2 with 100',
    },
    { name: '  tables', value: bytes / MEBIBYTE, unit: 'MiB' },
  ];
}

/** The same needles, searched as most redactors do. */
function others(count) {
  const needles = Array.from({ length: count }, (_, at) =>
    needlesOf(Buffer.from(made(at)), DEFAULT_REDACTION_LIMITS).map(({ text }) => text),
  ).flat();
  const alternation = new RegExp(
    needles
      .toSorted((one, other) => other.length - one.length)
      .map((text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
      .join('|'),
    'g',
  );
  const each = best(2, () => {
    if (needles.some((needle) => TEXT.includes(needle))) throw new Error('found something');
  });
  const one = best(2, () => {
    if (TEXT.replace(alternation, '') !== TEXT) throw new Error('found something');
  });
  return [
    { name: `  the same needles with includes()`, value: rate(each), unit: 'MB/s' },
    { name: '  the same needles as one RegExp', value: rate(one), unit: 'MB/s' },
  ];
}

/** One more secret among many, then a search, again and again: what an operator's rotation costs. */
function rotation() {
  const { redactor } = knowing(100);
  const times = Array.from({ length: 100 }, (_, at) =>
    timed(() => {
      redactor.add('rotating', String(at), made(`rotation ${at}`), 'me');
      redactor.redactText('', ME);
    }),
  ).sort((one, other) => one - other);
  return [
    {
      name: '  one more among 100, and a search: p50',
      value: times[50],
      unit: 'ms',
      note: `largest ${times[99].toFixed(1)}`,
    },
  ];
}

function views() {
  const { redactor } = knowing(100);
  const page = best(200, () => redactor.redactText(PAGE, ME));
  const squashed = best(200, () => redactor.redactText(PAGE, { ...ME, squash: true }));
  const deep = best(20, () => redactor.redactText(PAGE, { ...ME, deep: true }));
  const stream = best(5, () => {
    const chunks = redactor.stream(ME);
    let length = 0;
    for (let at = 0; at < TEXT.length; at += 4_096) length += chunks.write(TEXT.slice(at, at + 4_096)).length;
    if (length + chunks.end().length !== TEXT.length) throw new Error('clean text was changed');
  });
  return [
    { name: '10 KiB, 100 secrets', value: page, unit: 'ms' },
    { name: '  with squash', value: squashed, unit: 'ms' },
    { name: '  with deep', value: deep, unit: 'ms' },
    { name: 'a stream in chunks of 4 KiB, 100 secrets', value: rate(stream), unit: 'MB/s' },
    { name: 'unknown credentials', value: rate(best(10, () => findCredentials(TEXT))), unit: 'MB/s' },
  ];
}

export async function run() {
  return {
    title: 'Redaction of 1 MiB of a log (budgets: >= 50 MB/s with 100 secrets, < 2 ms a secret)',
    rows: [...ours(1, 10), ...ours(100, 10), ...rotation(), ...others(100), ...ours(2_000, 5), ...views()],
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { title, rows } = await run();
  console.log(title);
  for (const { name, value, unit, note } of rows)
    console.log(`  ${name.padEnd(62)} ${value.toFixed(2).padStart(9)} ${unit}${note ? `   ${note}` : ''}`);
}
