import { isSallyportError, type JsonObject } from '../core/index.ts';
import { COMMAND_TOOLS } from './command.ts';
import { parseCondition } from './condition.ts';
import { readRequestEntry } from './endpoint-entry.ts';
import type { ArgumentRule, ConfirmationRule } from './policy.ts';
import { troubleInCommand } from './read-commands.ts';
import { troubleOf } from './read-endpoints.ts';
import { checkEntries, type RulePlace, readEntries } from './read-entries.ts';
import { addProblem, objectAt, referTo, textAt } from './reading.ts';
import { REQUEST_TOOL } from './requests.ts';

const KEY = 'requiresConfirmation';

/** Reads and checks `requiresConfirmation` of a rule. */
export function readConfirmation(
  place: RulePlace,
  name: string,
  value: JsonObject,
  named: readonly ArgumentRule[] | null,
): ConfirmationRule {
  const { reading, id, pointer } = place;
  const inside: RulePlace = { reading, id: `${id}.${KEY}`, pointer: `${pointer}/${KEY}` };
  const always = value[KEY] === 'always' ? referTo(reading, inside.id, inside.pointer, 'key') : null;
  const stated = objectAt(value, KEY) ?? {};
  const commands = readEntries(inside, stated, 'commands') ?? [];
  const requests = readEntries(inside, stated, 'requests') ?? [];
  checkEntries(inside, 'commands', commands, troubleInCommand);
  checkEntries(inside, 'requests', requests, (text) => troubleOf(readRequestEntry(text)));
  const hasUrl = name === REQUEST_TOOL || (named?.some(({ as }) => as === 'api_call') ?? false);
  if (commands.length > 0 && !COMMAND_TOOLS.has(name)) refuse(inside, 'commands', 'the tool shell');
  if (requests.length > 0 && !hasUrl) refuse(inside, 'requests', 'requests and URLs');
  return Object.freeze({ always, when: readWhen(inside, stated), commands, requests });
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
