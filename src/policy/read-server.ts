import { type JsonObject, quoteForMessage } from '../core/index.ts';
import type { RuleReference } from './decision.ts';
import { findFetcher, findFetchingCommand } from './fetchers.ts';
import type { PolicyEntry, ServerActions, ServerProtocol, ServerRule } from './policy.ts';
import { readBreaker } from './read-limits.ts';
import { readServerPackage } from './read-package.ts';
import { readServerPaths, readSpawn } from './read-spawn.ts';
import {
  addProblem,
  durationAt,
  isolationAt,
  objectAt,
  type PolicyReading,
  referTo,
  segment,
  sizeAt,
  textAt,
  textsAt,
  wordAt,
} from './reading.ts';

const PROTOCOLS: readonly ServerProtocol[] = ['auto', '2026-07-28', '2025-11-25', '2025-06-18'];

/** Reads one server under `servers:`. */
export function readServer(reading: PolicyReading, name: string, value: JsonObject): ServerRule {
  const pointer = `/servers${segment(name)}`;
  const command = textsAt(value, 'command');
  const url = textAt(value, 'url');
  const written = ['command', 'package', 'url'].filter((key) => value[key] !== undefined);
  if (written.length !== 1)
    addProblem(reading, pointer, 'a server has a command, a package or a url', 'Write one of the three', 'key');
  if (command !== null) checkCommand(reading, `${pointer}/command`, command);
  if (url !== null) checkUrl(reading, `${pointer}/url`, url);
  const env = objectAt(value, 'env');
  refuseForRemote(reading, pointer, value);
  const place = { reading, id: `servers.${name}`, pointer };
  return Object.freeze({
    name,
    command: command === null ? null : Object.freeze([...command]),
    package: readServerPackage(place, value),
    url,
    isolation: isolationAt(value),
    protocol: wordAt(PROTOCOLS, value, 'protocol') ?? 'auto',
    env: Object.freeze(Object.fromEntries(Object.keys(env ?? {}).map((key) => [key, textAt(env ?? {}, key) ?? '']))),
    timeoutMs: durationAt(reading, value, 'timeout', pointer),
    spawn: readSpawn(place, value),
    paths: readServerPaths(place, value),
    maxOutput: sizeAt(reading, value, 'maxOutput', pointer),
    actions: readActions(reading, name, value, pointer),
    breaker: readBreaker(place, value),
    expose: wordAt(EXPOSE, value, 'expose') ?? 'prefixed',
    allowSuspicious: Object.freeze([...(textsAt(value, 'allowSuspicious') ?? [])]),
    rule: referTo(reading, `servers.${name}`, pointer, 'key'),
  });
}

const SPAWNED_KEYS = [
  'env',
  'paths',
  'limits',
  'egress',
  'terminateTls',
  'egressCredentials',
  'methods',
  'internalEndpoints',
];

/** What is said about a process, of a server that is none; and what is said about a network that it does not have. */
function refuseForRemote(reading: PolicyReading, pointer: string, value: JsonObject): void {
  const isSpawned = value['command'] !== undefined || value['package'] !== undefined;
  for (const key of SPAWNED_KEYS.filter((one) => value[one] !== undefined && !isSpawned)) {
    addProblem(reading, `${pointer}/${key}`, `${key} is for servers that are spawned`, 'Remove it', 'key');
  }
  for (const key of ['methods', 'internalEndpoints'].filter((one) => value[one] !== undefined)) {
    if (value['egress'] !== undefined) continue;
    addProblem(reading, `${pointer}/${key}`, `${key} without egress`, 'Write egress: []', 'key');
  }
}

const EXPOSE: readonly ServerRule['expose'][] = ['prefixed', 'as-is'];

function readActions(reading: PolicyReading, name: string, value: JsonObject, pointer: string): ServerActions {
  const id = `servers.${name}`;
  const entries = (key: string): readonly PolicyEntry[] =>
    Object.freeze(
      (textsAt(value, key) ?? []).map((text, index) =>
        Object.freeze({
          text,
          rule: referTo(reading, `${id}.${key}[${index}]`, `${pointer}/${key}/${index}`, 'value'),
        }),
      ),
    );
  const allowed = (key: string): RuleReference | null =>
    value[key] === true ? referTo(reading, `${id}.${key}`, `${pointer}/${key}`, 'key') : null;
  return Object.freeze({
    resources: entries('resources'),
    prompts: entries('prompts'),
    completion: allowed('completion'),
    subscriptions: allowed('subscriptions'),
    tasks: allowed('tasks'),
    sampling: allowed('sampling'),
    elicitation: allowed('elicitation'),
    roots: allowed('roots'),
    logging: allowed('logging'),
  });
}

function checkCommand(reading: PolicyReading, pointer: string, command: readonly string[]): void {
  const program = command[0] ?? '';
  if (!program.startsWith('/')) {
    const message = `the program ${quoteForMessage(program, 80)} is not an absolute path: PATH would choose what runs`;
    addProblem(reading, `${pointer}/0`, message, 'Write where the program is installed, such as /usr/local/bin/NAME');
  }
  const found = command.map((argument, index) => findFetcher(argument, index === 0));
  const index = found.findIndex((name) => name !== null);
  const fetcher = found[index] ?? findFetchingCommand(command);
  if (fetcher === null) return;
  const message = `${quoteForMessage(fetcher, 40)} runs whatever the registry has when it starts`;
  addProblem(
    reading,
    `${pointer}/${Math.max(index, 0)}`,
    message,
    'Install the server at a fixed version and write its program',
  );
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function checkUrl(reading: PolicyReading, pointer: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    addProblem(reading, pointer, 'not an http or https URL', 'Write https://HOST/PATH');
  } else if (url.username !== '' || url.password !== '') {
    addProblem(reading, pointer, 'credentials in a URL end up in logs', 'Remove them');
  } else if (url.hash !== '') {
    addProblem(reading, pointer, 'a fragment is never sent', 'Remove the part from #');
  } else if (url.protocol === 'http:' && !LOOPBACK.has(url.hostname)) {
    addProblem(reading, pointer, 'http:// to another machine can be read and changed on the way', 'Write https://');
  }
}
