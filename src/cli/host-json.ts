import { createScanner, type Node, type ParseError, parseTree } from 'jsonc-parser';
import { type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { HostFormat } from './host-table.ts';

/** How deep a file of a host may be nested. */
const MAX_DEPTH = 200;

/** The root object of the text, null for a text without a value. @throws SallyportError CONNECT_SYNTAX */
function rootOf(text: string, format: HostFormat): Node | null {
  checkDepth(text);
  const errors: ParseError[] = [];
  const lax = format === 'jsonc';
  const root = parseTree(text, errors, {
    ...{ disallowComments: !lax, allowTrailingComma: lax, allowEmptyContent: true },
  });
  const [first] = errors;
  if (first !== undefined) throw broken(`it does not parse at line ${lineAt(text, first.offset)}`);
  if (root === undefined) return null;
  if (root.type !== 'object') throw broken('it is not an object');
  return root;
}

/** The parser calls itself for each level: what is nested too deeply is refused before. */
function checkDepth(text: string): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    const token = text.charAt(scanner.getTokenOffset());
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    if (depth > MAX_DEPTH) throw broken(`it is nested more than ${MAX_DEPTH} levels deep`);
  }
}

/** The value of the text. @throws SallyportError CONNECT_SYNTAX, also for a key twice: programs differ in which one counts */
export function readJson(text: string, format: HostFormat): JsonObject {
  const root = rootOf(text, format);
  return root === null ? {} : objectOf(root);
}

function valueIn(node: Node): JsonValue {
  if (node.type === 'object') return objectOf(node);
  if (node.type === 'array') return (node.children ?? []).map(valueIn);
  const { value } = node;
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  throw broken('it has a value that is not JSON');
}

function objectOf(node: Node): JsonObject {
  const properties = node.children ?? [];
  if (new Set(properties.map(keyOf)).size < properties.length) throw broken('an object has the same key twice');
  // fromEntries defines properties: a key __proto__ stays a key.
  return Object.fromEntries(properties.map((property) => [keyOf(property), valueIn(childOf(property, 1))]));
}

const keyOf = (property: Node): string => String(childOf(property, 0).value);

function childOf(property: Node, at: 0 | 1): Node {
  const child = property.children?.[at];
  if (child === undefined) throw broken('a property has no value');
  return child;
}

/** The text with `container.name` added; everything else, comments and white space included, stays as it is. */
export function addToJson(
  text: string,
  format: HostFormat,
  path: readonly [string, string],
  value: JsonObject,
): string {
  const [container, name] = path;
  const root = rootOf(text, format);
  if (root === null) return `${text.trimEnd()}${JSON.stringify({ [container]: { [name]: value } }, null, 2)}\n`;
  const property = propertyOf(root, container);
  if (property === null) return addProperty(text, root, 1, container, { [name]: value });
  const servers = childOf(property, 1);
  if (servers.type !== 'object') throw broken(`${container} is not an object`);
  return addProperty(text, servers, 2, name, value);
}

/** The text without `container.name`, or without `container` when `name` is null. */
export function removeFromJson(text: string, format: HostFormat, container: string, name: string | null): string {
  const root = rootOf(text, format);
  const outer = root === null ? null : propertyOf(root, container);
  if (root === null || outer === null) return text;
  if (name === null) return removeProperty(text, root, outer);
  const servers = childOf(outer, 1);
  const property = propertyOf(servers, name);
  return property === null ? text : removeProperty(text, servers, property);
}

const propertyOf = (object: Node, key: string): Node | null =>
  (object.type === 'object' ? object.children : undefined)?.find((property) => keyOf(property) === key) ?? null;

/** Adds at the end of an object: behind the last comment, so that every comment keeps its place. */
function addProperty(text: string, object: Node, depth: number, key: string, value: JsonObject): string {
  const close = endOf(object) - 1;
  const last = object.children?.at(-1);
  const from = last === undefined ? object.offset + 1 : endOf(last);
  const trailing = last !== undefined && commaBetween(text, from, close) !== null;
  const comma = last !== undefined && !trailing ? ',' : '';
  const gap = text.slice(from, close);
  const kept = gap.trimEnd();
  const { unit, newline } = styleOf(text);
  const margin = newline + unit.repeat(depth);
  const body = JSON.stringify(value, null, unit).replaceAll('\n', margin) + (trailing ? ',' : '');
  const closing = gap.slice(kept.length).includes('\n') ? '' : newline + unit.repeat(depth - 1);
  return `${text.slice(0, from)}${comma}${kept}${margin}${JSON.stringify(key)}: ${body}${closing}${text.slice(from + kept.length)}`;
}

function removeProperty(text: string, object: Node, property: Node): string {
  const siblings = object.children ?? [];
  const before = siblings[siblings.indexOf(property) - 1];
  const after = siblings[siblings.indexOf(property) + 1];
  const end = endOf(property);
  const next = commaBetween(text, end, after?.offset ?? endOf(object) - 1);
  const previous = next === null && before !== undefined ? commaBetween(text, endOf(before), property.offset) : null;
  const [start, stop] = wholeLines(
    text,
    property.offset,
    next === null ? end : next + 1,
    next === null || next === end,
  );
  const tail = next === null || next === end ? text.slice(stop) : text.slice(end, next) + text.slice(next + 1);
  const head = text.slice(0, start);
  return (previous === null ? head : head.slice(0, previous) + head.slice(previous + 1)) + tail;
}

/** Takes the line break and the indentation before what goes along, where nothing else stands on its lines. */
function wholeLines(text: string, start: number, stop: number, alone: boolean): readonly [number, number] {
  const indent = /[ \t]*$/.exec(text.slice(Math.max(0, start - 200), start))?.[0].length ?? 0;
  const rest = /^[ \t]*(?=\r?\n)/.exec(text.slice(stop, stop + 200))?.[0].length;
  const at = start - indent;
  if (!alone || rest === undefined || text[at - 1] !== '\n') return [start, stop];
  return [at - (text[at - 2] === '\r' ? 2 : 1), stop + rest];
}

/** Place of the first comma outside of comments between two places, or null. */
function commaBetween(text: string, from: number, to: number): number | null {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return at < to && text.charAt(at) === ',' ? at : null;
}

const endOf = (node: Node): number => node.offset + node.length;

/** Line breaks and indentation as the file has them; two spaces where it has none. */
function styleOf(text: string): { readonly unit: string; readonly newline: string } {
  const unit = /\n([ \t]{1,8})["/]/.exec(text)?.[1] ?? '  ';
  return { unit, newline: text.includes('\r\n') ? '\r\n' : '\n' };
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

const broken = (why: string): SallyportError =>
  new SallyportError('CONNECT_SYNTAX', `the file cannot be edited: ${why}`);
