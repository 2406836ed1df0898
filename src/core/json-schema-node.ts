import type { JsonValue } from './json.ts';
import { escapePointer } from './json-pointer.ts';

/** One way in which a value does not fit a schema. */
export interface SchemaError {
  /** JSON Pointer (RFC 6901) of the value that does not fit. */
  readonly pointer: string;
  /** For people; names from schema and value are quoted and capped. */
  readonly message: string;
  readonly keyword: string;
  /** JSON Pointer into the schema of the keyword that failed. */
  readonly schemaPointer: string;
}

/** A keyword at work: true when the value meets it, else it has reported why. */
export type Check = (value: JsonValue, here: Here) => boolean;

/** A schema, ready to be interpreted. */
export interface SchemaNode {
  readonly pointer: string;
  /** INVARIANT: filled once, before the first validation; `$ref` may close cycles through it. */
  readonly checks: Check[];
}

/** Where in the value we are: a list from the leaf to the top, so that a pointer is made only for an error. */
export interface Place {
  readonly parent: Place | null;
  readonly key: string | number;
}

/** What the keywords of one schema have looked at, for `unevaluatedProperties` and `unevaluatedItems`. */
export interface Seen {
  allProperties: boolean;
  readonly properties: Set<string>;
  allItems: boolean;
  /** Items before this index. */
  items: number;
  readonly itemIndexes: Set<number>;
}

/** One validation under way. */
export interface Run {
  readonly errors: SchemaError[];
  readonly maxErrors: number;
  /** Above 0 while alternatives are tried: what fails there is no error yet. */
  silent: number;
  /** Steps left; see {@link WorkSpent}. */
  budget: number;
  patternBudget: number;
  depth: number;
  readonly tracksSeen: boolean;
}

/** A position of a run: what checks are called with. */
export interface Here {
  readonly run: Run;
  readonly place: Place | null;
  /** `null` when no schema asks what was looked at. */
  readonly seen: Seen | null;
}

/** Ends a validation that takes too many steps; the value then counts as invalid, whatever stood around (`not` too). */
export class WorkSpent extends Error {}

const MAX_RUN_DEPTH = 400;

/** Takes `steps` from the budget of a run. */
export function spend(run: Run, steps: number): void {
  run.budget -= steps;
  if (run.budget < 0) throw new WorkSpent('checking the value takes too many steps');
}

/** Nothing looked at yet. */
export const newSeen = (): Seen => ({
  allProperties: false,
  properties: new Set(),
  allItems: false,
  items: 0,
  itemIndexes: new Set(),
});

/** Judges a part of the value: a property or an item. */
export const visitChild = (node: SchemaNode, value: JsonValue, here: Here, key: string | number): boolean =>
  visit(node, value, here.run, { parent: here.place, key });

/** Judges the same value by another schema; what that one looked at counts here when it holds. */
export function visitInPlace(node: SchemaNode, value: JsonValue, here: Here): boolean {
  const seen = here.seen === null ? null : newSeen();
  const valid = runChecks(node, value, { run: here.run, place: here.place, seen });
  if (valid && seen !== null && here.seen !== null) mergeSeen(here.seen, seen);
  return valid;
}

/** Judges a value from the top. */
export const visit = (node: SchemaNode, value: JsonValue, run: Run, place: Place | null): boolean =>
  runChecks(node, value, { run, place, seen: run.tracksSeen ? newSeen() : null });

/** {@link visitInPlace} for an alternative: what fails in it is not reported. */
export function tryInPlace(node: SchemaNode, value: JsonValue, here: Here): boolean {
  here.run.silent += 1;
  const valid = visitInPlace(node, value, here);
  here.run.silent -= 1;
  return valid;
}

function runChecks(node: SchemaNode, value: JsonValue, here: Here): boolean {
  const { run } = here;
  if (run.depth >= MAX_RUN_DEPTH) throw new WorkSpent('the schema refers to itself too deeply for this value');
  run.depth += 1;
  let valid = true;
  for (const check of node.checks) {
    spend(run, 1);
    if (check(value, here)) continue;
    valid = false;
    if (run.silent > 0 || run.errors.length >= run.maxErrors) break;
  }
  run.depth -= 1;
  return valid;
}

function mergeSeen(into: Seen, from: Seen): void {
  into.allProperties ||= from.allProperties;
  for (const name of from.properties) into.properties.add(name);
  into.allItems ||= from.allItems;
  into.items = Math.max(into.items, from.items);
  for (const index of from.itemIndexes) into.itemIndexes.add(index);
}

/** Reports a failure and returns false. */
export function report(here: Here, node: SchemaNode, keyword: string, message: string): false {
  const { run } = here;
  if (run.silent === 0 && run.errors.length < run.maxErrors) {
    run.errors.push({
      pointer: pointerOf(here.place),
      message,
      keyword,
      schemaPointer: `${node.pointer}/${escapePointer(keyword)}`,
    });
  }
  return false;
}

function pointerOf(place: Place | null): string {
  const keys: string[] = [];
  for (let at = place; at !== null; at = at.parent) keys.push(escapePointer(String(at.key)));
  return keys.length === 0 ? '' : `/${keys.reverse().join('/')}`;
}
