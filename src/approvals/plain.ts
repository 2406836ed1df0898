import { escapeForTerminal } from '../core/index.ts';

/**
 * Characters that are drawn as nothing or as a blank, or on top of their neighbour, and that `escapeForTerminal` lets pass:
 * blanks other than U+0020, blank letters and patterns, marks that combine, and what is not assigned.
 */
const DECEPTIVE = /[\p{Zs}\u2800\u3164\uffa0\u115f\u1160\u180e\p{Mn}\p{Me}\p{Cn}\ufff9-\ufffb]/gu;
/** What begins markup where somebody sets the text as markup by mistake: HTML, Markdown, mentions and links of chat systems. */
const MARKUP = /[<>&`*_~|@[\]]/g;

/**
 * A stranger's text as it may stand on any screen: one line, no escapes, nothing invisible, no direction changes; letters that
 * are not ASCII stay, behind a mark that says so, since some of them look like others.
 */
export function plain(text: string): string {
  const safe = escapeForTerminal(text).replace(DECEPTIVE, (character) =>
    character === ' ' ? ' ' : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return isAscii(safe) ? safe : `⟦not ASCII⟧ ${safe}`;
}

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;

/** As {@link plain}, quoted and capped to 120 characters. */
export function quoted(text: string): string {
  const capped = text.length > 120 ? `${text.slice(0, 120).toWellFormed()}…` : text;
  return `"${plain(capped).replaceAll('"', '\\"')}"`;
}

/** As text for systems that take text for markup (chat, HTML): every character that could begin markup as `\u{…}`. */
export const withoutMarkup = (plainText: string): string =>
  plainText.replace(MARKUP, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
