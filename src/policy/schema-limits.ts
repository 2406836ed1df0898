import type { JsonObject } from '../core/index.ts';
import { POLICY_LIMITS } from './limits.ts';
import { choice, closed, list } from './schema-parts.ts';

const whole = (description: string, maximum: number): JsonObject => ({
  description,
  type: 'integer',
  minimum: 1,
  maximum,
});

/** What is counted, how long, and for whom. */
const limitKeys: Readonly<Record<string, JsonObject>> = {
  calls: whole('Calls in any window of the length of `within`.', POLICY_LIMITS.calls),
  concurrent: whole('Calls at the same time.', POLICY_LIMITS.concurrent),
  bytes: {
    $ref: '#/$defs/size',
    description:
      'Bytes in any window of the length of `within`: arguments, as JSON, and results as they are delivered.',
  },
  spend: {
    description: 'Units in any window of the length of `within`; what a call costs is the `cost` of its tool.',
    type: 'number',
    exclusiveMinimum: 0,
    maximum: POLICY_LIMITS.spend,
  },
  within: { $ref: '#/$defs/duration', description: 'The window of `calls`, `bytes` and `spend`; at most 24 hours.' },
  per: choice(
    ['principal', 'session', 'tenant', 'tool'],
    'What has a count of its own: a caller whatever its session (`principal`, the default), a session, a tenant, or each tool, whoever calls.',
  ),
};

export const rateLimit: JsonObject = closed(
  'How often, how much at once, how many bytes and how much money: for the calls of this tool.',
  {
    maxCallsPerMinute: whole('Calls of one caller in any 60 seconds, whatever `per` says.', 10_000),
    ...limitKeys,
  },
  { minProperties: 1, 'x-remedy': 'Write maxCallsPerMinute, or one of calls, concurrent, bytes and spend' },
);

export const namedLimit: JsonObject = closed(
  'A limit that the calls of several tools share. Each has a name of your choice.',
  {
    tools: list(
      'The tools that it counts, and actions of servers such as `mcp__docs:resources/read`; `*` stands for any run of characters. Every call if absent.',
      { type: 'string', minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_*-]+(:[A-Za-z/_*]+)?$' },
      { minItems: 1, maxItems: 1_000 },
    ),
    ...limitKeys,
  },
);

/** What a call of a tool costs. */
export const cost: JsonObject = {
  description:
    'Units that one call takes of a `spend`: a number, or the name of the argument that says it. 1 if absent. An argument that is no number from 0 on is denied.',
  type: ['number', 'string'],
  minimum: 0,
  maximum: POLICY_LIMITS.spend,
  minLength: 1,
  maxLength: 128,
};

export const breaker: JsonObject = closed(
  'Refuses calls for a while after some of them failed: threw, crashed or did not end in time. A result that says it is an error is no failure.',
  {
    failures: whole('Failures within the window that open it.', POLICY_LIMITS.failures),
    within: { $ref: '#/$defs/duration', description: 'The window in which failures count.' },
    pause: { $ref: '#/$defs/duration', description: 'How long calls are refused; then one call may try.' },
  },
  { required: ['failures', 'within', 'pause'] },
);
