import { compileLinearPattern } from '../core/index.ts';

/** Whether a line matches; the text of one line, without its newline. */
export interface LineMatcher {
  /** False if no line of the text can match: a quick look before it is cut into lines. */
  mayMatch(text: string): boolean;
  /** Where the match begins, or null; 0 where the engine does not say. */
  find(line: string): number | null;
  /** Steps per character, to know when to let others have their turn. */
  readonly cost: number;
}

/** Characters of a line that a regular expression is tried on. */
const REGEX_LINE = 4_000;

/** @throws SallyportError SCHEMA_INVALID for a regular expression that the linear engine cannot run */
export function compileMatcher(pattern: string, regex: boolean): LineMatcher {
  if (regex) {
    const compiled = compileLinearPattern(pattern);
    return {
      cost: compiled.size,
      mayMatch: () => true,
      find: (line) => (compiled.test(line.slice(0, REGEX_LINE)) ? 0 : null),
    };
  }
  return {
    cost: 1,
    mayMatch: (text) => text.includes(pattern),
    find: (line) => {
      const at = line.indexOf(pattern);
      return at < 0 ? null : at;
    },
  };
}

/** Characters of a matching line that are shown. */
const EXCERPT = 300;

/** The part of a line around a match. */
export function excerptOf(line: string, at: number): string {
  if (line.length <= EXCERPT) return line;
  const start = Math.max(0, Math.min(at - EXCERPT / 3, line.length - EXCERPT));
  const cut = line.slice(start, start + EXCERPT).toWellFormed();
  return `${start > 0 ? '…' : ''}${cut}${start + EXCERPT < line.length ? '…' : ''}`;
}
