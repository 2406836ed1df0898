import type { JsonObject } from '../core/index.ts';
import { choice, closed, later, text } from './schema-parts.ts';

const MORE_ACTIONS = 'actions of servers other than tools';

const environment: JsonObject = {
  description: 'Environment variables of a spawned server, written out. It gets no others of yours.',
  type: 'object',
  propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' },
  additionalProperties: {
    type: 'string',
    maxLength: 32_768,
    allOf: [{ not: { pattern: '\\$\\{secret:' }, 'x-needs': 'secret providers' }],
  },
};

/** One MCP server under `servers:`. */
export const serverRule: JsonObject = closed('An MCP server: either a command to start or a URL.', {
  command: {
    description:
      'Program (an absolute path) and its arguments. It must be installed: nothing is fetched when it starts.',
    type: 'array',
    minItems: 1,
    maxItems: 256,
    items: { type: 'string', maxLength: 8_192 },
  },
  url: text('Address of a remote server, `https://` or a loopback `http://`.', { maxLength: 2_048 }),
  isolation: { $ref: '#/$defs/isolation' },
  protocol: choice(
    ['auto', '2026-07-28', '2025-11-25', '2025-06-18'],
    'Protocol version to speak with the server; `auto` (the default) asks it.',
  ),
  env: environment,
  timeout: { $ref: '#/$defs/duration' },
  package: later('pinned packages', 'The server as a package with its version.'),
  egress: later('a sandbox', 'Hosts that the server may reach.'),
  expose: later('exposing names as they are', 'Whether the names of tools lose their prefix.'),
  resources: later(MORE_ACTIONS, 'Resources that may be read.'),
  prompts: later(MORE_ACTIONS, 'Prompts that may be used.'),
  completion: later(MORE_ACTIONS, 'Whether completion may be asked for.'),
  subscriptions: later(MORE_ACTIONS, 'Whether resources may be watched.'),
  tasks: later(MORE_ACTIONS, 'Whether tasks may run.'),
  sampling: later(MORE_ACTIONS, 'Whether the server may ask the model.'),
  elicitation: later(MORE_ACTIONS, 'Whether the server may ask the user.'),
  roots: later(MORE_ACTIONS, 'Whether the server may see the roots.'),
});
