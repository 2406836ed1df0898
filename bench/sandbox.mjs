// One command in each kind of sandbox, beside a plain child process, raw bubblewrap with the same flags, and
// @anthropic-ai/sandbox-runtime: all in turns, so that a slow moment of the machine meets all of them. What cannot be had here
// gets a line that says why. As root, programs run as nobody. Needs dist/. Run it alone: node bench/sandbox.mjs
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { watchControlFiles } from '../dist/gate/control-files.js';
import { openProfiles } from '../dist/gate/profile.js';
import { compilePolicy, policyFromObject, spawnTerms } from '../dist/policy/index.js';
import {
  commandLine,
  DOORS,
  library,
  PROGRAMS,
  plain,
  rawBubblewrap,
  runtimeCommandLine,
  runtimeLibrary,
  throughGate,
  USER,
} from './sandbox-ways.mjs';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 30);
/** A whole process that proves a level anew takes seconds: it is started in every tenth round only, with one program. */
const SELDOM = 10;
/** Milliseconds that the design lets a level add to a plain child process. */
const BUDGET = { 'bubblewrap, library': 20, 'gvisor cold, library': 250, 'gvisor warm, library': 50 };
/** A warm sandbox is opened behind the first command; the next ones meet it ready. */
const WARM_UP_MS = 3_000;

const WAYS = [
  ['plain child process', plain],
  ['bwrap with the same flags', rawBubblewrap],
  ['bubblewrap, library', (place) => library(place, 'bubblewrap')],
  ['bubblewrap, library, with the relay', (place) => library(place, 'bubblewrap', { egress: DOORS.relay })],
  ['bubblewrap, shell tool through the gate', (place) => throughGate(place, 'bubblewrap')],
  ['bubblewrap, sallyport run', (place) => commandLine(place, 'bubblewrap'), 'seldom'],
  ['gvisor cold, library', (place) => library(place, 'gvisor')],
  ['gvisor warm, library', (place) => library(place, 'gvisor', { owner: 'bench' })],
  ['gvisor cold, library, with the relay', (place) => library(place, 'gvisor', { egress: DOORS.relay })],
  ['gvisor warm, shell tool through the gate', (place) => throughGate(place, 'gvisor')],
  ['gvisor cold, sallyport run', (place) => commandLine(place, 'gvisor'), 'seldom'],
  ['sandbox-runtime 0.0.78, library', runtimeLibrary],
  ['sandbox-runtime 0.0.78, command line (srt)', runtimeCommandLine],
];

/** Opens a way and tries it once with each program: the first start proves a level, and warms what can be warm. */
async function openWay(place, [name, open, how]) {
  let way = null;
  try {
    way = await open(place);
    for (const program of Object.values(PROGRAMS).slice(0, how === 'seldom' ? 1 : 2)) await way.start(program);
    return { name, ...way, isSeldom: how === 'seldom', missing: null };
  } catch (error) {
    await way?.close?.();
    return { name, missing: error.message.split('\n')[0].slice(0, 160) };
  }
}

async function inTurns(ways, program) {
  const times = new Map(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, start, isSeldom } of ways) {
      if (isSeldom && round % SELDOM !== 0) continue;
      const begin = performance.now();
      await start(program);
      times.get(name).push(performance.now() - begin);
    }
  }
  return new Map([...times].map(([name, all]) => [name, all.sort((a, b) => a - b)]));
}

const at = (sorted, quantile) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))];
const round = (value) => Number(value.toFixed(1));

function rowsOf(label, ways, times) {
  const base = at(times.get('plain child process'), 0.5);
  return ways.map(({ name, missing }) => {
    if (missing !== null) return { name: `${label}: ${name}`, value: '-', unit: '', note: `not here: ${missing}` };
    const sorted = times.get(name);
    const p50 = at(sorted, 0.5);
    const budget = label === 'true' ? BUDGET[name] : undefined;
    const met = budget === undefined ? '' : `; budget ${budget} ms: ${p50 - base <= budget ? 'met' : 'NOT met'}`;
    const count = sorted.length === ROUNDS ? '' : `${sorted.length} starts, `;
    const note = `${count}best ${round(sorted[0])}, p90 ${round(at(sorted, 0.9))}, adds ${round(p50 - base)}${met}`;
    return { name: `${label}: ${name}`, value: round(p50), unit: 'ms', note };
  });
}

