import type { JsonObject } from '../core/index.ts';
import { breaker, cost, rateLimit } from './schema-limits.ts';
import { closed, flag, list, text } from './schema-parts.ts';

const entry = (description: string): JsonObject => text(description, { maxLength: 1_024 });

/** When a call needs a human yes. */
const requiresConfirmation: JsonObject = {
  description:
    'Calls that need a human yes: `always`, those for which a condition holds (`when`), command lines that begin with certain words (`commands`), requests (`requests`), those that the guard finds suspicious (`when-suspicious`: instructions to a model came back earlier in the session, or the arguments hold such or something that nobody sees), or none (`false`). A person is asked; without a yes it is not run.',
  type: ['string', 'boolean', 'object'],
  if: { type: 'object' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { $ref: '#/$defs/confirmation' },
  else: {
    enum: ['always', 'when-suspicious', false],
    'x-remedy': 'Write always, when-suspicious, false, or one of { when: … }, { commands: […] }, { requests: […] }',
  },
};

export const confirmation: JsonObject = closed(
  'Which calls need a yes; each key adds some.',
  {
    when: text(
      'A condition over `arguments`, `principal` and `facts`: `arguments.amount > 100 and not principal.agent starts-with "billing-"`. What it needs and does not find counts as met.',
    ),
    commands: list('Beginnings of command lines, word by word: `git push`.', entry('Words of a command.'), {
      minItems: 1,
    }),
    requests: list(
      'Requests as `METHOD URL`, the URL as in `allowedEndpoints`; `*` for any method.',
      entry('A method and a URL.'),
      { minItems: 1 },
    ),
    suspicious: flag('Calls that the guard finds suspicious, as `when-suspicious`.'),
  },
  { minProperties: 1, 'x-remedy': 'Write at least one of suspicious, when, commands and requests' },
);

/** Who has to say yes. */
export const approvers: JsonObject = closed(
  'Who has to say yes to a call that needs a yes, also where no rule asked for it; what is left out asks for nothing more. Arguments that stand for another tool (`as`) bring the approvers of its rule with them.',
  {
    groups: list(
      'Operators of any of these groups; any operator if absent.',
      text('A group, as operators are registered with it.', { maxLength: 512 }),
      { minItems: 1, maxItems: 32, uniqueItems: true, 'x-remedy': 'Name at least one group, or leave groups out' },
    ),
    people: {
      description: 'How many different people; 1 if absent.',
      ...{ type: 'integer', minimum: 1, maximum: 5 },
    },
    ownUser: {
      description: 'Whether the user on whose behalf the call is made may be one of them; `true` if absent.',
      type: 'boolean',
    },
  },
  { minProperties: 1, 'x-remedy': 'Write at least one of groups, people and ownUser' },
);

/** The keys of a rule that judge command lines, requests and how often. */
export const callKeys: Readonly<Record<string, JsonObject>> = {
  allowedCommands: list(
    'Programs of the tool `shell` that may run, each in ordinary use: `git` is the program, `git log` or `python -m pytest` only command lines that begin with these words. Every command that a line could run must be listed. An empty list allows nothing.',
    entry('A program, or the words that a command begins with.'),
  ),
  deniedPatterns: list(
    'Regular expressions (linear time), matched at the start of each command over its words after quote removal, also without global options in front of the sub-command. A match denies the line.',
    entry('A regular expression.'),
  ),
  allowedEndpoints: list(
    'Where requests may go: `api.example.com` is https on port 443 with any path; `*.example.com` what lies below it; scheme, port and path count where they are written. An empty list allows nothing.',
    entry('A host, or a URL without query.'),
  ),
  methods: list(
    'HTTP methods that may be used; GET and HEAD if absent. An empty list allows none.',
    entry('A method.'),
  ),
  internalEndpoints: list(
    'The only addresses that are not public which may be reached: `http://127.0.0.1:8080`, exactly this scheme, host and port.',
    entry('Scheme, host and port.'),
  ),
  requireSecretManager: {
    description:
      'Refuses arguments with what looks like a credential, however encoded, and secret references outside of header values.',
    type: 'boolean',
  },
  rateLimit,
  cost,
  breaker,
  requiresConfirmation,
  approvers: { $ref: '#/$defs/approvers' },
};
