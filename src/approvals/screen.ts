import { canonicalJson, hmacSha256Hex, isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import type { Binding } from './binding.ts';
import { APPROVAL_LIMITS } from './limits.ts';
import { notFrozen, sayNotFrozen } from './not-frozen.ts';
import { plain, quoted } from './plain.ts';

/** How a value compares with the last call of the same tool by the same principal that was approved. */
export type Change = 'same' | 'changed' | 'new' | 'first';

/** One line: where it stands (`path`, `headers.accept`, `items[0]`), and what. Both escaped: safe to print and to set as text. */
export interface ScreenLine {
  readonly name: string;
  readonly value: string;
  readonly change: Change;
  /** The value is longer than what stands here. */
  readonly cut: boolean;
}

/** What a person is shown, as data. Every text is escaped; nothing in it is markup, and nothing a server wrote is prose. */
export interface Screen {
  /** Ours, with names quoted. */
  readonly title: string;
  /** Why somebody is asked. */
  readonly why: string;
  readonly lines: readonly ScreenLine[];
  /** Arguments that the last approved call had and this one has not. */
  readonly gone: readonly string[];
  /** What the facts say: real paths, URLs and addresses, programs, secrets, destination, obligations, policy. */
  readonly facts: readonly ScreenLine[];
  readonly notes: readonly string[];
  /** False when something is longer than what is shown: then a yes needs `full`. */
  readonly complete: boolean;
}

/** The arguments of the last approved call, as digests only: they are not kept beyond their payload. */
export interface LastApproved {
  readonly salt: string;
  readonly lines: Readonly<Record<string, string>>;
}

interface RawLine {
  readonly name: string;
  readonly text: string;
}

/** Lines beyond which an argument is not unfolded any more. */
const MAX_UNFOLDED = 2_000;

/** What a person is shown of a call; `full`: without cutting. */
export function screenOf(binding: Binding, last: LastApproved | null, full = false): Screen {
  const { tool, server, principal, why } = binding;
  const raw = argumentLines(binding.arguments);
  const shown = full ? raw : raw.slice(0, APPROVAL_LIMITS.screenLines);
  const facts = factLines(binding);
  const factsShown = full ? facts : facts.slice(0, APPROVAL_LIMITS.screenLines);
  const where = server === null ? '' : ` of the server ${quoted(server)}`;
  const names = new Set(raw.map(({ name }) => name));
  return Object.freeze({
    title: `${quoted(principal.agent)} for ${quoted(principal.user)} wants to call ${quoted(tool)}${where}`,
    why: `${plain(why.code)} by ${plain(why.rule)}: ${cut(plain(why.reason), full)}`,
    lines: shown.map((line) => toLine(line, changeOf(line, last), full)),
    gone:
      last === null
        ? []
        : Object.keys(last.lines)
            .filter((name) => !names.has(name))
            .map((name) => plain(name)),
    facts: factsShown.map((line) => toLine(line, 'first', full)),
    notes: notFrozen(binding).map((note) => cut(sayNotFrozen(note, quoted), full)),
    complete: isComplete(binding),
  });
}

/** True when a screen shows the whole of a call without being asked for `full`. */
export function isComplete(binding: Binding): boolean {
  const lines = [argumentLines(binding.arguments), factLines(binding)];
  const notes = notFrozen(binding).map((note) => sayNotFrozen(note, quoted));
  return (
    lines.every((list) => list.length <= APPROVAL_LIMITS.screenLines && list.every(({ text }) => fits(plain(text)))) &&
    [...notes, plain(binding.why.reason)].every(fits)
  );
}

/** What is kept of an approved call, to compare the next one with. `salt` is secret random, made anew each time. */
export function rememberArguments(binding: Binding, salt: string): LastApproved {
  const lines = argumentLines(binding.arguments).slice(0, 200);
  return { salt, lines: Object.fromEntries(lines.map((line) => [line.name, mark(line, salt)])) };
}

const mark = ({ name, text }: RawLine, salt: string): string =>
  hmacSha256Hex(Buffer.from(salt), Buffer.from(`${name}\n${text}`)).slice(0, 32);

function changeOf(line: RawLine, last: LastApproved | null): Change {
  if (last === null) return 'first';
  if (!Object.hasOwn(last.lines, line.name)) return 'new';
  return last.lines[line.name] === mark(line, last.salt) ? 'same' : 'changed';
}

const fits = (text: string): boolean => text.length <= APPROVAL_LIMITS.screenLineCharacters;
const cut = (text: string, full: boolean): string =>
  full || fits(text) ? text : `${text.slice(0, APPROVAL_LIMITS.screenLineCharacters).toWellFormed()}…`;

function toLine({ name, text }: RawLine, change: Change, full: boolean): ScreenLine {
  const value = plain(text);
  return { name: plain(name), value: cut(value, full), change, cut: !full && !fits(value) };
}

/** Each value of the arguments on a line of its own, canonical: strings as JSON, so that "1" and 1 differ to the eye. */
function argumentLines(args: JsonObject): readonly RawLine[] {
  const lines: RawLine[] = [];
  const walk = (name: string, value: JsonValue): void => {
    const isLeaf = lines.length >= MAX_UNFOLDED || typeof value !== 'object' || value === null;
    if (isLeaf) lines.push({ name, text: canonicalJson(value) });
    else if (isJsonObject(value)) walkMembers(name, value);
    else if (isList(value) && value.length > 0) for (const [at, item] of value.entries()) walk(`${name}[${at}]`, item);
    else lines.push({ name, text: '[]' });
  };
  const walkMembers = (name: string, value: JsonObject): void => {
    const keys = Object.keys(value).sort();
    if (keys.length === 0) lines.push({ name, text: '{}' });
    for (const key of keys) walk(name === '' ? nameOf(key) : `${name}.${nameOf(key)}`, value[key] ?? null);
  };
  walkMembers('', args);
  return lines;
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);
/** A key that could be read as something else stands as JSON. */
const nameOf = (key: string): string => (/^[A-Za-z0-9_$-]{1,64}$/.test(key) ? key : JSON.stringify(key));

function factLines(binding: Binding): readonly RawLine[] {
  const { facts, secrets, destination, obligations, policy, definition, principal, approvers } = binding;
  const lines: RawLine[] = [{ name: 'runs', text: facts.runs }];
  for (const [pointer, { use, real, kind, identity, content }] of sorted(facts.paths)) {
    lines.push({
      name: `path ${pointer}`,
      text: `${use} ${kind} ${JSON.stringify(real)} ${identity ?? '-'} ${content ?? 'content not frozen'}`,
    });
  }
  for (const [pointer, { method, url, addresses }] of sorted(facts.requests)) {
    lines.push({
      name: `request ${pointer}`,
      text: `${method ?? '-'} ${JSON.stringify(url)} at ${(addresses ?? ['not looked up']).join(', ')}`,
    });
  }
  for (const { name, real, identity, content } of facts.programs) {
    lines.push({
      name: 'program',
      text: `${JSON.stringify(name)} is ${JSON.stringify(real)} ${identity ?? '-'} ${content ?? 'content not frozen'}`,
    });
  }
  if (principal.chain.length > 0) lines.push({ name: 'on behalf of', text: canonicalJson(principal.chain) });
  if (secrets.length > 0) lines.push({ name: 'secrets', text: canonicalJson(secrets) });
  if (destination.length > 0) lines.push({ name: 'destination', text: canonicalJson(destination) });
  lines.push({ name: 'obligations', text: canonicalJson(obligations) });
  if (approvers.people > 1 || approvers.groups.length > 0 || !approvers.ownUser) {
    lines.push({ name: 'approvers', text: canonicalJson({ ...approvers, groups: [...approvers.groups] }) });
  }
  // Whole, since the title caps them.
  const { tenant, user, agent } = principal;
  lines.push({ name: 'caller', text: canonicalJson({ tenant, user, agent }) });
  lines.push({ name: 'tool', text: canonicalJson({ tool: binding.tool, server: binding.server }) });
  lines.push({ name: 'definition', text: definition ?? 'none' }, { name: 'policy', text: policy });
  return lines;
}

const sorted = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
