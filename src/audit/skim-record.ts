import type { LedgerRecord } from './call-ledger.ts';
import { isRecordType } from './record.ts';

/** What a verifier looks at in a record. */
export interface SkimmedRecord extends LedgerRecord {
  readonly time: string;
  /** The commitments as they stand in the record: a JSON object, where there is one. */
  readonly commitments: string | undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const FIELDS = [
  'v',
  'seq',
  'boot',
  'time',
  'tool',
  'type',
  'open',
  'session',
  'outcome',
  'decision',
  'intentSeq',
  'admittedSeq',
  'commitments',
] as const;
type Field = (typeof FIELDS)[number];

/** The fields by the length of their names, so that most keys are passed over after one look. */
const BY_LENGTH: readonly (readonly { readonly field: Field; readonly name: Buffer }[])[] = Array.from(
  { length: Math.max(...FIELDS.map((field) => field.length)) + 1 },
  (_, length) =>
    FIELDS.filter((field) => field.length === length).map((field) => ({ field, name: Buffer.from(field) })),
);

type Values = { [F in Field]?: string };

/** Bytes, and the same as Latin-1 text: bytes are quicker to look at, and slices of a text quicker to take. */
export interface SkimSource {
  readonly data: Buffer;
  readonly text: string;
}

/** The source for skimming records in `data`. */
export const skimSource = (data: Buffer): SkimSource => ({ data, text: data.toString('latin1') });

/**
 * Reads what a verifier needs from the record at `[start, end)` of a source, several times faster than `JSON.parse`. Null
 * when they do not look like a record of version 1, or a needed field is not plain ASCII: then ask `parseRecord`.
 *
 * INVARIANT: for every text that is JSON and has each key once, what this returns is what `JSON.parse` gives. That a field
 * which it passes over is no JSON goes unseen: the bytes are what was signed all the same.
 */
export function skimRecord(source: SkimSource, start: number, end: number): SkimmedRecord | null {
  const values = skimValues(source, start, end);
  if (values === null || values.v !== '1') return null;
  const [type, boot, time] = [textOf(values.type), textOf(values.boot), textOf(values.time)];
  const [decision, session, tool] = [textOf(values.decision), textOf(values.session), textOf(values.tool)];
  const outcome = textOf(values.outcome);
  const [seq, open, intentSeq, admittedSeq] = [
    numberOf(values.seq),
    numberOf(values.open),
    numberOf(values.intentSeq),
    numberOf(values.admittedSeq),
  ];
  if (!isRecordType(type) || typeof boot !== 'string' || typeof time !== 'string' || typeof seq !== 'number')
    return null;
  if (decision === null || session === null || tool === null || outcome === null) return null;
  if (open === null || intentSeq === null || admittedSeq === null) return null;
  const { commitments } = values;
  return { type, boot, time, seq, decision, session, tool, outcome, open, intentSeq, admittedSeq, commitments };
}

/** A JSON string of printable ASCII without escapes; null for anything else that is there. */
function textOf(json: string | undefined): string | null | undefined {
  return json === undefined ? undefined : /^"[ !#-[\]-~]*"$/.test(json) ? json.slice(1, -1) : null;
}

/** A whole number; null for anything else that is there. */
function numberOf(json: string | undefined): number | null | undefined {
  if (json === undefined) return undefined;
  const value = Number(json);
  return Number.isSafeInteger(value) && json !== '' ? value : null;
}

/** The JSON of the wanted members of the object at `[start, end)`; null if it is not one object without white space. */
function skimValues({ data, text }: SkimSource, start: number, end: number): Values | null {
  const values: Values = {};
  let at = start + 1;
  if (data[start] !== OPEN_OBJECT) return null;
  for (;;) {
    const keyEnd = data[at] === QUOTE ? endOfString(data, at, end) : -1;
    if (keyEnd < 0 || data[keyEnd] !== COLON) return null;
    const valueEnd = endOfValue(data, keyEnd + 1, end);
    if (valueEnd < 0) return null;
    const field = fieldAt(data, at + 1, keyEnd - 1);
    if (field !== null) values[field] = text.slice(keyEnd + 1, valueEnd);
    if (data[valueEnd] === CLOSE_OBJECT) return valueEnd + 1 === end ? values : null;
    if (data[valueEnd] !== COMMA) return null;
    at = valueEnd + 1;
  }
}

function fieldAt(data: Buffer, start: number, end: number): Field | null {
  for (const { field, name } of BY_LENGTH[end - start] ?? []) {
    let at = 0;
    while (at < name.length && data[start + at] === name[at]) at += 1;
    if (at === name.length) return field;
  }
  return null;
}

/** Where the string that begins at `at` ends, behind its quote; -1 if it does not. */
function endOfString(data: Buffer, at: number, end: number): number {
  let next = at + 1;
  while (next < end) {
    const byte = data[next];
    if (byte === QUOTE) return next + 1;
    next += byte === BACKSLASH ? 2 : 1;
  }
  return -1;
}

/** Where the value that begins at `at` ends; -1 if it does not before `end`. */
function endOfValue(data: Buffer, at: number, end: number): number {
  const first = data[at];
  if (first === QUOTE) return endOfString(data, at, end);
  if (first === OPEN_OBJECT || first === OPEN_LIST) return endOfContainer(data, at, end);
  for (let next = at; next < end; next++) {
    if (data[next] === COMMA || data[next] === CLOSE_OBJECT) return next;
  }
  return -1;
}

function endOfContainer(data: Buffer, at: number, end: number): number {
  let depth = 0;
  for (let next = at; next < end; next++) {
    const byte = data[next];
    if (byte === QUOTE) {
      next = endOfString(data, next, end) - 1;
      if (next < 0) return -1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return next + 1;
    }
  }
  return -1;
}
