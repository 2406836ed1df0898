import type { JsonObject } from '../core/index.ts';
import { callKeys } from './schema-calls.ts';
import { choice, closed, flag, list, text } from './schema-parts.ts';
import { egressKeys, spawnLimits } from './schema-spawn.ts';

const entry = (description: string): JsonObject => text(description, { maxLength: 1_024 });

/** One secret of a destination. */
export const destinationSecret: JsonObject = closed('A secret in its place.', {
  header: text('The header whose value it is.', {
    maxLength: 64,
    pattern: '^[A-Za-z0-9-]+$',
    'x-remedy': 'Write the name of a header',
  }),
  query: text('The parameter of the query whose value it is.', {
    maxLength: 64,
    pattern: '^[A-Za-z0-9_.-]+$',
    'x-remedy': 'Write the name of a parameter',
  }),
  basic: text('User and password (`Authorization: Basic`): `user:${secret:REFERENCE}`.', { maxLength: 8_192 }),
  value: text('The value, with `${secret:REFERENCE}` where the secret stands.', { maxLength: 8_192 }),
});

/** One rule under `tools:`. */
export const toolRule: JsonObject = closed('What one tool may be called with.', {
  allowedPaths: list(
    'Folders and files that path arguments may name, relative to the root. `src/` is the folder and everything in it; with `*`, `?`, `[…]` or `**` an entry is a glob from the root that must match the whole path (end it with `/` for folders). Tested on the real path, exactly. An empty list allows nothing.',
    entry('A folder, a file or a glob.'),
  ),
  deniedPaths: list(
    'What path arguments may not name, with the meaning of gitignore: `*.key` at any depth, `/x` and `a/b` from the root, folders with everything in them. Tested on the path as given, as text and as real path; letter case, Unicode forms, trailing dots and spaces and `:streams` do not count. `!entry` exempts exactly what it matches and stands after all others.',
    entry('A gitignore pattern.'),
  ),
  arguments: {
    description:
      'Constraints by argument name. Arguments that are not named are denied, unless `otherArguments: allow`.',
    type: 'object',
    minProperties: 1,
    additionalProperties: { $ref: '#/$defs/argument' },
    'x-remedy': 'Name at least one argument, or write otherArguments: deny to accept none',
  },
  otherArguments: choice(['allow', 'deny'], 'Whether arguments that `arguments` does not name may be given.'),
  output: closed('What of a result is delivered.', {
    maxLength: {
      description: 'Characters of text that are delivered; the rest is cut with a visible mark.',
      type: 'integer',
      minimum: 1,
      maximum: 16_777_216,
    },
    schema: {
      description:
        'A schema (JSON Schema 2020-12, local references only) that results must meet: their structured content, or else their text, which then has to be JSON. A result that does not is withheld.',
      ...{ type: 'object', 'x-remedy': 'Write the schema here, as an object: a file of its own is not read' },
    },
    boundary: flag(
      'Delivers texts between two lines with a random nonce, which name them as data that somebody else wrote.',
    ),
    onInjection: choice(
      ['quarantine', 'cut', 'pass'],
      'What happens to a result that gives instructions to the model: `quarantine` (if absent) withholds it until an operator releases it, `cut` takes the passages out and delivers the rest, `pass` delivers it as it came and records what was found.',
    ),
  }),
  audit: {
    description: 'Adds payload detail to the records; nothing removes the records themselves.',
    type: 'boolean',
  },
  isolation: { $ref: '#/$defs/isolation' },
  limits: closed('Limits of one call. All but the timeout are about what is spawned.', {
    timeout: { $ref: '#/$defs/duration' },
    ...spawnLimits,
  }),
  ...egressKeys,
  flow: { $ref: '#/$defs/flow' },
  ...callKeys,
  secrets: {
    description:
      'What requests of `api_call`, or of a function that has a secret, carry, by destination (as in `allowedEndpoints`): a secret in a header, in the query, or as user and password. What a caller writes in the place of a credential is dropped there.',
    type: 'object',
    minProperties: 1,
    maxProperties: 256,
    additionalProperties: {
      type: ['object', 'array'],
      if: { type: 'array' },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: { items: { $ref: '#/$defs/destinationSecret' }, minItems: 1, maxItems: 8 },
      else: { $ref: '#/$defs/destinationSecret' },
    },
  },
});