/** 10,000 files in 200 folders, with something to cover in each. */
function makeProject(root) {
  for (let folder = 0; folder < 200; folder++) {
    const path = join(root, `folder-${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 49; file++) writeFileSync(join(path, `file-${file}.ts`), 'x');
    writeFileSync(join(path, `token-${folder}.key`), 'x');
  }
}

/** Compiling the profile of a large workspace: the first time, and again while nothing has changed. */
async function profileRows(folder) {
  const root = join(folder, 'project');
  makeProject(root);
  const tools = {
    file_read: { allowedPaths: ['.'], deniedPaths: ['*.key'] },
    file_write: { allowedPaths: ['.'] },
    shell: { allowedCommands: ['true'], isolation: 'bubblewrap' },
  };
  const terms = spawnTerms(compilePolicy(policyFromObject({ version: 1, tools }), { root, tools: ['shell'] }), 'shell');
  const places = { root, home: join(folder, 'home'), policyFile: join(root, 'sallyport.yaml'), stateFolders: [] };
  const first = [];
  const again = [];
  let covers = 0;
  for (let time = 0; time < ROUNDS; time++) {
    const profiles = openProfiles(watchControlFiles(places), { isPlaceholder: async () => false });
    for (const into of [first, again]) {
      const begin = performance.now();
      const profile = await profiles.compile({ terms, wallMs: 1, outputBytes: 1, runtime: [], egress: null });
      into.push(performance.now() - begin);
      covers = profile.covers.length;
    }
  }
  const row = (name, times) => {
    const sorted = times.sort((a, b) => a - b);
    const note = `best ${round(sorted[0])}, p90 ${round(at(sorted, 0.9))}`;
    return { name, value: round(at(sorted, 0.5)), unit: 'ms', note };
  };
  return [
    row(`profile of 10,000 files, ${covers} covers, first`, first),
    row('profile of the same files, nothing changed', again),
  ];
}

/** @returns {Promise<{title: string, rows: {name: string, value: number | string, unit: string, note?: string}[]}>} */
export async function run() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-bench-')));
  const work = join(folder, 'work');
  mkdirSync(join(work, 'out'), { recursive: true });
  for (const path of [folder, work]) chmodSync(path, 0o755);
  for (const path of [work, join(work, 'out')]) if (process.getuid() === 0) chownSync(path, USER.uid, USER.gid);
  const own = join(folder, 'own');
  mkdirSync(own);
  for (const path of [work, own]) writeFileSync(join(path, 'zero.js'), '');
  const ways = [];
  try {
    for (const way of WAYS) ways.push(await openWay({ folder, work, own }, way));
    await delay(WARM_UP_MS);
    const here = ways.filter(({ missing }) => missing === null);
    const rows = [];
    for (const [label, program] of Object.entries(PROGRAMS)) {
      const taken = ({ isSeldom }) => label === 'true' || isSeldom !== true;
      const times = await inTurns(here.filter(taken), program);
      rows.push(...rowsOf(label, ways.filter(taken), times));
    }
    rows.push(...(await profileRows(folder)));
    const who = process.getuid() === 0 ? 'as root, programs run as nobody' : 'as an ordinary user';
    return { title: `Starting one command until everything of it is gone, p50 of ${ROUNDS}, ${who}`, rows };
  } finally {
    for (const { close } of ways) await close?.();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { title, rows } = await run();
  console.log(title);
  for (const { name, value, unit, note = '' } of rows)
    console.log(`  ${name.padEnd(56)} ${String(value).padStart(8)} ${unit}  ${note}`);
  process.exit(0);
}
