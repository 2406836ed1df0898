// Replays the recorded session behind a gate with a policy, and counts how often a person is asked. Every call runs again, in the
// project that the record begins with; five seconds of the gate's clock pass before each and twenty before each answer, so that
// windows of a minute count.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { openGate } from '../../dist/gate/index.js';
import { suggestRule } from '../../dist/keeper/index.js';
import { builtInTools } from '../../dist/tools/index.js';
import { layOut } from '../../scripts/coding-session/lay-out.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const PAUSE_MS = 5_000;
const ANSWER_MS = 20_000;
const HOUR_MS = 3_600_000;

/** The calls of the record, and the project that they begin with. */
export function readSession() {
  const [{ project }, ...calls] = readFileSync(at('coding-session.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { project, calls };
}

/** The ready-made policy; its sandbox, which asks nobody, is left out so that the replay runs on every machine. */
export function codingPolicy() {
  const policy = parse(readFileSync(at('../../policies/coding-agent.yaml'), 'utf8'));
  policy.tools.shell.isolation = 'none';
  return policy;
}

/** How a person answers: the scope of each yes, at a time of the gate's clock. `rules` also adds the suggested rule. */
const SCOPES = {
  once: () => ({ kind: 'once' }),
  session: (now) => ({ kind: 'session', free: [], until: now + HOUR_MS }),
  times: (now) => ({ kind: 'times', free: [], times: 5, until: now + HOUR_MS }),
  until: (now) => ({ kind: 'until', free: [], until: now + HOUR_MS }),
  rules: () => ({ kind: 'once' }),
};
export const WAYS = Object.keys(SCOPES);

/** @returns what was asked, what was refused and by which code, and how many calls ran */
export async function replay(way, { policy = codingPolicy(), session = readSession() } = {}) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-replay-')));
  const root = layOut(base, session.project);
  const [policyFile, clock] = [join(base, 'policy', 'sallyport.yaml'), steppingClock()];
  mkdirSync(join(base, 'policy'));
  writeFileSync(policyFile, stringify(policy));
  const asked = [];
  const suggested = [];
  const gate = await openGate({
    ...{ policy: policyFile, root, state: join(base, 'state'), tools: builtInTools(), clock },
    ...{ policyChanges: 'apply', onPolicyNotice: () => undefined },
    onApprovalWaiting: ({ request }) => void answer(request),
  });
  const answer = async (id) => {
    const { request } = await gate.keeper.approval(id);
    const { tool, arguments: args, why } = request.binding;
    asked.push({ tool, args, code: why.code });
    clock.pass(ANSWER_MS);
    if (way === 'rules') suggested.push(suggestRule(request.binding));
    await gate.keeper.answer(id, { kind: 'approve', scope: SCOPES[way](clock.now()), full: true }, { class: 'local' });
  };
  try {
    const refused = [];
    let ran = 0;
    for (const { tool, args } of session.calls) {
      clock.pass(PAUSE_MS);
      const result = await gate.call(tool, args);
      if (result.kind === 'delivered') ran += 1;
      else refused.push({ tool, args, code: result.code });
      for (const suggestion of suggested.splice(0)) await addRule(gate, policyFile, suggestion);
    }
    return { calls: session.calls.length, asked, refused, ran };
  } finally {
    await gate.close();
    rmSync(base, { recursive: true });
  }
}

function steppingClock() {
  let passed = 0;
  return {
    now: () => Date.now() + passed,
    mono: () => Math.round((performance.now() + passed) * 1_000),
    pass: (milliseconds) => {
      passed += milliseconds;
    },
  };
}

/** As the operator does it: into the lists that are there; what stands in place of `requiresConfirmation` replaces it. */
async function addRule(gate, policyFile, suggestion) {
  if (suggestion === null) return;
  const policy = parse(readFileSync(policyFile, 'utf8'));
  for (const [tool, change] of Object.entries(suggestion.fragment)) {
    const rule = policy.tools[tool];
    for (const [key, value] of Object.entries(change)) {
      rule[key] = Array.isArray(value) && Array.isArray(rule[key]) ? [...rule[key], ...value] : value;
    }
  }
  const changed = new Promise((resolve) => {
    const stop = gate.onPolicyChanged(() => {
      stop();
      resolve();
    });
  });
  writeFileSync(policyFile, stringify(policy));
  await changed;
}
