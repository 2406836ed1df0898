// The official suite against the upstream directly and through the gateway, both columns side by side:
//   node test/conformance/mcp/run.mjs [--leg TEXT] [--details]
// Exits 1 when a scenario fails directly, passes directly and loses something through the gateway without standing in
// known-differences.json, or stands there and loses nothing; 3 when the suite cannot be installed. Needs dist/.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installSuite } from './install.mjs';
import { LEGS } from './legs.mjs';
import { startGateway, startUpstream, upstreamCommand } from './stand.mjs';
import { lost, runSuite, tally } from './suite.mjs';

const options = { leg: { type: 'string', default: '' }, details: { type: 'boolean', default: false } };
const { leg: wanted, details } = parseArgs({ options }).values;

/** `{ leg, scenario, reason }` each. */
const known = JSON.parse(readFileSync(new URL('known-differences.json', import.meta.url), 'utf8'));

/** One leg in both columns. */
async function measure(leg, { node, versions }) {
  const suite = { node, script: versions[leg.version], args: leg.args };
  const upstream = await startUpstream();
  try {
    const direct = await runSuite(suite, upstream.url);
    const server = leg.stdio ? upstreamCommand : { url: upstream.url };
    const gateway = await startGateway(server, leg.protocol);
    try {
      return { direct, through: await runSuite(suite, gateway.url) };
    } finally {
      await gateway.stop();
    }
  } finally {
    await upstream.stop();
  }
}

/** What is wrong with one scenario, or null; and the lines that explain it. */
function judge(leg, scenario, direct, through) {
  const expected = known.find((entry) => entry.leg === leg.name && entry.scenario === scenario);
  const { passes } = tally(direct);
  const losses = passes ? lost(direct, through) : [];
  if (!passes) return { wrong: 'fails directly', lines: lost([], direct) };
  if (losses.length === 0) return { wrong: expected ? 'known difference that is none' : null, lines: [] };
  if (expected) return { wrong: null, note: `known: ${expected.reason}`, lines: losses };
  return { wrong: 'fails through the gateway', lines: losses };
}

const shown = (checks) => {
  const { passed, failed, passes } = tally(checks);
  return `${passes ? 'pass' : 'FAIL'} ${passed}/${passed + failed}`.padEnd(12);
};

function print(leg, { direct, through }) {
  console.log(`\n${leg.name}\n  ${'scenario'.padEnd(48)} ${'direct'.padEnd(12)} gateway`);
  const judged = [...direct].map(([scenario, checks]) => {
    const verdict = judge(leg, scenario, checks, through.get(scenario));
    const remark = verdict.wrong ?? verdict.note ?? '';
    console.log(`  ${scenario.padEnd(48)} ${shown(checks)} ${shown(through.get(scenario))} ${remark}`.trimEnd());
    if (details) for (const line of verdict.lines) console.log(`      ${line}`);
    return verdict;
  });
  const gone = known.filter((entry) => entry.leg === leg.name && !direct.has(entry.scenario));
  for (const { scenario } of gone) console.log(`  ${scenario}: a known difference of a scenario that is not run`);
  if (direct.size === 0) console.log('  the suite gave no result');
  const wrong = judged.filter((verdict) => verdict.wrong !== null).length + gone.length + (direct.size === 0 ? 1 : 0);
  console.log(`  ${direct.size} scenarios, ${wrong} wrong`);
  return wrong;
}

async function run(leg, suite) {
  try {
    return print(leg, await measure(leg, suite));
  } catch (error) {
    console.log(`\n${leg.name}\n  could not be run: ${error.message}`);
    return 1;
  }
}

async function main() {
  const suite = installSuite();
  const exact = LEGS.filter(({ name }) => name === wanted);
  const legs = exact.length > 0 ? exact : LEGS.filter(({ name }) => name.includes(wanted));
  if (suite === null) return 3;
  let wrong = 0;
  for (const leg of legs) wrong += await run(leg, suite);
  return wrong > 0 || legs.length === 0 ? 1 : 0;
}

process.exitCode = await main();
