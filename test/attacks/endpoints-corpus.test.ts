import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  classifyAddress,
  compileSchema,
  copyJsonObject,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  validateSchema,
} from '../../src/core/index.ts';
import { performRequest } from '../../src/gate/fetch-request.ts';
import type { FetchRequest } from '../../src/gate/fetch-types.ts';
import { judgeCredentials } from '../../src/policy/credential-literals.ts';
import type { Effect } from '../../src/policy/decision.ts';
import { type CompiledEndpoints, compileEndpoints, decideEndpoint } from '../../src/policy/endpoints.ts';
import type { PolicyEntry } from '../../src/policy/policy.ts';
import { callsPerMinute, decideRate } from '../../src/policy/rate-limit.ts';
import { judgeReadOnlySql } from '../../src/policy/sql-read-only.ts';
import { openWorld, type World } from './endpoints-world.ts';

/** The shared corpus: every endpoint case over real connections, and the argument cases that these judges decide. */
const CORPUS = new URL('../cases/policy-corpus/', import.meta.url);
const textOf = (name: string): string => readFileSync(new URL(name, CORPUS), 'utf8');

interface Case {
  readonly id: string;
  readonly tool: string;
  readonly policy: string;
  readonly call: JsonObject;
  readonly expect: Effect;
  readonly accept?: readonly Effect[];
  readonly family: string;
  readonly dns?: Readonly<Record<string, readonly string[]>>;
  readonly dnsSequence?: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly connectOnlyTo?: readonly string[];
  readonly redirects?: Readonly<Record<string, { readonly status: number; readonly location: string }>>;
  readonly before?: { readonly sameCalls: number; readonly withinSeconds: number; readonly thenWaitSeconds?: number };
}

const casesOf = (name: string): Case[] =>
  textOf(name)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
const { tools } = JSON.parse(textOf('tools.json')) as { tools: { name: string; inputSchema: JsonObject }[] };
const SCHEMAS = new Map(tools.map(({ name, inputSchema }) => [name, compileSchema(inputSchema)]));

const entries = (texts: unknown, key: string): readonly PolicyEntry[] =>
  (Array.isArray(texts) ? texts : []).map((text: string, index) => ({
    text,
    rule: { id: `tools.api_call.${key}[${index}]` },
  }));

function compile(policy: string): CompiledEndpoints {
  const rule = (parse(textOf(`policies/${policy}.yaml`)) as { tools: { api_call: Record<string, unknown> } }).tools
    .api_call;
  const confirmation = rule['requiresConfirmation'] as { requests?: string[] } | undefined;
  return compileEndpoints({
    rule: { id: 'tools.api_call' },
    allowedEndpoints: entries(rule['allowedEndpoints'], 'allowedEndpoints'),
    internalEndpoints: entries(rule['internalEndpoints'], 'internalEndpoints'),
    methods: Array.isArray(rule['methods']) ? entries(rule['methods'], 'methods') : null,
    confirmRequests: entries(confirmation?.requests, 'requiresConfirmation.requests'),
    secrets: [],
  });
}
const COMPILED = new Map(['article-strict', 'api-gateway'].map((name) => [name, compile(name)]));

const NAMES = [
  ...['api.github.com', 'api.stripe.com', 'v2.docs.example.com', 'a.b.docs.example.com'],
  ...['hooks.example.org', 'uploads.example.net'],
];
let world: World;
let current: Case | null = null;
beforeAll(async () => {
  world = await openWorld(NAMES, (_, response) => {
    const hop = current?.redirects?.[world.arrived.at(-1)?.url ?? ''];
    if (hop === undefined) response.end('ok');
    else response.writeHead(hop.status, { location: hop.location }).end();
  });
});
afterAll(() => world.close());

function resolver({ dns = {}, dnsSequence = {} }: Case): (host: string) => Promise<readonly string[]> {
  const asked = new Map<string, number>();
  return async (host) => {
    const count = asked.get(host) ?? 0;
    asked.set(host, count + 1);
    const sequence = dnsSequence[host];
    return sequence?.[Math.min(count, sequence.length - 1)] ?? dns[host] ?? ['93.184.216.66'];
  };
}

