import { Composer, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, Parser } from 'yaml';
import {
  DEFAULT_LIMITS,
  deepFreeze,
  escapeForTerminal,
  escapePointer,
  type JsonValue,
  quoteForMessage,
} from '../core/index.ts';
import type { PolicyProblem } from './policy.ts';
import type { PlaceFinder } from './problems.ts';
import { isTooDeep } from './yaml-depth.ts';

/** The text of a policy as JSON, with the places of everything in it. */
export interface YamlSource {
  readonly value: JsonValue;
  readonly places: PlaceFinder;
  readonly problems: readonly PolicyProblem[];
}

/** What the reading of one text shares. */
interface Reading {
  readonly file: string;
  readonly lines: LineCounter;
  readonly offsets: Map<string, { readonly key: number; readonly value: number }>;
  readonly problems: PolicyProblem[];
}

const MAX_DEPTH = 32;
const MAX_PROBLEMS = 100;

/**
 * Reads YAML 1.2 (core schema) that has one reading only: anchors, aliases, merge keys, tags, directives, several
 * documents, duplicate keys, keys that are no strings, and characters that nobody sees are problems.
 */
export function readYaml(text: string, file: string): YamlSource {
  const reading: Reading = { file, lines: new LineCounter(), offsets: new Map(), problems: [] };
  const places: PlaceFinder = { file, find: (pointer, part) => placeOf(reading, offsetAt(reading, pointer, part)) };
  if (Buffer.byteLength(text) > DEFAULT_LIMITS.policyBytes) {
    note(
      reading,
      '',
      `the policy has more than ${DEFAULT_LIMITS.policyBytes} bytes`,
      'Split the work over several gates',
    );
  } else if (!text.isWellFormed()) note(reading, '', 'the policy is not well-formed Unicode', 'Save the file as UTF-8');
  if (reading.problems.length > 0) return { value: null, places, problems: reading.problems };
  const value = readText(text, reading);
  return { value: deepFreeze(value), places, problems: reading.problems };
}

function readText(text: string, reading: Reading): JsonValue {
  const tokens = [...new Parser(reading.lines.addNewLine).parse(text)];
  if (isTooDeep(tokens, MAX_DEPTH)) {
    note(reading, '', `the policy is nested more than ${MAX_DEPTH} levels deep`, 'Nest less deeply');
    return null;
  }
  // Keys are compared here, in one pass: the composer's own check takes a time quadratic in the number of keys.
  const composer = new Composer({
    uniqueKeys: false,
    merge: false,
    schema: 'core',
    version: '1.2',
    prettyErrors: false,
  });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [document, second] = documents;
  if (document === undefined) return null;
  for (const error of [...document.errors, ...document.warnings]) {
    noteAt(reading, error.pos[0], `not readable as YAML: ${escapeForTerminal(error.message)}`, 'Mend the YAML');
  }
  if (second !== undefined) {
    noteAt(reading, second.range[0], 'a policy is one document', 'Remove the line --- and what follows it');
  }
  refuseDirectives(document, reading);
  return reading.problems.length > 0 || document.contents === null ? null : readNode(reading, document.contents, '');
}

function refuseDirectives(document: Document.Parsed, reading: Reading): void {
  const hasTags = Object.keys(document.directives.tags).some((handle) => handle !== '!!');
  if (document.directives.yaml.explicit === true || hasTags) {
    noteAt(reading, 0, 'YAML directives are not supported', 'Remove the lines that begin with %');
  }
}

function readNode(reading: Reading, node: ParsedNode | null, pointer: string): JsonValue {
  if (node === null) return null;
  refuseIndirection(reading, node, pointer);
  if (isMap(node)) return readMap(reading, node.items, pointer);
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      const start = offsetOf(item) ?? reading.offsets.get(pointer)?.value ?? 0;
      reading.offsets.set(`${pointer}/${index}`, { key: start, value: start });
      return readNode(reading, item, `${pointer}/${index}`);
    });
  }
  return isScalar(node) ? readScalar(reading, node.value, pointer) : null;
}

