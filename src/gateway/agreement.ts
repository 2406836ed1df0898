import {
  canonicalJson,
  copyJson,
  isJsonObject,
  isSallyportError,
  type JsonValue,
  parseStrictJson,
  SallyportError,
} from '../core/index.ts';
import type { ToolOutput } from '../gate/index.ts';

/** Texts that are looked into, in UTF-16 code units, all pieces together. */
const MAX_LOOKED_AT = 4_194_304;
/** Largest structured form that is compared, in bytes; the gate holds what is delivered to its own limits. */
const MAX_STRUCTURED = 67_108_864;
/** Levels of nesting that are compared: those that the gate delivers. */
const MAX_DEPTH = 64;

/**
 * `content` and `structuredContent` of a result must say the same: a program reads one and the model the other. Every text
 * that is JSON must be equal to what is structured (MCP 2025-11-25, tools, structured content), also one in an embedded
 * resource of type JSON, and one that is cut over several pieces; prose cannot be compared and stays, and so does a text that is
 * the whole of what is structured. A structured form of
 * `result` alone is a value that is no object, wrapped as SDKs do: texts are compared with the value, simple values too, or
 * with its items one by one. ATTACKER-CONTROLLED: both.
 *
 * @throws SallyportError RESULT_MALFORMED, also for JSON that two readers could read differently; RESULT_TOO_LARGE
 */
export function checkAgreement({ content, structuredContent }: ToolOutput): void {
  if (structuredContent === undefined || !Array.isArray(content)) return;
  const structured = copyStructured(structuredContent);
  const pieces: readonly unknown[] = content;
  const [texts, embedded] = [pieces.flatMap(plainText), pieces.flatMap(embeddedJson)];
  const wrapped = wrappedValue(structured);
  const only = onlyValue(structured);
  const wanted = new Set([structured, ...(wrapped === undefined ? [] : [wrapped])].map(canonicalJson));
  const isEqual = (text: string): boolean => {
    if (text === wrapped || text === only) return true;
    const value = readJson(text, wrapped !== undefined);
    return value === undefined || wanted.has(canonicalJson(value));
  };
  const isItemized = Array.isArray(wrapped) && isItems(texts, wrapped);
  const compared = [...(isItemized ? [] : [...texts, ...joinedText(texts)]), ...embedded].filter(looksLikeJson);
  if (lengthOf(compared) > MAX_LOOKED_AT) {
    throw new SallyportError('RESULT_TOO_LARGE', 'the result has too much text to compare');
  }
  if (!compared.every(isEqual)) throw malformed('the text of the result and its structured form do not agree');
}

/** Several texts as one, for JSON that is cut. */
const joinedText = (texts: readonly string[]): string[] =>
  texts.length > 1 && /^[[{]/.test(visible(texts[0] ?? '')) ? [texts.join('')] : [];

const malformed = (message: string, cause?: unknown): SallyportError =>
  new SallyportError('RESULT_MALFORMED', message, { cause });

function copyStructured(structured: unknown): JsonValue {
  try {
    return copyJson(structured, { maxBytes: MAX_STRUCTURED, maxDepth: MAX_DEPTH });
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw malformed(`the structured form of the result cannot be compared: ${cause.message}`, cause);
  }
}

/** What `{ result: … }` wraps; undefined for any other form. */
const wrappedValue = (structured: JsonValue): JsonValue | undefined =>
  isJsonObject(structured) && Object.keys(structured).length === 1 ? structured['result'] : undefined;

/** The value of a structured form that has one member: a server of files sends a text as `{ content: text }`, JSON or not. */
const onlyValue = (structured: JsonValue): JsonValue | undefined => {
  const values = isJsonObject(structured) ? Object.values(structured) : [];
  return values.length === 1 ? values[0] : undefined;
};

const plainText = (piece: unknown): string[] =>
  isJsonObject(piece) && piece['type'] === 'text' && typeof piece['text'] === 'string' ? [piece['text']] : [];

/** The text of an embedded resource of JSON. */
function embeddedJson(piece: unknown): string[] {
  const resource = isJsonObject(piece) && piece['type'] === 'resource' ? piece['resource'] : null;
  if (!isJsonObject(resource)) return [];
  const { text, blob, mimeType } = resource;
  if (typeof mimeType !== 'string' || !JSON_TYPE.test(mimeType)) return [];
  if (typeof text === 'string') return [text];
  return typeof blob === 'string' ? [Buffer.from(blob, 'base64').toString('utf8')] : [];
}

const JSON_TYPE = /^\s*(?:application|text)\/(?:json|[^;\s]{1,64}\+json)\s*(?:;|$)/i;

/** Some SDKs write a list as a text for each of its items. */
const isItems = (texts: readonly string[], items: readonly JsonValue[]): boolean =>
  texts.length === items.length &&
  lengthOf(texts) <= MAX_LOOKED_AT &&
  texts.every((text, at) => isItem(text, items[at]));

function isItem(text: string, item: JsonValue | undefined): boolean {
  if (item === undefined || text === item) return item !== undefined;
  const value = readJson(text, true);
  return value !== undefined && canonicalJson(value) === canonicalJson(item);
}

const lengthOf = (texts: readonly string[]): number => texts.reduce((sum, { length }) => sum + length, 0);

/** Without what a reader skips before JSON, a byte order mark among it, and what the gate takes out later. */
const visible = (text: string): string => text.toWellFormed().replace(INVISIBLE, '').trim();
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

const SIMPLE = /^(?:true|false|null|-?\d[\d.eE+-]*|".*")$/s;
const looksLikeJson = (text: string): boolean => /^[[{]/.test(visible(text)) || SIMPLE.test(visible(text));

/** The value of a text, or undefined for prose; a simple value only where one can be meant. */
function readJson(text: string, isSimpleRead: boolean): JsonValue | undefined {
  const seen = visible(text);
  if (!/^[[{]/.test(seen) && !(isSimpleRead && SIMPLE.test(seen))) return undefined;
  return parse(text.toWellFormed().trim()) ?? parse(seen);
}

function parse(text: string): JsonValue | undefined {
  try {
    return parseStrictJson(text, { maxBytes: 4 * MAX_LOOKED_AT, maxDepth: MAX_DEPTH });
  } catch (cause) {
    if (isSallyportError(cause, 'INPUT_NOT_JSON')) return undefined; // prose that begins with a bracket
    throw malformed('the text of the result can be read in more than one way, or is nested too deeply', cause);
  }
}
