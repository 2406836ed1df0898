// One decision with 1, 10, 100 and 1,000 rules, beside three policy engines, in one run, in turns. The question is the
// same for all: may this tool be called with region "eu" and amount 40, where each rule allows one tool with region eu and
// amount <= 100? Every engine is first checked to allow that call and to deny amount 101. Run alone: node bench/policy.mjs
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { compilePolicy, decide, policyFromObject } from '../dist/policy/index.js';

const SIZES = [1, 10, 100, 1_000];
const ROUNDS = 20;
const require = createRequire(import.meta.url);

export async function run() {
  const engines = [];
  for (const rules of SIZES) for (const make of [ours, oursPath, agt, cedar, casbin]) engines.push(await make(rules));
  for (const engine of engines) {
    if (!engine.ask(false) || engine.ask(true)) throw new Error(`${engine.name}: wrong answers`);
    sample(engine, engine.samples);
  }
  const results = engines.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, engine] of engines.entries()) results[index].push(...sample(engine, engine.samples));
  }
  const rows = engines.flatMap(({ name }, index) => {
    const sorted = results[index].sort((a, b) => a - b);
    return [
      { name: `${name}, p50`, value: at(sorted, 0.5), unit: 'µs' },
      { name: `${name}, p99`, value: at(sorted, 0.99), unit: 'µs' },
    ];
  });
  return {
    title: 'A decision from gathered facts (budget: p50 <= 5 µs, p99 <= 20 µs at 100 rules, flat to 1,000)',
    rows,
  };
}

const at = (sorted, quantile) => sorted[Math.floor((sorted.length - 1) * quantile)];

function sample(engine, count) {
  const micros = [];
  for (let done = 0; done < count; done++) {
    const started = process.hrtime.bigint();
    const allowed = engine.ask(false);
    micros.push(Number(process.hrtime.bigint() - started) / 1000);
    if (!allowed) throw new Error(`${engine.name}: wrong answer`);
  }
  return micros;
}

const numbered = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const middle = (rules) => Math.floor(rules / 2);
const principal = { tenant: 'local', user: 'u', agent: 'a', session: 's', proof: 'local' };

function ours(rules) {
  const rule = { arguments: { region: { const: 'eu' }, amount: { type: 'number', maximum: 100 } } };
  const tools = Object.fromEntries(numbered(rules, (index) => [`tool_${index}`, rule]));
  const policy = policyFromObject({ version: 1, defaults: { isolation: 'none' }, tools });
  const compiled = compilePolicy(policy, { root: '/srv/project', tools: Object.keys(tools) });
  const facts = (amount) => ({
    tool: `tool_${middle(rules)}`,
    arguments: { region: 'eu', amount },
    principal,
    paths: {},
    runs: 'in-process',
    uncertain: false,
  });
  const [good, bad] = [facts(40), facts(101)];
  const ask = (isBad) => decide(compiled, isBad ? bad : good).effect === 'allow';
  return { name: `Sallyport, ${rules} rules`, ask, samples: 1_000 };
}

/** A path instead of a region and an amount: the most that a decision of ours has to do. Nothing to compare it with. */
function oursPath(rules) {
  const rule = { allowedPaths: ['src/', 'docs/**/*.md'], deniedPaths: ['.env*', '*.key', 'secrets/', '!.env.example'] };
  const tools = Object.fromEntries(numbered(rules, (index) => [`tool_${index}`, rule]));
  const policy = policyFromObject({ version: 1, defaults: { isolation: 'none' }, tools });
  const compiled = compilePolicy(policy, { root: '/srv/project', tools: Object.keys(tools) });
  const facts = (given) => {
    const full = `/srv/project/${given}`;
    const reading = { given, lexical: full, real: full, kind: 'file', links: 1, identity: '1:2', controlFile: false };
    const paths = { path: { use: 'file_write', reading } };
    return {
      tool: `tool_${middle(rules)}`,
      arguments: { path: given },
      principal,
      paths,
      runs: 'in-process',
      uncertain: false,
    };
  };
  const [good, bad] = [facts('src/deep/folder/file.ts'), facts('src/deep/.env')];
  const ask = (isBad) => decide(compiled, isBad ? bad : good).effect === 'allow';
  return { name: `Sallyport, ${rules} rules, a path to write`, ask, samples: 1_000 };
}

function agt(rules) {
  const { PolicyEngine } = require('@microsoft/agent-governance-sdk');
  const yaml = numbered(
    rules,
    (index) =>
      `  - name: r${index}\n    condition: "tool == 'tool_${index}' and region == 'eu' and amount <= 100"\n    ruleAction: allow\n`,
  ).join('');
  const engine = new PolicyEngine();
  engine.loadYaml(
    `name: bench\napiVersion: governance.toolkit/v1\nscope: global\ndefault_action: deny\nrules:\n${yaml}`,
  );
  const context = (amount) => ({ tool: `tool_${middle(rules)}`, region: 'eu', amount });
  const [good, bad] = [context(40), context(101)];
  const ask = (isBad) => engine.evaluatePolicy('did:agent:a', isBad ? bad : good).allowed;
  return { name: `@microsoft/agent-governance-sdk, ${rules} rules`, ask, samples: rules > 100 ? 50 : 500 };
}

function cedar(rules) {
  const wasm = require('@cedar-policy/cedar-wasm/nodejs');
  const texts = numbered(rules, (index) => [
    `p${index}`,
    `permit(principal, action == Action::"call", resource == Tool::"tool_${index}") when { context.region == "eu" && context.amount <= 100 };`,
  ]);
  const id = `bench${rules}`;
  const parsed = wasm.preparsePolicySet(id, { staticPolicies: Object.fromEntries(texts) });
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed));
  const call = (amount) => ({
    principal: { type: 'Agent', id: 'a' },
    action: { type: 'Action', id: 'call' },
    resource: { type: 'Tool', id: `tool_${middle(rules)}` },
    context: { region: 'eu', amount },
    preparsedPolicySetId: id,
    entities: [],
  });
  const [good, bad] = [call(40), call(101)];
  const ask = (isBad) => wasm.statefulIsAuthorized(isBad ? bad : good).response.decision === 'allow';
  return { name: `@cedar-policy/cedar-wasm, ${rules} rules`, ask, samples: rules > 100 ? 50 : 500 };
}

const CASBIN_MODEL = `
[request_definition]
r = sub, obj, act, region, amount
[policy_definition]
p = sub, obj, act, region, max
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && keyMatch2(r.obj, p.obj) && r.act == p.act && r.region == p.region && r.amount <= p.max
`;

async function casbin(rules) {
  const { newEnforcer, newModelFromString, StringAdapter } = require('casbin');
  const lines = numbered(rules, (index) => `p, a, /tool_${index}/:id, call, eu, 100`).join('\n');
  const enforcer = await newEnforcer(newModelFromString(CASBIN_MODEL), new StringAdapter(lines));
  const ask = (isBad) => enforcer.enforceSync('a', `/tool_${middle(rules)}/7`, 'call', 'eu', isBad ? 101 : 40);
  return { name: `casbin, ${rules} rules`, ask, samples: rules > 100 ? 20 : 200 };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { title, rows } = await run();
  console.log(title);
  for (const { name, value, unit } of rows)
    console.log(`  ${name.padEnd(58)} ${value.toFixed(2).padStart(10)} ${unit}`);
}
