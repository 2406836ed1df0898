import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Check, lost, tally } from './mcp/suite.mjs';

const folder = fileURLToPath(new URL('mcp/', import.meta.url));
/** The runner's status when the suite cannot be installed. */
const NOT_INSTALLED = 3;
/** With the installation, which may have to load Node. */
const LEG_MS = 600_000;

/** Runs one part of the suite; what it prints goes to the terminal. */
async function run(...[script, ...args]: string[]): Promise<unknown> {
  const command = [`${folder}${script}`, ...args, '--details'];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(child, 'exit');
  return status;
}

const NEXT = '0.2.0-alpha.12';
const PARTS: readonly string[][] = [
  ['run.mjs', '--leg', '0.1.16'],
  ['run.mjs', '--leg', `${NEXT}, 2025-06-18`],
  ['run.mjs', '--leg', `${NEXT}, 2025-11-25`],
  ['run.mjs', '--leg', `${NEXT}, 2026-07-28`],
  ['run.mjs', '--leg', `${NEXT}, 2025-11-25, server on stdio`],
  ['run.mjs', '--leg', `${NEXT}, 2026-07-28, server on stdio`],
  ['run.mjs', '--leg', `${NEXT}, 2025-11-25, server without sessions`],
  ['run.mjs', '--leg', `${NEXT}, 2026-07-28, server with sessions`],
  ['run-client.mjs', '--revision', '2025-11-25'],
  ['run-client.mjs', '--revision', '2026-07-28'],
];

describe('the official MCP conformance suite', () => {
  it.for(PARTS)(
    '%s %s %s: what passes directly passes through the gateway',
    { timeout: LEG_MS },
    async (part, { skip }) => {
      const status = await run(...part);
      if (status === NOT_INSTALLED && process.env['CI'] === undefined) skip('SKIPPED: the suite is not installed');
      expect(status).toBe(0);
    },
  );
});

const success: Check = { id: 'a', status: 'SUCCESS' };
const answer = (text: string): Check => ({ ...success, details: { result: { content: [{ type: 'text', text }] } } });

describe('the comparison of the two columns', () => {
  it('finds nothing lost where all is the same', () => {
    expect(lost([success, answer('x')], [success, answer('x')])).toEqual([]);
  });

  it.each<[string, Check[], Check[]]>([
    ['a failure', [success], [{ id: 'a', status: 'FAILURE' }]],
    ['a new failure of a check that did not run before', [success], [success, { id: 'b', status: 'FAILURE' }]],
    ['a warning instead of a success', [success], [{ id: 'a', status: 'WARNING' }]],
    ['a check that was skipped', [success], [{ id: 'a', status: 'SKIPPED' }]],
    ['a check that is gone', [success, { id: 'b', status: 'SUCCESS' }], [success]],
    ['one of two successes', [success, success], [success]],
    ['another answer', [answer('x')], [answer('denied')]],
    ['everything', [success], []],
  ])('finds %s', (_title, direct, through) => {
    expect(lost(direct, through)).toHaveLength(1);
  });

  it.each<[Check[], boolean]>([
    [[], false],
    [[success], true],
    [[success, { id: 'b', status: 'FAILURE' }], false],
  ])('takes %j as passed: %s', (checks, passes) => {
    expect(tally(checks).passes).toBe(passes);
  });
});
