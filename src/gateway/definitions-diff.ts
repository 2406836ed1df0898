import { canonicalJson, escapeForTerminal, isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import type { ServerDefinitions } from './definitions.ts';

const MAX_LINES = 500;
const MAX_VALUE = 300;

/**
 * What changed in a server's definitions, one change a line: `+` new, `-` gone, `~` changed, with both values. Safe to
 * print: what only a machine would see becomes visible. Empty when nothing changed. `locked` is null before the first
 * approval.
 */
export function diffDefinitions(locked: ServerDefinitions | null, current: ServerDefinitions): readonly string[] {
  const before = locked ?? { ...NOTHING, protocol: current.protocol };
  const lines = [
    ...diffValue('protocol', before.protocol, current.protocol),
    ...diffValue('server', before.serverInfo, current.serverInfo),
    ...diffValue('capabilities', before.capabilities, current.capabilities),
    ...diffValue('instructions', before.instructions, current.instructions),
    ...diffList('tool', 'name', before.tools, current.tools),
    ...diffList('prompt', 'name', before.prompts, current.prompts),
    ...diffList('template', 'uriTemplate', before.resourceTemplates, current.resourceTemplates),
  ];
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `… and ${lines.length - MAX_LINES} more changes`];
}

const NOTHING: Omit<ServerDefinitions, 'protocol'> = {
  ...{ capabilities: {}, serverInfo: null, instructions: null, tools: [], prompts: [], resourceTemplates: [] },
};

/** Definitions by name; those that share a name are compared as one list. */
function byName(definitions: readonly JsonObject[], key: string): ReadonlyMap<string, JsonValue> {
  const groups = new Map<string, JsonObject[]>();
  for (const definition of definitions) {
    const name = String(definition[key]);
    groups.set(name, [...(groups.get(name) ?? []), definition]);
  }
  return new Map([...groups].map(([name, group]) => [name, group.length === 1 ? (group[0] ?? null) : group]));
}

function diffList(noun: string, key: string, before: readonly JsonObject[], after: readonly JsonObject[]): string[] {
  const [old, current] = [byName(before, key), byName(after, key)];
  const names = [...new Set([...old.keys(), ...current.keys()])].sort();
  return names.flatMap((name) => {
    const label = `${noun} ${show(name)}`;
    const [was, is] = [old.get(name), current.get(name)];
    if (was === undefined) return [`+ ${label}`, ...fieldsOf(label, key, is)];
    if (is === undefined) return [`- ${label}`];
    return diffValue(label, was, is);
  });
}

/** The fields of a new definition: an operator approves all of them, so all are shown. */
const fieldsOf = (label: string, key: string, definition: JsonValue | undefined): string[] =>
  isJsonObject(definition)
    ? Object.keys(definition)
        .filter((field) => field !== key)
        .map((field) => `+ ${label} ${show(field)}: ${show(definition[field])}`)
    : [];

function diffValue(label: string, before: JsonValue, after: JsonValue): string[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  if (!isJsonObject(before) || !isJsonObject(after)) {
    if (before === null) return [`+ ${label}: ${show(after)}`];
    if (after === null) return [`- ${label}: ${show(before)}`];
    return [`~ ${label}: ${show(before)} -> ${show(after)}`];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    const [old, current] = [before[key], after[key]];
    const inner = `${label} ${show(key)}`;
    if (old === undefined) return [`+ ${inner}: ${show(current)}`];
    if (current === undefined) return [`- ${inner}: ${show(old)}`];
    return diffValue(inner, old, current);
  });
}

/** ATTACKER-CONTROLLED: the value. A long one shows both ends: what was added often stands last. */
function show(value: JsonValue | undefined): string {
  const text = typeof value === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? value : canonicalJson(value ?? null);
  const safe = escapeForTerminal(text);
  if (safe.length <= MAX_VALUE) return safe;
  const half = MAX_VALUE / 2;
  return `${safe.slice(0, half)} […${safe.length - MAX_VALUE} characters…] ${safe.slice(-half)}`;
}
