import { deepFreeze, type JsonObject } from '../core/index.ts';
import { POLICY_LIMITS } from './limits.ts';
import { approvers, confirmation } from './schema-calls.ts';
import { argument, constraint, flow } from './schema-constraint.ts';
import { namedLimit } from './schema-limits.ts';
import { choice, closed, duration, isolation, isolationLevel, largeSize, list, size, text } from './schema-parts.ts';
import { serverRule } from './schema-server.ts';
import { sandboxSettings } from './schema-spawn.ts';
import { destinationSecret, toolRule } from './schema-tool.ts';

const toolName: JsonObject = {
  pattern: '^[A-Za-z0-9_*-]+$',
  maxLength: 128,
  'x-remedy': 'Use 1 to 128 of A-Z, a-z, 0-9, _ and -, and * for any run of them',
};

const principal: JsonObject = closed(
  'A caller and the tools it may use. Once there is one principal, callers that match none may use nothing.',
  {
    match: closed(
      'What the caller must be: every key must match, exactly or with a `*` at the end.',
      { agent: text('The agent.', { maxLength: 512 }), user: text('The user.', { maxLength: 512 }) },
      { minProperties: 1, 'x-remedy': 'Name an agent or a user; write "*" to match any' },
    ),
    tools: list(
      'Tools that it may use, of those that have a rule, and actions of servers such as `mcp__docs:resources/read`; `*` stands for any run of characters.',
      {
        type: 'string',
        minLength: 1,
        maxLength: 128,
        pattern: '^[A-Za-z0-9_*-]+(:[A-Za-z/_*]+)?$',
        'x-remedy': 'Name a tool, or an action such as mcp__docs:resources/read; * stands for any run',
      },
    ),
  },
  { required: ['match', 'tools'] },
);

/**
 * The JSON Schema (2020-12) of the policy file: the loader validates with it, editors can, and the reference in
 * docs/policy.md is made from it. `x-needs` marks keys, and `x-later` values, of the language that this version does not
 * have yet.
 */
export const policySchema: JsonObject = deepFreeze({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Sallyport policy',
  ...closed(
    'What the tools of an agent may be called with. What no rule allows is denied.',
    {
      version: { description: 'The version of the policy language.', const: 1, 'x-remedy': 'Write version: 1' },
      mode: choice(
        ['enforce', 'observe'],
        '`enforce` if absent. `observe` decides and records, and runs what it denies all the same: for trying a policy out, never for protection. Control files, arguments that cannot be read and requests that the rule does not allow stay denied.',
      ),
      root: text('The folder that paths are relative to; the folder of the policy file if absent.'),
      defaults: closed('What holds where a rule says nothing.', {
        isolation: { $ref: '#/$defs/isolation' },
        approvers: { $ref: '#/$defs/approvers' },
      }),
      sandbox: sandboxSettings,
      limits: {
        description: 'Limits that the calls of several tools share, by a name of your choice.',
        type: 'object',
        minProperties: 1,
        maxProperties: POLICY_LIMITS.named,
        propertyNames: { pattern: '^[A-Za-z0-9_-]+$', maxLength: 64, 'x-remedy': 'Use A-Z, a-z, 0-9, _ and -' },
        additionalProperties: { $ref: '#/$defs/namedLimit' },
        'x-remedy': `Name 1 to ${POLICY_LIMITS.named} limits`,
      },
      tools: {
        description:
          'Rules by tool. A key names a tool, or several with `*`; MCP tools are `mcp__SERVER__TOOL`. No tool may fall under two keys.',
        type: 'object',
        propertyNames: toolName,
        additionalProperties: { $ref: '#/$defs/tool' },
      },
      servers: {
        description: 'MCP servers by name.',
        type: 'object',
        propertyNames: { pattern: '^[a-z0-9-]{1,20}$', 'x-remedy': 'Use 1 to 20 of a-z, 0-9 and - for a server name' },
        additionalProperties: { $ref: '#/$defs/server' },
      },
      principals: {
        description: 'Callers by a name of your choice.',
        type: 'object',
        minProperties: 1,
        propertyNames: { pattern: '^[A-Za-z0-9_-]+$', maxLength: 64, 'x-remedy': 'Use A-Z, a-z, 0-9, _ and -' },
        additionalProperties: { $ref: '#/$defs/principal' },
        'x-remedy': 'Name at least one principal, or leave principals: out to treat all callers alike',
      },
    },
    { required: ['version'] },
  ),
  $defs: {
    tool: toolRule,
    server: serverRule,
    principal,
    namedLimit,
    argument,
    approvers,
    confirmation,
    destinationSecret,
    constraint,
    flow,
    isolation,
    isolationLevel,
    duration,
    size,
    largeSize,
  },
});
