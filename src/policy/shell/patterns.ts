import { compileLinearPattern, isSallyportError, type LinearPattern } from '../../core/index.ts';
import type { SimpleCommand } from './command-line.ts';
import type { Word } from './word.ts';

/** Stands for a word that is text for a person: no pattern of ours or of a policy names it. */
const DATA_WORD = '\ufffc';

/**
 * A denied pattern, matched at the start of a command (C6).
 * @throws SallyportError SCHEMA_INVALID
 */
export function compileDeniedPattern(source: string): LinearPattern {
  // Alone first: a source that only compiles between our brackets could close them.
  compileLinearPattern(source);
  return compileLinearPattern(`^(?:${source})`);
}

/** Things to know about a pattern that probably means something else than its author thinks. */
export function warningsForPattern(source: string): readonly string[] {
  const warnings: string[] = [];
  if (/(?:^|[^\\])\|/.test(source.replace(/\([^()]*\)|\[[^\]]*\]/g, ''))) {
    warnings.push('its alternatives each start at the command word');
  }
  if (source.endsWith(' ')) warnings.push('it ends with a space: the command without arguments does not match');
  return warnings;
}

const textOf = (words: readonly Word[]): string => words.map((word) => (word.data ? DATA_WORD : word.text)).join(' ');

/** The texts that patterns search: as written, without global options, and with everything in full. */
export const searchedTexts = (command: SimpleCommand): readonly string[] => [
  ...new Set([textOf(command.words), textOf(command.stripped), textOf(command.canonical)]),
];

/** Number of the first pattern that matches one of the texts, or null; -1 when a text is too long to be searched. */
export function findPattern(patterns: readonly LinearPattern[], texts: readonly string[]): number | null {
  try {
    const found = patterns.findIndex((pattern) => texts.some((text) => pattern.test(text)));
    return found < 0 ? null : found;
  } catch (error) {
    if (isSallyportError(error, 'INPUT_TOO_LARGE')) return -1;
    throw error;
  }
}
