import { createGuard, type Finding, type Guard, type InspectOptions, type Verdict } from './inspect.ts';

/** How to clean the output of a tool. */
export interface SanitizeToolOutputOptions extends InspectOptions {
  /** Characters delivered at most; the mark that says so not counted. */
  readonly maxLength?: number;
  /** The guard to ask; the built-in rules if none is given. */
  readonly guard?: Guard;
}

/** What may be delivered of a tool's output, and what was found in all of it. */
export interface SanitizedToolOutput {
  readonly text: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** From 0 to 1; 0.5 and more is hostile. */
  readonly score: number;
}

/** Made with the first use, because programs that never use it should not pay; it never changes. */
const builtIn = once(createGuard);

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * Inspects all of a tool's output, then cuts what may be delivered to `maxLength` characters: nothing goes unread because it
 * stands behind the cut.
 *
 * @throws TypeError when `raw` is no text; RangeError when `maxLength` is no positive whole number
 * @example
 * sanitizeToolOutput('42 results', { maxLength: 8000 }).verdict; // 'pass'
 */
export function sanitizeToolOutput(raw: string, options: SanitizeToolOutputOptions = {}): SanitizedToolOutput {
  const { maxLength, guard = builtIn(), ...how } = options;
  if (typeof raw !== 'string') throw new TypeError('sanitizeToolOutput takes a text');
  if (maxLength !== undefined && !(Number.isSafeInteger(maxLength) && maxLength > 0)) {
    throw new RangeError('maxLength is a positive whole number of characters');
  }
  const inspection = guard.inspect(raw, how);
  return { ...inspection, text: maxLength === undefined ? inspection.text : cut(inspection.text, maxLength) };
}

function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  // Never half of a character that takes two units.
  const isHalf = /[\ud800-\udbff]/.test(text[maxLength - 1] ?? '');
  const kept = text.slice(0, isHalf ? maxLength - 1 : maxLength);
  return `${kept}\n[cut: ${text.length - kept.length} more characters; at most ${maxLength} are delivered]`;
}
