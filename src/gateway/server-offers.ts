import { isJsonObject, quoteForMessage } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ServerDefinitions } from './definitions.ts';
import { clientToolName, exposeTools, policyToolName } from './names.ts';

/**
 * What an operator should know of a server besides its tools, one line each: what the policy lets it ask of its client, what
 * it offers and no rule allows, and prompts that are left out. The lines quote the server: escape them for a terminal.
 */
export function reviewOffers(rule: ServerRule, definitions: ServerDefinitions): readonly string[] {
  const { prompts, resourceTemplates, capabilities } = definitions;
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
    ...collisions.map(
      (name) => `the prompt ${quoteForMessage(name, 64)} can be mistaken for another one and is left out`,
    ),
  ];
}
