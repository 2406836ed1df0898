// How often a person is asked: the recorded coding session (test/replay) behind the ready-made coding policy, once for each way
// of answering. Every call really runs, so this takes some minutes.
import { codingPolicy, replay, WAYS } from '../test/replay/replay.mjs';

const NOTES = {
  once: 'each yes for one call',
  session: 'the same values, in the session, for an hour',
  times: 'the same values, five times',
  until: 'the same values, from any session, for an hour',
  rules: 'once, and the suggested rule put into the policy where there is one',
};

export async function run() {
  const rows = [];
  for (const way of WAYS) rows.push(await row(way, codingPolicy(), 'ready-made'));
  for (const way of ['once', 'session']) rows.push(await row(way, askingPolicy(), 'asking for each run'));
  return { title: 'Questions of a coding session under policies/coding-agent.yaml (budget: 7 per 100 calls)', rows };
}

async function row(way, policy, name) {
  const { calls, asked, refused } = await replay(way, { policy });
  const per = (list) => Math.round((list.length * 1_000) / calls) / 10;
  const note = `${asked.length} questions, ${refused.length} of ${calls} calls refused; ${NOTES[way]}`;
  return { name: `${name}: ${way}`, value: per(asked), unit: 'per 100', note };
}

/** The same policy, asking also for whatever runs code of the project. */
function askingPolicy() {
  const policy = codingPolicy();
  policy.tools.shell.requiresConfirmation.commands.push('npm test', 'npm run', 'node');
  return policy;
}
