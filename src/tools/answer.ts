import { SallyportError } from '../core/index.ts';
import type { OpenedPath, ToolContext, ToolOutput } from '../gate/index.ts';

/** Bytes kept free of a result's limit for what we say about it. */
const NOTE_BYTES = 4_096;

/** Bytes of text that a tool may fill, so that its notes still fit. */
export const textBudget = (resultTextBytes: number): number => Math.max(1, resultTextBytes - NOTE_BYTES);

/**
 * A result whose first piece is data and whose second, if any, is ours: what the data says cannot be mistaken for a note.
 */
export const answer = (text: string, notes: readonly string[] = []): ToolOutput => ({
  content: [text, ...(notes.length === 0 ? [] : [notes.join(' ')])].map((piece) => ({ type: 'text', text: piece })),
});

/** The tool ran and says that it did nothing, and why. */
export const refusal = (text: string): ToolOutput => ({ content: [{ type: 'text', text }], isError: true });

/** The object behind the argument `path`. The gate judges it, or its declared default, before a tool runs. */
export function pathOf(context: ToolContext): OpenedPath {
  const path = context.paths['path'];
  if (path === undefined) throw new SallyportError('INTERNAL', 'the gate opened no path for this call');
  return path;
}

/** Lines as long as they fit into a number of bytes. */
export class LineBuffer {
  readonly #lines: string[] = [];
  #left: number;

  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  get count(): number {
    return this.#lines.length;
  }

  /** False, and nothing added, if the line does not fit. */
  add(line: string): boolean {
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    this.#lines.push(line);
    return true;
  }

  toString(): string {
    return this.#lines.join('\n');
  }
}