function refuseIndirection(reading: Reading, node: ParsedNode, pointer: string): void {
  if (isAlias(node)) note(reading, pointer, 'YAML aliases (*name) are not supported', 'Write the value out');
  else if (node.anchor !== undefined)
    note(reading, pointer, 'YAML anchors (&name) are not supported', 'Remove the anchor');
  else if (node.tag !== undefined)
    note(reading, pointer, 'YAML tags (!name) are not supported', 'Remove the tag, or quote the text');
}

function readScalar(reading: Reading, value: unknown, pointer: string): JsonValue {
  if (typeof value === 'string') {
    refuseInvisible(reading, value, pointer);
    return value;
  }
  if (value === null || typeof value === 'boolean') return value;
  if (
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (!Number.isInteger(value) || Number.isSafeInteger(value))
  ) {
    return value;
  }
  note(reading, pointer, 'this number is beyond what readers agree on (2^53-1)', 'Write a smaller number, or quote it');
  return null;
}

/** A policy must say what it shows. */
function refuseInvisible(reading: Reading, text: string, pointer: string): void {
  const visible = text.replaceAll(/[\t\n\r]/g, ' ');
  if (escapeForTerminal(visible) === visible) return;
  note(reading, pointer, `invisible or control characters in ${quoteForMessage(text)}`, 'Remove them');
}

function readMap(
  reading: Reading,
  items: readonly { readonly key: ParsedNode; readonly value: ParsedNode | null }[],
  pointer: string,
): JsonValue {
  const entries = new Map<string, JsonValue>();
  for (const { key, value } of items) {
    const start = offsetOf(key) ?? 0;
    const name = readKey(reading, key, start);
    if (name === null) continue;
    const place = `${pointer}/${escapePointer(name)}`;
    if (entries.has(name)) {
      noteAt(reading, start, `the key ${quoteForMessage(name)} stands here twice`, 'Keep one of them', place);
      continue;
    }
    reading.offsets.set(place, { key: start, value: offsetOf(value) ?? start });
    refuseInvisible(reading, name, place);
    entries.set(name, readNode(reading, value, place));
  }
  return Object.fromEntries(entries);
}

function readKey(reading: Reading, key: ParsedNode, start: number): string | null {
  const isPlain = isScalar(key) && typeof key.value === 'string' && key.anchor === undefined && key.tag === undefined;
  if (!isPlain) {
    noteAt(reading, start, 'a key is a plain text here', 'Quote the key, and use no anchor, alias or tag in it');
    return null;
  }
  const name = String(key.value);
  if (name === '<<' || name === '__proto__') {
    const what = name === '<<' ? 'merge keys (<<) are not supported' : 'the key __proto__ is refused';
    noteAt(reading, start, what, name === '<<' ? 'Write the keys out' : 'Remove it');
    return null;
  }
  return name;
}

const offsetOf = (node: ParsedNode | null): number | undefined => node?.range?.[0];

const note = (reading: Reading, pointer: string, message: string, remedy: string): void =>
  noteAt(reading, offsetAt(reading, pointer, 'value'), message, remedy, pointer);

function noteAt(reading: Reading, offset: number, message: string, remedy: string, pointer = ''): void {
  const { file } = reading;
  if (reading.problems.length < MAX_PROBLEMS)
    reading.problems.push(Object.freeze({ message, file, ...placeOf(reading, offset), remedy, pointer }));
}

/** The offset of a pointer, or of the nearest thing above it that has one. */
function offsetAt(reading: Reading, pointer: string, part: 'key' | 'value'): number {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const offsets = reading.offsets.get(at);
    if (offsets !== undefined) return offsets[at === pointer ? part : 'key'];
  }
  return 0;
}

function placeOf(reading: Reading, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = reading.lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
