import { isJsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Content, ToolOutput } from './tool.ts';

/**
 * Cuts a result to `maxLength` characters, counted over every string in its content that a model may read, with one mark that
 * says so; what follows the mark is dropped. A structured result is held against the same length and never cut: it fails.
 *
 * @throws SallyportError RESULT_TOO_LARGE
 */
export function cutOutput(output: ToolOutput, maxLength: number | null): ToolOutput {
  if (maxLength === null) return output;
  if (output.structuredContent !== undefined && JSON.stringify(output.structuredContent).length > maxLength) {
    throw new SallyportError(
      'RESULT_TOO_LARGE',
      `the structured result is longer than the ${maxLength} characters allowed`,
    );
  }
  let left = maxLength;
  for (const [index, piece] of output.content.entries()) {
    const length = readableLength(piece);
    if (length > left) return { ...output, content: cutAt(output.content, index, left, maxLength) };
    left -= length;
  }
  return output;
}

/** Characters of the strings of a piece, but for binary data, which has a limit of its own. */
function readableLength(piece: JsonValue | Content): number {
  if (typeof piece === 'string') return piece.length;
  if (!isJsonObject(piece)) return 0;
  let sum = 0;
  for (const [key, value] of Object.entries(piece)) {
    if (key !== 'type' && key !== 'data' && key !== 'blob') sum += readableLength(value);
  }
  return sum;
}

function cutAt(content: readonly Content[], index: number, left: number, maxLength: number): Content[] {
  const kept = content.slice(0, index);
  const piece = content[index];
  const text = piece?.type === 'text' ? piece.text.slice(0, left).replace(/[\ud800-\udbff]$/, '') : '';
  const total = content.reduce((sum, each) => sum + readableLength(each), 0);
  const mark = `[cut by policy: ${total - (maxLength - left) - text.length} more characters; at most ${maxLength} are delivered]`;
  return [...kept, { type: 'text', text: text === '' ? mark : `${text}\n${mark}` }];
}
