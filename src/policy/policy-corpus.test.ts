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
import { parse, stringify } from 'yaml';
import {
  compileSchema,
  copyJsonObject,
  DEFAULT_LIMITS,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  parseStrictJson,
  validateSchema,
} from '../core/index.ts';
import { watchControlFiles } from '../gate/control-files.ts';
import { readPath } from '../gate/path-facts.ts';
import {
  type CallFacts,
  type CompiledPolicy,
  compilePolicy,
  decide,
  type Effect,
  type PathUse,
  parsePolicy,
  pathUses,
} from './index.ts';

/** The shared corpus (see its README): what the policy language means, by cases, against real files. */
const CORPUS = new URL('../../test/cases/policy-corpus/', import.meta.url);

interface Fixture {
  readonly files?: Readonly<Record<string, string>>;
  readonly outside?: Readonly<Record<string, string>>;
  readonly dirs?: readonly string[];
  readonly symlinks?: Readonly<Record<string, string>>;
  readonly hardlinks?: Readonly<Record<string, string>>;
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
}

const textOf = (name: string): string => readFileSync(new URL(name, CORPUS), 'utf8');
const casesOf = (name: string): Case[] =>
  textOf(name)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
const BASE = JSON.parse(textOf('paths_base_fixture.json')) as Fixture;
const TOOLS = (JSON.parse(textOf('tools.json')) as { tools: { name: string; inputSchema: JsonObject }[] }).tools;
const SCHEMAS = new Map(TOOLS.map(({ name, inputSchema }) => [name, compileSchema(inputSchema)]));

/** What this version does not have: the corpus policies use it, so it is taken out before they are loaded. */
const UNBUILT_TOOLS = ['shell', 'api_call', 'mcp__fetch__fetch', 'mcp__db__query'];
const UNBUILT_KEYS = ['rateLimit', 'requireSecretManager', 'requiresConfirmation'];

function loadPolicy(name: string): ReturnType<typeof parsePolicy> {
  const policy = parse(textOf(`policies/${name}.yaml`)) as { tools: Record<string, Record<string, unknown>> };
  for (const tool of UNBUILT_TOOLS) delete policy.tools[tool];
  for (const rule of Object.values(policy.tools)) for (const key of UNBUILT_KEYS) delete rule[key];
  return parsePolicy(stringify({ ...policy, defaults: { isolation: 'none' } }), { file: `${name}.yaml` });
}

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

/** Steps 2 to 4 of a call, as the gate takes them. */
function effectOf({ id, tool, policy, call, fixture }: Case): Effect {
  const fill = build(id, fixture);
  const root = join(top, id, 'project');
  const compiled = compilePolicy(loadPolicy(policy), { root, tools: TOOLS.map(({ name }) => name) });
  const args = readArguments(call, fill);
  if (args === null) return 'deny';
  const schema = SCHEMAS.get(tool);
  if (schema !== undefined && validateSchema(schema, args).length > 0) return 'deny';
  return decide(compiled, gather(compiled, { tool, args, root })).effect;
}

function readArguments(call: JsonObject, fill: (text: string) => string): JsonObject | null {
  try {
    const raw = call['$raw'];
    const value = typeof raw === 'string' ? parseStrictJson(raw) : copyJsonObject(call);
    return isJsonObject(value) ? copyJsonObject(JSON.parse(fill(JSON.stringify(value)))) : null;
  } catch (error) {
    if (isSallyportError(error)) return null;
    throw error;
  }
}

function gather(
  compiled: CompiledPolicy,
  { tool, args, root }: { tool: string; args: JsonObject; root: string },
): CallFacts {
  const control = watchControlFiles({ root, home: null, policyFile: null, stateFolders: [] });
  const own: Record<string, PathUse> = tool === 'file_read' || tool === 'file_write' ? { path: tool } : {};
  const paths: Record<string, CallFacts['paths'][string]> = {};
  for (const [name, use] of Object.entries({ ...own, ...pathUses(compiled, tool) })) {
    const given = args[name];
    if (typeof given !== 'string') continue;
    paths[name] = { use, reading: readPath(given, { root, use, control, limits: DEFAULT_LIMITS }) };
  }
  const principal = { tenant: 'local', user: 'u', agent: 'a', session: 's', proof: 'local' as const };
  const runs = tool.startsWith('mcp__') ? ('spawned' as const) : ('built-in' as const);
  return { tool, arguments: args, principal, paths, runs, uncertain: false };
}

describe.each(casesOf('paths.jsonl'))('policy corpus: $id', (one) => {
  it(`${one.policy}, ${one.tool}: ${one.expect}`, () => {
    expect(one.accept ?? ACCEPTED[one.expect]).toContain(effectOf(one));
  });
});

describe('policy corpus: arguments', () => {
  const later = (one: Case): boolean =>
    UNBUILT_TOOLS.includes(one.tool) || ['rate-limit', 'confirmation'].includes(one.family);
  const cases = casesOf('args.jsonl');

  it.each(cases.filter((one) => !later(one)))('$id: $expect', (one) => {
    expect(one.accept ?? ACCEPTED[one.expect]).toContain(effectOf(one));
  });

  it('leaves out only what needs what is not built', () => {
    expect([cases.length, cases.filter(later).length]).toEqual([60, 39]);
  });

  it('refuses each corpus policy as it stands, by the names of what is not built', () => {
    for (const name of ['api-gateway', 'article-strict', 'build-box', 'ci-runner', 'readonly-review']) {
      try {
        parsePolicy(textOf(`policies/${name}.yaml`), { file: name });
        throw new Error(`${name} was loaded`);
      } catch (error) {
        if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
        expect(error.message).toMatch(
          /needs (?:the tool shell|the tool api_call|rate limits), which this version does not have/,
        );
      }
    }
  });
});
