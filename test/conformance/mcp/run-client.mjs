// The official suite's scenarios for clients, with the gateway as the client: what it says to a server.
//   node test/conformance/mcp/run-client.mjs [--revision DATE] [--details]
// Exits 1 when a scenario fails without standing in known-differences.json, or stands there and passes; 3 when the suite
// cannot be installed. Authorization is not among them: the gateway does not log in to servers. Needs dist/.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installSuite } from './install.mjs';
import { runClientScenario, tally } from './suite.mjs';

const options = { revision: { type: 'string', default: '' }, details: { type: 'boolean', default: false } };
const { revision: wanted, details } = parseArgs({ options }).values;
const client = fileURLToPath(new URL('client.mjs', import.meta.url));

const SCENARIOS = {
  '2025-11-25': [
    ...['initialize', 'tools_call', 'sse-retry'],
    ...['elicitation-sep1034-client-defaults', 'json-schema-2020-12-preservation'],
  ],
  '2026-07-28': [
    ...['tools_call', 'request-metadata', 'sep-2322-client-request-state'],
    ...['http-standard-headers', 'http-custom-headers', 'http-invalid-tool-headers'],
    ...['json-schema-ref-no-deref', 'json-schema-2020-12-preservation'],
  ],
};

const known = JSON.parse(readFileSync(new URL('known-differences.json', import.meta.url), 'utf8'));

function judge(leg, scenario, checks) {
  const expected = known.find((entry) => entry.leg === leg && entry.scenario === scenario);
  const { passes } = tally(checks);
  if (passes === (expected === undefined)) return { wrong: false, remark: expected ? `known: ${expected.reason}` : '' };
  return { wrong: true, remark: passes ? 'known difference that is none' : 'fails' };
}

const failuresOf = (checks) =>
  checks
    .filter(({ status }) => status === 'FAILURE')
    .map(({ id, errorMessage, details: found }) => `${id}: ${errorMessage ?? JSON.stringify(found)}`);

async function runRevision(revision, { node, versions }) {
  const leg = `client, ${revision}`;
  console.log(`\n${leg}\n  ${'scenario'.padEnd(48)} gateway`);
  let wrong = 0;
  for (const scenario of SCENARIOS[revision]) {
    const checks = await runClientScenario({ node, script: versions.next }, { scenario, revision, client });
    const { passed, failed, passes } = tally(checks);
    const verdict = judge(leg, scenario, checks);
    if (verdict.wrong) wrong += 1;
    const count = `${passes ? 'pass' : 'FAIL'} ${passed}/${passed + failed}`;
    console.log(`  ${scenario.padEnd(48)} ${count.padEnd(12)} ${verdict.remark}`.trimEnd());
    if (details) for (const line of failuresOf(checks)) console.log(`      ${line}`);
  }
  console.log(`  ${SCENARIOS[revision].length} scenarios, ${wrong} wrong`);
  return wrong;
}

async function main() {
  const suite = installSuite();
  if (suite === null) return 3;
  const revisions = Object.keys(SCENARIOS).filter((revision) => revision.includes(wanted));
  let wrong = revisions.length === 0 ? 1 : 0;
  for (const revision of revisions) wrong += await runRevision(revision, suite);
  return wrong > 0 ? 1 : 0;
}

process.exitCode = await main();
