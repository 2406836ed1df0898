import {
  escapeForTerminal,
  exitCodeOf,
  isSallyportError,
  type JsonValue,
  jsonForTerminal,
  remedyOf,
} from '../core/index.ts';

/** Where a command prints. Standard output carries the answer, standard error everything else. */
export interface Terminal {
  readonly json: boolean;
  out(text: string): void;
  err(text: string): void;
}

export const processTerminal = (json: boolean): Terminal => ({
  json,
  out: (text) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  },
  err: (text) => {
    process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  },
});

/** Prints an answer: as one JSON value, or as text for people. */
export function answer(terminal: Terminal, value: JsonValue, text: string): void {
  terminal.out(terminal.json ? jsonForTerminal(value) : text);
}

/** A stranger's text over several lines, safe to print: everything but line breaks and tabs is escaped. */
export const safeLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.split('\t').map(escapeForTerminal).join('\t'))
    .join('\n');

/** Tells the operator how the policy stands: on standard error, which is no part of an answer or of a protocol. */
export const noticeTo =
  (terminal: Terminal) =>
  (line: string): void =>
    terminal.err(`sallyport: ${safeLines(line)}`);

interface Problem {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly remedy?: string;
}

/** Says what went wrong and what to do next, and returns the exit code. */
export function reportError(terminal: Terminal, error: unknown): number {
  if (!isSallyportError(error)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(`sallyport: ${safeLines(message)}\nNext: ${remedyOf('INTERNAL')}`);
    return exitCodeOf('INTERNAL');
  }
  const { code, message, remedy, detail } = error;
  if (terminal.json) terminal.out(jsonForTerminal({ error: { code, message, remedy, detail } }));
  const problems = Array.isArray(detail['problems']) ? (detail['problems'] as readonly Problem[]) : [];
  const lines = problems.length > 0 ? problems.map(problemLine) : [safeLines(message)];
  terminal.err(`sallyport: ${lines.join('\n')}\nNext: ${remedy} (${code})`);
  return exitCodeOf(code);
}

function problemLine({ message, file, line, column, remedy }: Problem): string {
  const where = file === undefined ? '' : `${file}:${line ?? 1}:${column ?? 1}: `;
  return safeLines(`${where}${message}${remedy === undefined ? '' : `\n    ${remedy}`}`);
}
