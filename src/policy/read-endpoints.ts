import type { JsonObject } from '../core/index.ts';
import { readEndpointEntry, readInternalEntry, readMethod } from './endpoint-entry.ts';
import type { ArgumentRule, ToolRule } from './policy.ts';
import { checkEntries, type RulePlace, readEntries } from './read-entries.ts';
import { addProblem } from './reading.ts';
import { REQUEST_TOOL } from './requests.ts';

/** The endpoints of a rule, as texts. */
export type RuleEndpoints = Pick<ToolRule, 'allowedEndpoints' | 'internalEndpoints' | 'methods'>;

/** Reads and checks `allowedEndpoints`, `internalEndpoints` and `methods` of a rule. */
export function readEndpoints(
  place: RulePlace,
  name: string,
  value: JsonObject,
  named: readonly ArgumentRule[] | null,
): RuleEndpoints {
  const allowedEndpoints = readEntries(place, value, 'allowedEndpoints');
  const internalEndpoints = readEntries(place, value, 'internalEndpoints') ?? [];
  const methods = readEntries(place, value, 'methods');
  refuseElsewhere(place, name, value, named?.some(({ as }) => as === 'api_call') ?? false);
  checkEntries(place, 'allowedEndpoints', allowedEndpoints ?? [], (text) => troubleOf(readEndpointEntry(text)));
  checkEntries(place, 'internalEndpoints', internalEndpoints, (text) => troubleOf(readInternalEntry(text)));
  checkEntries(place, 'methods', methods ?? [], (text) =>
    readMethod(text) === null ? 'it is not a method that can be used' : null,
  );
  return { allowedEndpoints, internalEndpoints, methods };
}

export const troubleOf = (read: object | string): string | null => (typeof read === 'string' ? read : null);

/** The limit would silently not hold where nothing of a call is a request, or a URL without a method. */
function refuseElsewhere({ reading, pointer }: RulePlace, name: string, value: JsonObject, hasUrl: boolean): void {
  // A function that has a secret sends requests of its own through the gate.
  if (name === REQUEST_TOOL || value['secrets'] !== undefined) return;
  const isSpawned = value['egress'] !== undefined;
  for (const key of ['allowedEndpoints', 'internalEndpoints', 'methods']) {
    if (value[key] === undefined || (hasUrl && key !== 'methods') || (isSpawned && key !== 'allowedEndpoints'))
      continue;
    const message =
      key === 'methods' ? 'methods judges the tool api_call only' : `${key} without an argument that is a URL`;
    const remedy = key === 'methods' ? 'Remove it' : 'Name the argument: arguments: { url: { as: api_call } }';
    addProblem(reading, `${pointer}/${key}`, message, remedy, 'key');
  }
}
