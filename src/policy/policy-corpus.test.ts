import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  copyJsonObject,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
} from '../core/index.ts';
import { type AskedWorld, explainCall, type Tool } from '../gate/index.ts';
import { type Effect, type Policy, parsePolicy, policyForCases } from './index.ts';

/** The shared corpus (see its README): what the policy language means, by cases, against real files. */
const CORPUS = new URL('../../test/cases/policy-corpus/', import.meta.url);

interface Fixture {
  readonly files?: Readonly<Record<string, string>>;
  readonly outside?: Readonly<Record<string, string>>;
  readonly dirs?: readonly string[];
  readonly symlinks?: Readonly<Record<string, string>>;
  readonly hardlinks?: Readonly<Record<string, string>>;
}
interface Redirect {
  readonly status: number;
  readonly location: string;
}
interface Case {
  readonly id: string;
  readonly tool: string;
  readonly policy: string;
  readonly call: JsonObject;
  readonly expect: Effect;
  readonly accept?: readonly Effect[];
  readonly family: string;
  readonly fixture?: Fixture & { readonly base?: boolean };
  readonly dns?: Readonly<Record<string, readonly string[]>>;
  readonly dnsSequence?: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly connectOnlyTo?: readonly string[];
  readonly redirects?: Readonly<Record<string, Redirect>>;
  readonly before?: { readonly sameCalls: number; readonly withinSeconds: number; readonly thenWaitSeconds?: number };
}

const textOf = (name: string): string => readFileSync(new URL(name, CORPUS), 'utf8');
const casesOf = (name: string): Case[] =>
  textOf(name)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
const BASE = JSON.parse(textOf('paths_base_fixture.json')) as Fixture;

/** The tools of the corpus; nothing of them runs. */
const TOOLS: readonly Tool[] = (
  JSON.parse(textOf('tools.json')) as { tools: { name: string; inputSchema: JsonObject }[] }
).tools.map(({ name, inputSchema }) => ({
  name,
  schema: inputSchema,
  runs: name === 'shell' || name.startsWith('mcp__') ? 'spawned' : 'built-in',
  ...(name === 'file_read' || name === 'file_write' ? { paths: { path: name } } : {}),
  execute: () => Promise.reject(new Error('a tool of the corpus was executed')),
}));

/** The corpus policies as they stand; where tools run is no part of its cases, so it is stated for all of them. */
const POLICIES = new Map<string, Policy>(
  ['api-gateway', 'article-strict', 'build-box', 'ci-runner', 'readonly-review'].map((name) => {
    const policy = parsePolicy(textOf(`policies/${name}.yaml`), { file: `${name}.yaml` });
    return [name, policyForCases(policy)];
  }),
);

const ACCEPTED: Readonly<Record<Effect, readonly Effect[]>> = {
  allow: ['allow'],
  confirm: ['confirm', 'deny'],
  deny: ['deny'],
};

let top = '';
beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-corpus-')));
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Builds the files of a case in a folder of its own and returns how its placeholders read. */
function build(id: string, fixture: Case['fixture'] = { base: true }): (text: string) => string {
  const root = join(top, id, 'project');
  const out = join(top, id, 'outside');
  const fill = (text: string): string => text.replaceAll('$' + '{ROOT}', root).replaceAll('$' + '{OUT}', out);
  const at = (path: string, base = root): string => {
    const full = resolve(base, fill(path));
    mkdirSync(dirname(full), { recursive: true });
    return full;
  };
  mkdirSync(root, { recursive: true });
  for (const part of fixture.base === true ? [BASE, fixture] : [fixture]) {
    for (const [path, text] of Object.entries(part.files ?? {})) writeFileSync(at(path), text);
    for (const [path, text] of Object.entries(part.outside ?? {})) writeFileSync(at(path, out), text);
    for (const path of part.dirs ?? []) mkdirSync(at(path), { recursive: true });
    for (const [path, target] of Object.entries(part.symlinks ?? {})) symlinkSync(fill(target), at(path));
    for (const [path, target] of Object.entries(part.hardlinks ?? {})) linkSync(at(target), at(path));
  }
  return fill;
}

const NOW = 1_000_000;

function worldOf({
  dns = {},
  dnsSequence = {},
  redirects = {},
  before,
}: Case): Required<AskedWorld> & { seen: string[] } {
  const asked = new Map<string, number>();
  const seen: string[] = [];
  const resolve = async (host: string): Promise<readonly string[]> => {
    const count = asked.get(host) ?? 0;
    asked.set(host, count + 1);
    const sequence = dnsSequence[host];
    const found = sequence?.[Math.min(count, sequence.length - 1)] ?? dns[host] ?? ['93.184.216.66'];
    seen.push(...found);
    return found;
  };
  const { sameCalls, withinSeconds, thenWaitSeconds = 0 } = before ?? { sameCalls: 0, withinSeconds: 0 };
  const begin = NOW - (withinSeconds + thenWaitSeconds) * 1_000;
  const history = Array.from(
    { length: sameCalls },
    (_, index) => begin + (index * withinSeconds * 1_000) / Math.max(1, sameCalls - 1),
  );
  return { resolve, now: NOW, history, answers: (url) => redirects[url] ?? null, seen };
}

/** Steps 2 to 4 of a call, as the gate takes them. */
async function effectOf(one: Case): Promise<string> {
  const { id, tool, call, fixture } = one;
  const fill = build(id, fixture);
  const root = join(top, id, 'project');
  const policy = POLICIES.get(one.policy);
  if (policy === undefined) throw new Error('the case names no policy of the corpus');
  const args = readRaw(call, fill);
  if (args === null) return 'deny';
  const world = worldOf(one);
  const options = { policy, root, tools: TOOLS, state: join(top, 'state') };
  const { decision } = await explainCall(options, { tool, args, user: 'u', agent: 'a' }, world);
  if (decision.effect === 'allow' && one.connectOnlyTo !== undefined) {
    expect(one.connectOnlyTo).toEqual(expect.arrayContaining(world.seen));
  }
  return decision.effect === 'allow'
    ? 'allow'
    : `${decision.effect} ${decision.code} ${decision.rule.id}: ${decision.reason}`;
}

/** `null`: an edge that parses raw JSON refuses it. */
function readRaw(call: JsonObject, fill: (text: string) => string): JsonValue | null {
  try {
    const raw = call['$raw'];
    const value = typeof raw === 'string' ? parseStrictJson(raw) : copyJsonObject(call);
    return isJsonObject(value) ? copyJsonObject(JSON.parse(fill(JSON.stringify(value)))) : null;
  } catch (error) {
    if (isSallyportError(error)) return null;
    throw error;
  }
}

const accepted = (one: Case): readonly string[] => one.accept ?? ACCEPTED[one.expect];

describe.each(['shell', 'paths', 'endpoints', 'args'])('policy corpus: %s', (file) => {
  it.each(casesOf(`${file}.jsonl`))('$id: $policy, $tool: $expect', async (one) => {
    const got = await effectOf(one);
    if (!accepted(one).includes(got.split(' ', 1)[0] ?? '')) {
      expect.fail(`${JSON.stringify(one.call)}: ${accepted(one).join(' or ')} expected, got ${got}`);
    }
  });
});

it('the policy corpus has all of its cases', () => {
  const counts = ['shell', 'paths', 'endpoints', 'args'].map((file) => casesOf(`${file}.jsonl`).length);
  expect(counts).toEqual([426, 107, 123, 60]);
});
