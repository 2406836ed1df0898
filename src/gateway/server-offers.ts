import { isJsonObject, type JsonObject, quoteForMessage } from '../core/index.ts';
import { suspicionOf } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { whySuspicious } from './definition-words.ts';
import type { ServerDefinitions } from './definitions.ts';
import { clientToolName, exposeTools, policyToolName } from './names.ts';

/**
 * What an operator should know of a server besides its tools, one line each: what the policy lets it ask of its client, what
 * it offers and no rule allows, and prompts that are left out. The lines quote the server: escape them for a terminal.
 */
export function reviewOffers(rule: ServerRule, definitions: ServerDefinitions): readonly string[] {
  const { prompts, resourceTemplates, capabilities, instructions, serverInfo } = definitions;
  const { actions } = rule;
  const asks = (['sampling', 'elicitation', 'roots'] as const).filter((action) => actions[action] !== null);
  const { collisions } = exposeTools(
    prompts.map(({ name }) => String(name)),
    (name) => clientToolName(policyToolName(rule.name, name)),
  );
  const offersResources = isJsonObject(capabilities['resources'] ?? null);
  return [
    ...(asks.length === 0 ? [] : [`the policy lets it ask its client: ${asks.join(', ')}`]),
    ...(prompts.length > 0 && actions.prompts.length === 0
      ? [`no rule allows its ${prompts.length} prompts (servers.${rule.name}.prompts)`]
      : []),
    ...(offersResources && actions.resources.length === 0
      ? [`no rule allows its resources, of ${resourceTemplates.length} templates (servers.${rule.name}.resources)`]
      : []),
    ...suspicious(rule, prompts, 'name').map((name) => `the prompt ${name} is left out: its words are suspicious`),
    ...suspicious(rule, resourceTemplates, 'uriTemplate').map(
      (name) => `the template ${name} is left out: its words are suspicious`,
    ),
    ...(suspicionOf({ instructions: instructions ?? '', serverInfo: serverInfo ?? {} }) === null
      ? []
      : ['what it says of itself (instructions, name) is suspicious: no client is shown it']),
    ...collisions.map(
      (name) => `the prompt ${quoteForMessage(name, 64)} can be mistaken for another one and is left out`,
    ),
  ];
}

function suspicious(rule: ServerRule, definitions: readonly JsonObject[], key: string): readonly string[] {
  const named = definitions.filter((definition) => whySuspicious(rule, String(definition[key]), definition) !== null);
  return named.map((definition) => quoteForMessage(String(definition[key]), 64));
}
