import { escapeForTerminal, type JsonValue } from '../core/index.ts';

/** Lines of one value that a page shows. */
const VALUE_LINES = 400;
/** Characters of one line that a page shows. */
const LINE_CHARACTERS = 1_000;

/**
 * A stranger's text on one line of ours: control, bidirectional and invisible characters as visible escapes, capped.
 * ATTACKER-CONTROLLED: every string of a record passes through here before it is printed.
 */
export function safeText(text: string, maxCharacters: number = LINE_CHARACTERS): string {
  const capped = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return escapeForTerminal(capped);
}

/**
 * A JSON value as indented lines: one key a line, texts of several lines with a bar before each, so that no line of a
 * stranger can be taken for a line of the page.
 */
export function renderValue(value: JsonValue, indent = ''): string[] {
  const lines = linesOf(value, indent);
  if (lines.length <= VALUE_LINES) return lines;
  return [...lines.slice(0, VALUE_LINES), `${indent}… ${lines.length - VALUE_LINES} more lines`];
}

function linesOf(value: JsonValue, indent: string): string[] {
  if (isScalar(value)) return [`${indent}${scalar(value)}`];
  if (typeof value === 'string') return textLines(value, indent);
  if (Array.isArray(value)) return value.flatMap((item: JsonValue) => memberLines('-', item, indent));
  return Object.entries(value ?? {}).flatMap(([key, child]) => memberLines(`${safeText(key, 100)}:`, child, indent));
}

function memberLines(label: string, value: JsonValue, indent: string): string[] {
  return isScalar(value)
    ? [`${indent}${label} ${scalar(value)}`]
    : [`${indent}${label}`, ...linesOf(value, `${indent}  `)];
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** True for what fits behind its label. */
const isScalar = (value: JsonValue): boolean =>
  typeof value === 'string' ? !value.includes('\n') : typeof value !== 'object' || value === null || isEmpty(value);

const scalar = (value: JsonValue): string => safeText(JSON.stringify(value));

const textLines = (text: string, indent: string): string[] =>
  text.split('\n', VALUE_LINES + 1).map((line) => `${indent}| ${safeText(line)}`);
