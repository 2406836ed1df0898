import type { JsonObject } from '../core/index.ts';
import type { PrincipalRule } from './policy.ts';
import { addProblem, objectAt, type PolicyReading, referTo, segment, textAt, textsAt } from './reading.ts';

/** Reads one caller under `principals:`. */
export function readPrincipal(reading: PolicyReading, name: string, value: JsonObject): PrincipalRule {
  const pointer = `/principals${segment(name)}`;
  const id = `principals.${name}`;
  const match = objectAt(value, 'match') ?? {};
  for (const key of ['agent', 'user']) {
    const text = textAt(match, key) ?? '';
    if (text.trim() !== text) {
      addProblem(reading, `${pointer}/match/${key}`, 'a space at its edge: no caller is named so', 'Remove the space');
    }
    if (!text.slice(0, -1).includes('*')) continue;
    addProblem(
      reading,
      `${pointer}/match/${key}`,
      '* may stand at the end only',
      'Write a prefix and one * at its end',
    );
  }
  const tools = (textsAt(value, 'tools') ?? []).map((text, index) =>
    Object.freeze({ text, rule: referTo(reading, `${id}.tools[${index}]`, `${pointer}/tools/${index}`, 'value') }),
  );
  return Object.freeze({
    name,
    match: Object.freeze({ agent: textAt(match, 'agent'), user: textAt(match, 'user') }),
    tools: Object.freeze(tools),
    rule: referTo(reading, id, pointer, 'key'),
  });
}