/** Schema, credentials, endpoint and every hop, over real sockets. */
async function callApi(one: Case, endpoints: CompiledEndpoints): Promise<Effect> {
  if (judgeCredentials(one.call) !== null) return 'deny';
  const { method, url, headers = {}, body = null } = one.call;
  if (typeof method !== 'string' || typeof url !== 'string' || !isJsonObject(headers)) return 'deny';
  const request: FetchRequest = { method, url, headers, body };
  const first = decideEndpoint(endpoints, request, null);
  if (first.effect === 'deny') return 'deny';
  current = one;
  world.dialled.length = 0;
  const result = await performRequest(request, {
    judge: (hop) => decideEndpoint(endpoints, hop.request, hop.addresses),
    resolve: resolver(one),
    dial: world.dial,
    certificates: [world.certificate],
    confirmed: first.effect === 'confirm',
    release: async () => 'a-secret',
  });
  for (const { address } of world.dialled) {
    expect(classifyAddress(address)?.kind).toBe('public');
    if (one.connectOnlyTo !== undefined) expect(one.connectOnlyTo).toContain(address);
  }
  return result.kind === 'denied' ? 'deny' : first.effect;
}

async function effectOf(one: Case): Promise<Effect> {
  const endpoints = COMPILED.get(one.policy);
  const schema = SCHEMAS.get(one.tool);
  if (endpoints === undefined || schema === undefined) throw new Error('the case needs a policy and a tool');
  const args = read(one.call);
  if (args === null || validateSchema(schema, args).length > 0) return 'deny';
  if (one.tool === 'api_call') return callApi(one, endpoints);
  if (judgeCredentials(args) !== null) return 'deny';
  const { sql, url } = args;
  if (typeof sql === 'string') return judgeReadOnlySql(sql) === null ? 'allow' : 'deny';
  if (typeof url === 'string') {
    const request = { method: null, url, headers: {}, body: null };
    return decideEndpoint(endpoints, request, ['93.184.216.66']).effect;
  }
  return one.before === undefined ? 'allow' : rateOf(one.before);
}

function read(call: JsonObject): JsonObject | null {
  try {
    return copyJsonObject(call);
  } catch (error) {
    if (isSallyportError(error)) return null;
    throw error;
  }
}

function rateOf({ sameCalls, withinSeconds, thenWaitSeconds = 0 }: NonNullable<Case['before']>): Effect {
  const limit = callsPerMinute(30, { id: 'tools.x.rateLimit' });
  const history = Array.from(
    { length: sameCalls },
    (_, index) => (index * withinSeconds * 1_000) / Math.max(1, sameCalls - 1),
  );
  return decideRate(limit, history, (withinSeconds + thenWaitSeconds) * 1_000).finding === null ? 'allow' : 'deny';
}

const ACCEPTED: Readonly<Record<Effect, readonly Effect[]>> = {
  allow: ['allow'],
  confirm: ['confirm', 'deny'],
  deny: ['deny'],
};

describe('policy corpus: endpoints', () => {
  it.each(casesOf('endpoints.jsonl'))('$id: $expect', async (one) => {
    expect(one.accept ?? ACCEPTED[one.expect]).toContain(await effectOf(one));
  });

  it('asks where the corpus asks', async () => {
    const asked = casesOf('endpoints.jsonl').filter((one) => one.expect === 'confirm');
    for (const one of asked) expect(await effectOf(one)).toBe('confirm');
    expect(asked.length).toBeGreaterThan(0);
  });
});

describe('policy corpus: arguments', () => {
  const families = ['secret-literal', 'sql-readonly', 'mcp-url', 'rate-limit'];
  const others = new Set(['d-args-type-confusion-07', 'd-args-unknown-field-04', 'd-args-legit-args-03']);
  const cases = casesOf('args.jsonl').filter((one) => families.includes(one.family) || others.has(one.id));

  it.each(cases)('$id: $expect', async (one) => {
    expect(one.accept ?? ACCEPTED[one.expect]).toContain(await effectOf(one));
  });

  it('takes all cases of its families', () => {
    expect(cases.length).toBe(23);
  });
});
