import { canonicalJson, isJsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { ToolOutput } from '../gate/index.ts';

/** Texts that are looked into, in UTF-16 code units, all pieces together. */
const MAX_LOOKED_AT = 4_194_304;

/**
 * `content` and `structuredContent` of a result must say the same: a program reads one and the model the other. Every text
 * that is a JSON object, or an array, must be equal to what is structured (MCP 2025-11-25, tools, structured content); prose
 * cannot be compared and stays. ATTACKER-CONTROLLED: both.
 *
 * @throws SallyportError RESULT_MALFORMED
 */
export function checkAgreement({ content, structuredContent }: ToolOutput): void {
  if (structuredContent === undefined || !Array.isArray(content)) return;
  const wanted = canonicalJson(structuredContent);
  let looked = 0;
  for (const piece of content as readonly unknown[]) {
    const text = isJsonObject(piece) && piece['type'] === 'text' ? piece['text'] : null;
    if (typeof text !== 'string' || !/^\s*[[{]/.test(text)) continue;
    looked += text.length;
    if (looked > MAX_LOOKED_AT) throw new SallyportError('RESULT_TOO_LARGE', 'the result has too much text to compare');
    const value = readJson(text);
    if (value === undefined || sameAs(value, wanted)) continue;
    throw new SallyportError('RESULT_MALFORMED', 'the text of the result and its structured form do not agree');
  }
}

function readJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined; // prose that begins with a bracket
  }
}

/** The structured form must be an object, so that SDKs wrap what is none, and some wrap all: `{ result: … }`. */
function sameAs(value: JsonValue, wanted: string): boolean {
  const text = canonicalJson(value);
  if (text === wanted) return true;
  const wrapped = /^\{"[A-Za-z]{1,32}":(.*)\}$/s.exec(wanted)?.[1];
  return wrapped === text;
}
