const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/**
 * Makes a text safe to print: control characters (and so terminal escapes and line breaks), bidirectional controls and
 * invisible characters become visible `\u{…}` escapes. Everything else stays.
 * @example
 * escapeForTerminal('a\u001b[31mb'); // 'a\\u{1b}[31mb'
 */
export const escapeForTerminal = (text: string): string =>
  text.toWellFormed().replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** The text quoted, escaped and capped to `maxCharacters`: how a stranger's text stands in a message of ours. */
export function quoteForMessage(text: string, maxCharacters = 120): string {
  const capped = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return `"${escapeForTerminal(capped).replaceAll('"', '\\"')}"`;
}

/** A JSON value as text that is safe to print: what `escapeForTerminal` escapes stands as `\\uXXXX`, as JSON allows. */
export const jsonForTerminal = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
