import { isJsonObject, type JsonObject, type JsonValue, quoteForMessage } from '../core/index.ts';
import { suspicionOf } from '../gate/index.ts';
import type { Policy, ServerRule } from '../policy/index.ts';
import { clientToolName, foldedName, policyToolName } from './names.ts';

/**
 * Why something that a server defines is not offered; null: it is. `name`: as the server calls it (a tool, a prompt, a URI
 * template), which `allowSuspicious` of the policy names to offer it all the same.
 */
export function whySuspicious(
  { name: server, allowSuspicious }: Pick<ServerRule, 'name' | 'allowSuspicious'>,
  name: string,
  definition: JsonObject,
): string | null {
  const suspicion = suspicionOf(definition);
  if (suspicion === null || allowSuspicious.includes(name)) return null;
  return `${suspicion}: read it, and name it in servers.${server}.allowSuspicious to use it all the same`;
}

/** The tools of another server of the policy. */
export interface Neighbour {
  readonly name: string;
  readonly tools: readonly JsonObject[];
}

/** The other servers of a policy, with what a lock says was approved of them. */
export const neighboursOf = (
  { servers }: Pick<Policy, 'servers'>,
  lock: ReadonlyMap<string, Pick<Neighbour, 'tools'>>,
  name: string,
): readonly Neighbour[] =>
  [...servers.keys()].flatMap((other) => {
    const locked = lock.get(other);
    return other === name || locked === undefined ? [] : [{ name: other, tools: locked.tools }];
  });

/** Names that are words of every language's documentation: what is called so is not what is meant. */
const SHORTEST_NAME = 6;

/**
 * What a server's tools have to do with those of its neighbours, one line each, for an operator: names that a model could take
 * for each other, and words about tools that are not its own. ATTACKER-CONTROLLED: all definitions; the lines quote them.
 */
export function warnOfNeighbours(
  rule: Pick<ServerRule, 'name'>,
  tools: readonly JsonObject[],
  neighbours: readonly Neighbour[],
): readonly string[] {
  const others = neighbours.flatMap(({ name, tools: theirs }) =>
    theirs.map((tool) => ({ server: name, name: String(tool['name']) })),
  );
  const byFold = new Map(others.map((other) => [foldedName(other.name), other]));
  return tools.flatMap((tool) => {
    const name = String(tool['name']);
    const policyName = policyToolName(rule.name, name);
    const twin = byFold.get(foldedName(name));
    const told = wordsOf(tool).join('\n');
    const spoken = others.filter((other) => isSpokenOf(other, told)).slice(0, 4);
    return [
      ...(twin === undefined
        ? []
        : [
            `${policyName}: the server "${twin.server}" has a tool of the same name: a model could take one for the other`,
          ]),
      ...spoken.map(
        (other) => `${policyName}: its definition speaks of ${quoteForMessage(other.name, 64)} of "${other.server}"`,
      ),
    ];
  });
}

/** A name is spoken of as a word of its own; a short or plain one only with its server. */
function isSpokenOf({ server, name }: { readonly server: string; readonly name: string }, text: string): boolean {
  const policyName = policyToolName(server, name);
  const isTelling = name.length >= SHORTEST_NAME && /[_\-.A-Z]/.test(name);
  return [policyName, clientToolName(policyName), ...(isTelling ? [name] : [])].some((word) => hasWord(text, word));
}

const isNamePart = (character: string | undefined): boolean =>
  character !== undefined && /[A-Za-z0-9_]/.test(character);

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isNamePart(text[at - 1]) && !isNamePart(text[at + word.length])) return true;
  }
  return false;
}

/** The texts of a definition, its own name left out. */
function wordsOf({ name: _name, ...rest }: JsonObject): readonly string[] {
  const texts = (value: JsonValue): readonly string[] => {
    if (typeof value === 'string') return [value];
    if (Array.isArray(value)) return (value as readonly JsonValue[]).flatMap(texts);
    return isJsonObject(value) ? Object.values(value).flatMap(texts) : [];
  };
  return texts(rest);
}
