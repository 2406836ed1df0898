import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';
import {
  type Builder,
  booleanKeyword,
  countKeyword,
  keyword,
  refuseSchema,
  schemaKeyword,
  schemaListKeyword,
} from './json-schema-builder.ts';
import { type Check, type Here, report, type SchemaNode, spend, visitChild } from './json-schema-node.ts';

/** The keywords of arrays, but for `unevaluatedItems`. */
export const arrayChecks = (builder: Builder): Check[] => [
  ...countChecks(builder),
  ...uniqueCheck(builder),
  ...itemChecks(builder),
  ...containsCheck(builder),
];

function countChecks(builder: Builder): Check[] {
  const fewest = countKeyword(builder, 'minItems');
  const most = countKeyword(builder, 'maxItems');
  const checks: Check[] = [];
  if (fewest !== undefined) {
    checks.push(
      (value, here) =>
        !Array.isArray(value) ||
        value.length >= fewest ||
        report(here, builder.node, 'minItems', `expected at least ${fewest} items`),
    );
  }
  if (most !== undefined) {
    checks.push(
      (value, here) =>
        !Array.isArray(value) ||
        value.length <= most ||
        report(here, builder.node, 'maxItems', `expected at most ${most} items`),
    );
  }
  return checks;
}

function uniqueCheck(builder: Builder): Check[] {
  if (booleanKeyword(builder, 'uniqueItems') !== true) return [];
  return [
    (value, here) =>
      !Array.isArray(value) ||
      allDiffer(value, here) ||
      report(here, builder.node, 'uniqueItems', 'expected items that all differ'),
  ];
}

function allDiffer(items: readonly JsonValue[], here: Here): boolean {
  const known = new Set<string>();
  for (const item of items) {
    const text = canonicalJson(item);
    spend(here.run, 1 + (text.length >> 6));
    known.add(text);
  }
  return known.size === items.length;
}

/** `prefixItems` and `items`; or their older form, `items` as a list with `additionalItems`. */
function itemChecks(builder: Builder): Check[] {
  const isOldForm = Array.isArray(keyword(builder, 'items'));
  if (isOldForm && (builder.dialect === 'current' || keyword(builder, 'prefixItems') !== undefined)) {
    refuseSchema(`${builder.node.pointer}/items`, 'items is a schema: write prefixItems for a list of schemas');
  }
  const first = schemaListKeyword(builder, isOldForm ? 'items' : 'prefixItems') ?? [];
  const rest = schemaKeyword(builder, isOldForm ? 'additionalItems' : 'items');
  if (first.length === 0 && rest === undefined) return [];
  return [
    (value, here) => {
      if (!Array.isArray(value)) return true;
      if (here.seen !== null) {
        here.seen.items = Math.max(here.seen.items, first.length);
        if (rest !== undefined) here.seen.allItems = true;
      }
      return visitItems(value, here, first, rest);
    },
  ];
}

function visitItems(
  items: readonly JsonValue[],
  here: Here,
  first: readonly SchemaNode[],
  rest: SchemaNode | undefined,
): boolean {
  let valid = true;
  const end = rest === undefined ? Math.min(first.length, items.length) : items.length;
  for (let index = 0; index < end; index++) {
    spend(here.run, 1);
    const node = first[index] ?? rest;
    if (node !== undefined && !visitChild(node, items[index] ?? null, here, index)) valid = false;
    if (!valid && here.run.silent > 0) return false;
  }
  return valid;
}

function containsCheck(builder: Builder): Check[] {
  const node = schemaKeyword(builder, 'contains');
  const fewest = countKeyword(builder, 'minContains') ?? 1;
  const most = countKeyword(builder, 'maxContains') ?? Number.POSITIVE_INFINITY;
  if (node === undefined) return [];
  return [
    (value, here) => {
      if (!Array.isArray(value)) return true;
      const count = countMatches(value, here, node);
      if (count < fewest) return report(here, builder.node, 'contains', `expected at least ${fewest} matching items`);
      return count <= most || report(here, builder.node, 'maxContains', `expected at most ${most} matching items`);
    },
  ];
}

function countMatches(items: readonly JsonValue[], here: Here, node: SchemaNode): number {
  let count = 0;
  here.run.silent += 1;
  for (const [index, item] of items.entries()) {
    if (!visitChild(node, item, here, index)) continue;
    here.seen?.itemIndexes.add(index);
    count += 1;
  }
  here.run.silent -= 1;
  return count;
}

/** `unevaluatedItems`: runs after every other keyword of its schema. */
export function unevaluatedItemsCheck(builder: Builder): Check[] {
  const node = schemaKeyword(builder, 'unevaluatedItems');
  if (node === undefined) return [];
  return [
    (value, here) => {
      const { seen } = here;
      if (!Array.isArray(value) || seen === null || seen.allItems) return true;
      spend(here.run, value.length);
      const valid = value.every(
        (item, index) => index < seen.items || seen.itemIndexes.has(index) || visitChild(node, item, here, index),
      );
      seen.allItems = true;
      return valid;
    },
  ];
}
