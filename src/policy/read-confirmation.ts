import { isSallyportError, type JsonObject, quoteForMessage } from '../core/index.ts';
import { COMMAND_TOOLS } from './command.ts';
import { parseCondition } from './condition.ts';
import {
  type EndpointPattern,
  readEndpointEntry,
  readInternalEntry,
  readMethod,
  readRequestEntry,
} from './endpoint-entry.ts';
import type { ArgumentRule, ConfirmationRule, PolicyEntry } from './policy.ts';
import { troubleInCommand } from './read-commands.ts';
import { type RuleEndpoints, troubleOf } from './read-endpoints.ts';
import { checkEntries, type RulePlace, readEntries } from './read-entries.ts';
import { addProblem, objectAt, referTo, textAt } from './reading.ts';
import { REQUEST_TOOL } from './requests.ts';

const KEY = 'requiresConfirmation';

/** What else the rule says, for what can be confirmed at all. */
type ConfirmationContext = RuleEndpoints & { readonly named: readonly ArgumentRule[] | null };

/** Reads and checks `requiresConfirmation` of a rule. */
export function readConfirmation(
  place: RulePlace,
  name: string,
  value: JsonObject,
  { named, ...endpoints }: ConfirmationContext,
): ConfirmationRule {
  const { reading, id, pointer } = place;
  const inside: RulePlace = { reading, id: `${id}.${KEY}`, pointer: `${pointer}/${KEY}` };
  const always = value[KEY] === 'always' ? referTo(reading, inside.id, inside.pointer, 'key') : null;
  const stated = objectAt(value, KEY) ?? {};
  const isNamed = stated['suspicious'] === true;
  const suspicious =
    value[KEY] === 'when-suspicious' || isNamed
      ? referTo(reading, isNamed ? `${inside.id}.suspicious` : inside.id, inside.pointer, 'key')
      : null;
  const commands = readEntries(inside, stated, 'commands') ?? [];
  const requests = readEntries(inside, stated, 'requests') ?? [];
  checkEntries(inside, 'commands', commands, troubleInCommand);
  checkEntries(inside, 'requests', requests, (text) => troubleOf(readRequestEntry(text)));
  const hasUrl = name === REQUEST_TOOL || (named?.some(({ as }) => as === 'api_call') ?? false);
  checkReachable(inside, requests, endpoints);
  if (commands.length > 0 && !COMMAND_TOOLS.has(name)) refuse(inside, 'commands', 'the tool shell');
  if (requests.length > 0 && !hasUrl) refuse(inside, 'requests', 'requests and URLs');
  return Object.freeze({ always, suspicious, when: readWhen(inside, stated), commands, requests });
}

/** A request that the rule denies in any case needs no yes: one of the two lists is mistaken. */
function checkReachable(
  { reading, pointer }: RulePlace,
  requests: readonly PolicyEntry[],
  { allowedEndpoints, internalEndpoints, methods }: RuleEndpoints,
): void {
  if (allowedEndpoints === null) return;
  const places = [
    ...allowedEndpoints.map(({ text }) => readEndpointEntry(text)),
    ...internalEndpoints.map(({ text }) => readInternalEntry(text)),
  ].filter((place) => typeof place !== 'string');
  const allowed = methods?.map(({ text }) => readMethod(text)) ?? ['GET', 'HEAD'];
  for (const [index, { text }] of requests.entries()) {
    const request = readRequestEntry(text);
    if (typeof request === 'string') continue;
    const isPlace = places.some((place) => canMeet(place, request.endpoint));
    if (isPlace && (request.method === '*' || allowed.includes(request.method))) continue;
    const what = isPlace ? 'methods does not list its method' : 'no endpoint of the rule is there';
    const message = `${quoteForMessage(text, 80)} can never be asked about: ${what}`;
    addProblem(reading, `${pointer}/requests/${index}`, message, 'Remove the entry, or allow what it names');
  }
}

/** Whether one host can be named by both entries. */
function canMeet(first: EndpointPattern, second: EndpointPattern): boolean {
  if (first.scheme !== second.scheme || first.port !== second.port) return false;
  const covers = (wide: EndpointPattern, { host, isWildcard }: EndpointPattern): boolean =>
    wide.isWildcard
      ? host.endsWith(`.${wide.host}`) || (isWildcard && host === wide.host)
      : !isWildcard && host === wide.host;
  return covers(first, second) || covers(second, first);
}

const refuse = ({ reading, pointer }: RulePlace, key: string, what: string): void =>
  addProblem(reading, `${pointer}/${key}`, `${key} judges ${what} only`, 'Use when: CONDITION, or always', 'key');

function readWhen({ reading, id, pointer }: RulePlace, stated: JsonObject): ConfirmationRule['when'] {
  const text = textAt(stated, 'when');
  if (text === null) return null;
  try {
    const rule = referTo(reading, `${id}.when`, `${pointer}/when`, 'value');
    return Object.freeze({ condition: parseCondition(text), rule });
  } catch (error) {
    if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
    addProblem(reading, `${pointer}/when`, `the condition cannot be used: ${error.message}`, 'Mend the condition');
    return null;
  }
}
