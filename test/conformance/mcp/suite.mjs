// Runs the official suite against an address and reads what it found.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Far above what a run takes; a suite that hangs must not hang CI. */
const RUN_MS = 300_000;
/** The suite's folder for one scenario: `server-NAME-TIME`. */
const RESULT_FOLDER = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/;

/**
 * One leg (a version of the suite with its arguments) against `url`.
 *
 * @returns {Promise<Map<string, {id: string, status: string, errorMessage?: string}[]>>} checks by scenario, in the order run
 */
export async function runSuite({ node, script, args }, url) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-suite-'));
  try {
    const command = [script, 'server', '--url', url, ...args, '-o', folder];
    const child = spawn(node, command, { stdio: ['ignore', 'ignore', 'ignore'], timeout: RUN_MS });
    // Its status says that a check failed, which the checks say better.
    await once(child, 'exit');
    const results = readdirSync(folder)
      .map((name) => ({ name, scenario: RESULT_FOLDER.exec(name)?.[1] }))
      .filter(({ scenario }) => scenario !== undefined)
      .map(({ name, scenario }) => [scenario, JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8'))]);
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
