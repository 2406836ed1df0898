import type { JsonObject } from '../core/index.ts';
import { readPackageSpec } from './package-spec.ts';
import type { ServerPackage } from './policy.ts';
import type { RulePlace } from './read-entries.ts';
import { addProblem, textAt, textsAt } from './reading.ts';

const PACKAGE_KEYS = ['integrity', 'bin', 'args'];

/** Reads `package:` of a server and what belongs to it; null where it is none. */
export function readServerPackage({ reading, pointer }: RulePlace, value: JsonObject): ServerPackage | null {
  const text = textAt(value, 'package');
  if (text === null) {
    for (const key of PACKAGE_KEYS.filter((one) => value[one] !== undefined))
      addProblem(reading, `${pointer}/${key}`, `${key} without package`, 'Write package: NAME@VERSION', 'key');
    return null;
  }
  const spec = readPackageSpec(text);
  if (typeof spec === 'string') {
    addProblem(
      reading,
      `${pointer}/package`,
      spec,
      'Write NAME@VERSION with one exact version: @acme/github-mcp@1.4.2',
    );
    return null;
  }
  return Object.freeze({
    ...spec,
    integrity: textAt(value, 'integrity'),
    bin: textAt(value, 'bin'),
    args: Object.freeze([...(textsAt(value, 'args') ?? [])]),
  });
}
