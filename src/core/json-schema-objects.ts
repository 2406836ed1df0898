import { isJsonObject } from './json.ts';
import {
  type Builder,
  countKeyword,
  namesKeyword,
  objectKeyword,
  refuseSchema,
  schemaKeyword,
  schemaMapKeyword,
} from './json-schema-builder.ts';
import { type Check, type Here, report, type SchemaNode, spend, visitChild, visitInPlace } from './json-schema-node.ts';
import { matches } from './json-schema-values.ts';
import { quoteForMessage } from './terminal.ts';

/** The keywords of objects, but for `unevaluatedProperties`. */
export const objectChecks = (builder: Builder): Check[] => [
  ...countChecks(builder),
  ...requiredCheck(builder),
  ...dependencyChecks(builder),
  ...propertyChecks(builder),
  ...propertyNamesCheck(builder),
];

function countChecks(builder: Builder): Check[] {
  const fewest = countKeyword(builder, 'minProperties');
  const most = countKeyword(builder, 'maxProperties');
  const checks: Check[] = [];
  if (fewest !== undefined) {
    checks.push(
      (value, here) =>
        !isJsonObject(value) ||
        Object.keys(value).length >= fewest ||
        report(here, builder.node, 'minProperties', `expected at least ${fewest} properties`),
    );
  }
  if (most !== undefined) {
    checks.push(
      (value, here) =>
        !isJsonObject(value) ||
        Object.keys(value).length <= most ||
        report(here, builder.node, 'maxProperties', `expected at most ${most} properties`),
    );
  }
  return checks;
}

function requiredCheck(builder: Builder): Check[] {
  const names = namesKeyword(builder, 'required');
  if (names === undefined) return [];
  return [
    (value, here) => {
      if (!isJsonObject(value)) return true;
      spend(here.run, names.length >> 3);
      const missing = names.find((name) => !Object.hasOwn(value, name));
      return (
        missing === undefined ||
        report(here, builder.node, 'required', `needs the property ${quoteForMessage(missing)}`)
      );
    },
  ];
}

/** `dependentRequired`, `dependentSchemas`, and `dependencies` of older drafts, which is either. */
function dependencyChecks(builder: Builder): Check[] {
  const checks: Check[] = [];
  const names = new Map<string, readonly string[]>();
  const schemas = new Map(schemaMapKeyword(builder, 'dependentSchemas'));
  for (const [key, list] of Object.entries(objectKeyword(builder, 'dependentRequired') ?? {})) {
    names.set(key, readNames(builder, 'dependentRequired', list));
  }
  if (builder.dialect !== 'current') {
    for (const [key, item] of Object.entries(objectKeyword(builder, 'dependencies') ?? {})) {
      if (Array.isArray(item)) names.set(key, readNames(builder, 'dependencies', item));
      else schemas.set(key, builder.child('dependencies', key));
    }
  }
  for (const [key, needed] of names) checks.push(dependentNames(builder, key, needed));
  for (const [key, node] of schemas) {
    checks.push((value, here) => !isJsonObject(value) || !Object.hasOwn(value, key) || visitInPlace(node, value, here));
  }
  return checks;
}

function readNames(builder: Builder, name: string, list: unknown): readonly string[] {
  const valid = Array.isArray(list) && list.every((item): item is string => typeof item === 'string');
  return valid ? list : refuseSchema(`${builder.node.pointer}/${name}`, `${name} holds lists of strings`);
}

const dependentNames =
  (builder: Builder, key: string, needed: readonly string[]): Check =>
  (value, here) => {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return true;
    const missing = needed.find((name) => !Object.hasOwn(value, name));
    const message = `with ${quoteForMessage(key)} it needs the property ${quoteForMessage(missing ?? '')}`;
    return missing === undefined || report(here, builder.node, 'dependentRequired', message);
  };

/** `properties`, `patternProperties` and `additionalProperties` share one walk over the object. */
function propertyChecks(builder: Builder): Check[] {
  const named = schemaMapKeyword(builder, 'properties');
  const byPattern = [...schemaMapKeyword(builder, 'patternProperties')].map(
    ([source, node]) => [builder.pattern(source, 'patternProperties'), node] as const,
  );
  const additional = schemaKeyword(builder, 'additionalProperties');
  if (named.size === 0 && byPattern.length === 0 && additional === undefined) return [];

  const nodesOf = (name: string, here: Here): SchemaNode[] => {
    const exact = named.get(name);
    const nodes = exact === undefined ? [] : [exact];
    for (const [pattern, node] of byPattern) if (matches(pattern, name, here)) nodes.push(node);
    if (nodes.length === 0 && additional !== undefined) nodes.push(additional);
    return nodes;
  };
  return [
    (value, here) => {
      if (!isJsonObject(value)) return true;
      let valid = true;
      for (const [name, member] of Object.entries(value)) {
        spend(here.run, 1);
        const nodes = nodesOf(name, here);
        if (nodes.length > 0) here.seen?.properties.add(name);
        for (const node of nodes) valid = visitChild(node, member, here, name) && valid;
      }
      return valid;
    },
  ];
}

function propertyNamesCheck(builder: Builder): Check[] {
  const node = schemaKeyword(builder, 'propertyNames');
  if (node === undefined) return [];
  return [
    (value, here) => !isJsonObject(value) || Object.keys(value).every((name) => visitChild(node, name, here, name)),
  ];
}

/** `unevaluatedProperties`: runs after every other keyword of its schema. */
export function unevaluatedPropertiesCheck(builder: Builder): Check[] {
  const node = schemaKeyword(builder, 'unevaluatedProperties');
  if (node === undefined) return [];
  return [
    (value, here) => {
      const { seen } = here;
      if (!isJsonObject(value) || seen === null || seen.allProperties) return true;
      const rest = Object.keys(value).filter((name) => !seen.properties.has(name));
      spend(here.run, rest.length);
      const valid = rest.every((name) => visitChild(node, value[name] ?? null, here, name));
      seen.allProperties = true;
      return valid;
    },
  ];
}
