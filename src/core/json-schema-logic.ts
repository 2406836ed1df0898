import {
  type Builder,
  keyword,
  refuseSchema,
  schemaKeyword,
  schemaListKeyword,
  textKeyword,
} from './json-schema-builder.ts';
import { type Check, newSeen, report, tryInPlace, visitInPlace } from './json-schema-node.ts';

/** Keywords that apply other schemas to the same value. */
export const logicChecks = (builder: Builder): Check[] => [
  ...referenceCheck(builder),
  ...allOfCheck(builder),
  ...anyOfCheck(builder),
  ...oneOfCheck(builder),
  ...notCheck(builder),
  ...conditionCheck(builder),
];

function referenceCheck(builder: Builder): Check[] {
  for (const name of ['$dynamicRef', '$recursiveRef']) {
    if (keyword(builder, name) !== undefined) {
      refuseSchema(`${builder.node.pointer}/${name}`, `${name} is not supported: use $ref`);
    }
  }
  const target = textKeyword(builder, '$ref');
  if (target === undefined) return [];
  const node = builder.reference(target);
  return [(value, here) => visitInPlace(node(), value, here)];
}

function allOfCheck(builder: Builder): Check[] {
  const nodes = schemaListKeyword(builder, 'allOf') ?? [];
  return nodes.map((node) => (value, here) => visitInPlace(node, value, here));
}

/** Every alternative is tried where `unevaluated…` counts what each looked at; else the first that holds is enough. */
function anyOfCheck(builder: Builder): Check[] {
  const nodes = schemaListKeyword(builder, 'anyOf');
  if (nodes === undefined) return [];
  return [
    (value, here) => {
      let valid = false;
      for (const node of nodes) {
        valid = tryInPlace(node, value, here) || valid;
        if (valid && here.seen === null) return true;
      }
      return valid || report(here, builder.node, 'anyOf', 'matches none of the alternatives');
    },
  ];
}

function oneOfCheck(builder: Builder): Check[] {
  const nodes = schemaListKeyword(builder, 'oneOf');
  if (nodes === undefined) return [];
  return [
    (value, here) => {
      let count = 0;
      for (const node of nodes) if (tryInPlace(node, value, here)) count += 1;
      if (count === 1) return true;
      const message = count === 0 ? 'matches none of the alternatives' : `matches ${count} alternatives instead of one`;
      return report(here, builder.node, 'oneOf', message);
    },
  ];
}

function notCheck(builder: Builder): Check[] {
  const node = schemaKeyword(builder, 'not');
  if (node === undefined) return [];
  return [
    (value, here) =>
      !tryInPlace(node, value, { ...here, seen: here.seen === null ? null : newSeen() }) ||
      report(here, builder.node, 'not', 'matches what it must not match'),
  ];
}

function conditionCheck(builder: Builder): Check[] {
  const condition = schemaKeyword(builder, 'if');
  const whenTrue = schemaKeyword(builder, 'then');
  const whenFalse = schemaKeyword(builder, 'else');
  if (condition === undefined) return [];
  return [
    (value, here) => {
      const branch = tryInPlace(condition, value, here) ? whenTrue : whenFalse;
      return branch === undefined || visitInPlace(branch, value, here);
    },
  ];
}
