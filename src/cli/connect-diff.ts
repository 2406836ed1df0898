import { withoutTokens } from './host-entry.ts';
import { safeLines } from './output.ts';

/**
 * The lines that differ, with `-` and `+`, without a line around them: the file may hold secrets of others. In a file of one
 * long line only the characters that differ are shown. Tokens of ours are left out, control characters escaped.
 */
export function changedLines(before: string, after: string): string {
  let start = commonStart(before, after);
  let end = commonEnd(before, after, start);
  const line = before.slice(0, start).split('\n').length;
  const newline = before.lastIndexOf('\n', start - 1) + 1;
  if (start - newline < 80) start = Math.min(newline, start);
  const cut = after.length - end;
  const next = after.indexOf('\n', cut);
  if (next !== -1 && next - cut < 80) end = after.length - next;
  const removed = before.slice(start, before.length - end);
  const added = after.slice(start, after.length - end);
  const lines = [`@@ line ${line} @@`, ...marked('-', removed), ...marked('+', added)];
  return safeLines(withoutTokens(lines.join('\n')));
}

const marked = (sign: string, text: string): string[] =>
  text === ''
    ? []
    : text
        .replace(/\r?\n$/, '')
        .split(/\r?\n/)
        .map((line) => `${sign} ${line}`);

function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  return at;
}

function commonEnd(a: string, b: string, start: number): number {
  let length = 0;
  while (
    length < a.length - start &&
    length < b.length - start &&
    a[a.length - 1 - length] === b[b.length - 1 - length]
  )
    length += 1;
  return length;
}
