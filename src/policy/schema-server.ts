import type { JsonObject } from '../core/index.ts';
import { breaker } from './schema-limits.ts';
import { choice, closed, flag, list, text } from './schema-parts.ts';
import { egressKeys, serverPaths, spawnLimits } from './schema-spawn.ts';

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
export const serverRule: JsonObject = closed(
  'An MCP server: a command to start, a package that was installed, or a URL.',
  {
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
    package: text(
      'An npm package with its exact version, `@acme/github-mcp@1.4.2`: `sallyport servers install` fetches it, and nothing is fetched when it starts.',
      { maxLength: 512 },
    ),
    integrity: text(
      'What the tarball of the package must be: `sha512-…`, as in a lock file of npm. If absent, what the first installation finds is kept in `sallyport.lock`.',
      { pattern: '^sha512-[A-Za-z0-9+/]{86}==$', 'x-remedy': 'Write sha512- and 88 characters of base64' },
    ),
    bin: text('Which program of the package, where it has several.', {
      pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$',
      'x-remedy': 'Write the name of a program of the package',
    }),
    args: list('Arguments of the program of the package.', { type: 'string', maxLength: 8_192 }, { maxItems: 256 }),
    paths: serverPaths,
    limits: closed('What a spawned server may use.', spawnLimits),
    ...egressKeys,
    methods: list('HTTP methods that it may use, where the proxy sees them (`terminateTls: true`); all if absent.', {
      type: 'string',
      minLength: 1,
      maxLength: 32,
    }),
    internalEndpoints: list(
      'The only addresses that are not public which it may reach: `http://127.0.0.1:8080`, exactly this scheme, host and port.',
      { type: 'string', minLength: 1, maxLength: 1_024 },
    ),
    maxOutput: { $ref: '#/$defs/size' },
    breaker,
    expose: choice(
      ['prefixed', 'as-is'],
      'Whether names of tools and prompts get the server as prefix and URIs its scheme (`prefixed`, the default), or reach clients as the server wrote them: for a server that stands alone.',
    ),
    allowSuspicious: list(
      'Tools, prompts and URI templates, as the server calls them, that are offered although the guard finds instructions to the model, or something hidden, in their definition.',
      { type: 'string', minLength: 1, maxLength: 2_048 },
      { maxItems: 512 },
    ),
    resources: list(
      'Resources that may be listed and read, as URI patterns: `*` stands for a run of characters without `/`, `**` for any.',
      { type: 'string', minLength: 1, maxLength: 2_048 },
      { maxItems: 1_000 },
    ),
    prompts: list(
      'Prompts that may be used; `*` stands for any run of characters.',
      { type: 'string', minLength: 1, maxLength: 128 },
      { maxItems: 1_000 },
    ),
    completion: flag('Whether the client may ask the server to complete arguments.'),
    subscriptions: flag('Whether the client may watch resources that it may read.'),
    tasks: flag('Whether calls may go on as tasks.'),
    sampling: flag('Whether the server may ask the model of the client (deprecated since MCP 2026-07-28).'),
    elicitation: flag('Whether the server may ask the person at the client.'),
    roots: flag('Whether the server may see the roots of the client (deprecated since MCP 2026-07-28).'),
    logging: flag('Whether log messages of the server reach the client (deprecated since MCP 2026-07-28).'),
  },
);
