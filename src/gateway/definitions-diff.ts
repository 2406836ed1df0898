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
  const before = locked ?? { protocol: current.protocol, serverInfo: null, instructions: null, tools: [] };
  const lines = [
    ...diffValue('server', before.serverInfo, current.serverInfo),
    ...diffValue('instructions', before.instructions, current.instructions),
    ...diffTools(byName(before.tools), byName(current.tools)),
  ];
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `… and ${lines.length - MAX_LINES} more changes`];
}

/** Definitions by name; those that share a name are compared as one list. */
function byName(tools: readonly JsonObject[]): ReadonlyMap<string, JsonValue> {
  const groups = new Map<string, JsonObject[]>();
  for (const tool of tools) groups.set(String(tool['name']), [...(groups.get(String(tool['name'])) ?? []), tool]);
  return new Map([...groups].map(([name, group]) => [name, group.length === 1 ? (group[0] ?? null) : group]));
}

function diffTools(before: ReadonlyMap<string, JsonValue>, after: ReadonlyMap<string, JsonValue>): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, current] = [before.get(name), after.get(name)];
    const label = `tool ${show(name)}`;
    if (old === undefined) return [`+ ${label}`, ...fieldsOf(label, current)];
    if (current === undefined) return [`- ${label}`];
    return diffValue(label, old, current);
  });
}

/** The fields of a new tool: an operator approves all of them, so all are shown. */
const fieldsOf = (label: string, tool: JsonValue | undefined): string[] =>
  isJsonObject(tool)
    ? Object.keys(tool)
        .filter((key) => key !== 'name')
        .map((key) => `+ ${label} ${show(key)}: ${show(tool[key])}`)
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
