import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Effect } from '../policy/index.ts';

/** One labelled call: what a policy should answer, and in which surroundings (docs/policy-testing.md). */
export interface PolicyCase {
  readonly id: string;
  /** File and line it stands in, for messages. */
  readonly place: string;
  /** The file it stands in: `paths_base_fixture.json` lies beside it. */
  readonly file: string;
  readonly tool: string;
  /** Name of a policy file without its ending; `null`: the only policy there is. */
  readonly policy: string | null;
  readonly call: JsonObject;
  readonly expect: Effect;
  /** Answers that count as correct; never empty. */
  readonly accept: readonly Effect[];
  readonly why: string;
  readonly family: string;
  readonly fixture: JsonObject | null;
  readonly dns: ReadonlyMap<string, readonly string[]>;
  readonly dnsSequence: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Addresses that an allowed call may connect to; `null`: any that was judged. */
  readonly connectOnlyTo: readonly string[] | null;
  readonly redirects: ReadonlyMap<string, Redirect>;
  readonly before: Before | null;
}

/** What a URL answers instead of 200. */
export interface Redirect {
  readonly status: number;
  readonly location: string;
}

/** Calls like this one that were made before it. Seconds. */
export interface Before {
  readonly sameCalls: number;
  readonly withinSeconds: number;
  readonly thenWaitSeconds: number;
}

const EFFECTS: readonly Effect[] = ['allow', 'confirm', 'deny'];

/** What a label accepts when it does not say. */
const ACCEPTED: Readonly<Record<Effect, readonly Effect[]>> = {
  allow: ['allow'],
  confirm: ['confirm', 'deny'],
  deny: ['deny'],
};

/**
 * Reads files of cases, one JSON object a line; empty lines and lines that start with `#` are skipped.
 * @throws SallyportError CASES_INVALID (with file and line), also for the same id twice and for no case at all
 */
export function readCases(files: readonly string[]): PolicyCase[] {
  const cases = files.flatMap(readCaseFile);
  const seen = new Set<string>();
  for (const { id, place } of cases) {
    if (seen.has(id)) throw unusable(place, `the id ${JSON.stringify(id)} is taken`);
    seen.add(id);
  }
  if (cases.length === 0) throw new SallyportError('CASES_INVALID', 'there is no case in these files');
  return cases;
}

function readCaseFile(file: string): PolicyCase[] {
  return readText(file)
    .split('\n')
    .flatMap((line, index) => {
      const text = line.trim();
      return text === '' || text.startsWith('#') ? [] : [readCase(text, file, `${file}:${index + 1}`)];
    });
}

/** The text of a file that cases need. @throws SallyportError CASES_INVALID */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SallyportError('CASES_INVALID', `cannot read ${file}`, { cause });
  }
}

/**
 * The files that fixtures with `base: true` start from: `paths_base_fixture.json` beside the cases, or none.
 * @throws SallyportError CASES_INVALID
 */
export function readBase(file: string): JsonObject {
  const beside = join(dirname(file), 'paths_base_fixture.json');
  return existsSync(beside) ? parseObject(readText(beside), beside) : {};
}

const unusable = (place: string, what: string): SallyportError =>
  new SallyportError('CASES_INVALID', `${place}: ${what}`);

/** A case may hold what no call may: lone surrogates, `__proto__`. The call is read strictly when it is made. */
function readCase(text: string, file: string, place: string): PolicyCase {
  const value = parseObject(text, place);
  const call = value['call'];
  const expect = effectOf(value['expect']);
  if (!isJsonObject(call)) throw unusable(place, 'call: is the arguments, an object');
  if (expect === null) throw unusable(place, `expect: is one of ${EFFECTS.join(', ')}`);
  const policy = value['policy'];
  if (policy !== undefined && typeof policy !== 'string') throw unusable(place, 'policy: is a name');
  return {
    ...{ place, file, call, expect },
    id: textAt(value, 'id', place),
    tool: textAt(value, 'tool', place),
    policy: policy ?? null,
    accept: readAccept(value['accept'], expect, place),
    why: textAt(value, 'why', place, ''),
    family: textAt(value, 'family', place, 'no-family'),
    fixture: readFixture(value['fixture'], place),
    dns: readMap(value, 'dns', place, readAddresses),
    dnsSequence: readMap(value, 'dnsSequence', place, (answers) =>
      Array.isArray(answers) ? allOrNone(answers.map(readAddresses)) : null,
    ),
    connectOnlyTo: readAddresses(value['connectOnlyTo']),
    redirects: readMap(value, 'redirects', place, readRedirect),
    before: readBefore(value['before'], place),
  };
}

