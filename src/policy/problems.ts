import { escapeForTerminal, SallyportError } from '../core/index.ts';
import type { PolicyProblem } from './policy.ts';

/** Where things stand in the text of a policy; an object has no text, and no places. */
export interface PlaceFinder {
  readonly file: string;
  /** Line and column, from 1, of the key or the value at a JSON Pointer, or of what is nearest to it. */
  find(pointer: string, part: 'key' | 'value'): { readonly line: number; readonly column: number };
}

export interface ProblemDraft {
  readonly pointer: string;
  readonly part: 'key' | 'value';
  readonly message: string;
  readonly remedy: string;
}

/** A problem at its place. */
export const locate = (places: PlaceFinder, draft: ProblemDraft): PolicyProblem =>
  Object.freeze({
    message: draft.message,
    file: places.file,
    ...places.find(draft.pointer, draft.part),
    remedy: draft.remedy,
    pointer: draft.pointer,
  });

/** One line for people: `file:line:column: message`. */
export function describeProblem(problem: PolicyProblem): string {
  const file = escapeForTerminal(problem.file);
  const place =
    problem.line === 0
      ? `${file}: ${escapeForTerminal(problem.pointer) || '/'}`
      : `${file}:${problem.line}:${problem.column}`;
  return `${place}: ${problem.message}`;
}

/**
 * Ends the reading of a policy that has problems.
 * @throws SallyportError POLICY_INVALID; the message names the first, `detail.problems` holds all
 */
export function refusePolicy(problems: readonly PolicyProblem[]): never {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const first = sorted[0];
  const more = sorted.length > 1 ? ` (and ${sorted.length - 1} more)` : '';
  const message = first === undefined ? 'the policy is not valid' : describeProblem(first) + more;
  throw new SallyportError('POLICY_INVALID', message, { detail: { problems: Object.freeze(sorted) } });
}
