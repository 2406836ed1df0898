// Runs the official suite against an address and reads what it found.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Far above what a run takes; a suite that hangs must not hang CI. */
const RUN_MS = 300_000;
/** The suite's folder for one scenario: `server-NAME-TIME`. */
const RESULT_FOLDER = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/;

/**
 * One leg (a version of the suite with its arguments) against `url`.
 *
 * @returns {Promise<Map<string, import('./suite.d.mts').Check[]>>} checks by scenario
 */
export const runSuite = ({ node, script, args }, url) =>
  collect(node, [script, 'server', '--url', url, ...args], (folder) => RESULT_FOLDER.exec(folder)?.[1]);

/** One scenario for clients; `client` is the script that the suite starts with its address. */
export async function runClientScenario({ node, script }, { scenario, revision, client }) {
  // The suite hands its command to a shell: quoted, because a path may hold blanks.
  const command = `"${process.execPath}" "${client}"`;
  const args = ['client', '--command', command, '--scenario', scenario, '--spec-version', revision];
  const results = await collect(node, [script, ...args, '--timeout', '60000'], () => scenario);
  return results.get(scenario) ?? [];
}

/** Runs the suite with a folder for its results: checks by what `nameOf` makes of the folder of each scenario. */
async function collect(node, command, nameOf) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-suite-'));
  try {
    const child = spawn(node, [...command, '-o', folder], { stdio: 'ignore', timeout: RUN_MS });
    // Its status says that a check failed, which the checks say better.
    await once(child, 'exit');
    const results = readdirSync(folder)
      .map((name) => ({ name: nameOf(name), checks: join(folder, name, 'checks.json') }))
      .filter(({ name, checks }) => name !== undefined && existsSync(checks))
      .map(({ name, checks }) => [name, JSON.parse(readFileSync(checks, 'utf8'))]);
    return new Map(results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const numberOf = (checks, status) => checks.filter((check) => check.status === status).length;

/** How many checks of a scenario ended well, and whether all of them did. No checks at all: it did not pass. */
export function tally(checks = []) {
  const failed = numberOf(checks, 'FAILURE');
  const passed = numberOf(checks, 'SUCCESS');
  return { passed, failed, passes: checks.length > 0 && failed === 0 };
}

/** What an answer carries; names of the server, states and tokens differ from run to run. */
const carried = ({ content, structuredContent, isError, contents, messages }) =>
  JSON.stringify({ content, structuredContent, isError, contents, messages });
const answerOf = (checks, wanted) => checks.find(({ id }) => id === wanted)?.details?.result;

/**
 * What a scenario lost on the way through the gateway: a check that fails now; one that ended well directly and is not
 * there, skipped or only a warning now; and an answer that says something else (many checks are content with any text).
 */
export function lost(direct, through = []) {
  if (through.length === 0) return ['the suite has no result'];
  const failing = through.filter(({ status }) => status === 'FAILURE');
  const rest = [...new Set(direct.map(({ id }) => id))].filter((id) => !failing.some((check) => check.id === id));
  const wellEnded = (checks, wanted) => checks.filter(({ id, status }) => id === wanted && status === 'SUCCESS').length;
  return [
    ...failing.map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'failed'}`),
    ...rest.filter((id) => wellEnded(through, id) < wellEnded(direct, id)).map((id) => `${id}: no longer a success`),
    ...rest.flatMap((id) => changed(id, answerOf(direct, id), answerOf(through, id))),
  ];
}

function changed(id, before, after) {
  if (before === undefined || after === undefined || carried(before) === carried(after)) return [];
  return [`${id}: the answer became ${carried(after).slice(0, 300)}`];
}