const TABLES = ['files', 'outside', 'symlinks', 'hardlinks'];
const LISTS = ['dirs', 'fifos', 'sockets'];

/** A part that cannot be read would make the case another one. */
function readFixture(value: JsonValue | undefined, place: string): JsonObject | null {
  if (value === undefined) return null;
  if (!isJsonObject(value)) throw unusable(place, 'fixture: is a table');
  const isText = (item: unknown): boolean => typeof item === 'string';
  for (const key of TABLES) {
    const table = value[key] ?? {};
    if (!isJsonObject(table) || !Object.values(table).every(isText))
      throw unusable(place, `fixture: ${key} is a table of texts`);
  }
  for (const key of LISTS) {
    const list = value[key] ?? [];
    if (!Array.isArray(list) || !list.every(isText)) throw unusable(place, `fixture: ${key} is a list of texts`);
  }
  return value;
}

function parseObject(text: string, place: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SallyportError('CASES_INVALID', `${place}: the line is not JSON`, { cause });
  }
  if (!isJsonObject(value)) throw unusable(place, 'a case is an object');
  return value;
}

function textAt(value: JsonObject, key: string, place: string, otherwise?: string): string {
  const text = value[key] ?? otherwise;
  if (typeof text !== 'string') throw unusable(place, `${key}: is a text`);
  return text;
}

const effectOf = (value: unknown): Effect | null => EFFECTS.find((effect) => effect === value) ?? null;

function readAccept(value: JsonValue | undefined, expect: Effect, place: string): readonly Effect[] {
  if (value === undefined) return ACCEPTED[expect];
  const read = Array.isArray(value) ? allOrNone(value.map(effectOf)) : null;
  if (read === null || read.length === 0) throw unusable(place, `accept: is a list of ${EFFECTS.join(', ')}`);
  return read;
}

const allOrNone = <Item>(items: readonly (Item | null)[]): readonly Item[] | null => {
  const found = items.filter((item) => item !== null);
  return found.length === items.length ? found : null;
};

const readAddresses = (value: JsonValue | undefined): readonly string[] | null =>
  Array.isArray(value) ? allOrNone(value.map((item) => (typeof item === 'string' ? item : null))) : null;

function readRedirect(value: JsonValue): Redirect | null {
  if (!isJsonObject(value)) return null;
  const { status, location } = value;
  return typeof status === 'number' && typeof location === 'string' ? { status, location } : null;
}

function readMap<Item>(
  value: JsonObject,
  key: string,
  place: string,
  read: (value: JsonValue) => Item | null,
): ReadonlyMap<string, Item> {
  const table = value[key];
  if (table === undefined) return new Map();
  if (!isJsonObject(table)) throw unusable(place, `${key}: is a table`);
  return new Map(
    Object.entries(table).map(([name, entry]) => {
      const item = read(entry);
      if (item === null) throw unusable(place, `${key}: the entry ${JSON.stringify(name)} cannot be read`);
      return [name, item];
    }),
  );
}

function readBefore(value: JsonValue | undefined, place: string): Before | null {
  if (value === undefined) return null;
  if (!isJsonObject(value)) throw unusable(place, 'before: is a table');
  const { sameCalls = 0, withinSeconds = 0, thenWaitSeconds = 0 } = value;
  const isCount = (count: unknown): count is number => typeof count === 'number' && count >= 0 && count <= 100_000;
  if (isCount(sameCalls) && isCount(withinSeconds) && isCount(thenWaitSeconds))
    return { sameCalls, withinSeconds, thenWaitSeconds };
  throw unusable(place, 'before: has sameCalls, withinSeconds and thenWaitSeconds, numbers up to 100,000');
}
