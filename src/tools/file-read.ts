import { type JsonObject, type Limits, quoteForMessage } from '../core/index.ts';
import type { OpenedPath, Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { answer, pathOf, textBudget } from './answer.ts';
import { decodeText } from './decode-text.ts';
import { type Lines, readLines } from './read-lines.ts';
import { limitsOf, type ToolOptions } from './tool-options.ts';

/** Lines given when the caller names no number. */
const DEFAULT_LINES = 2_000;

const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'The file, relative to the workspace.' },
    offset: { type: 'integer', minimum: 1, description: 'First line to read, from 1.' },
    limit: { type: 'integer', minimum: 1, description: `Number of lines. Default ${DEFAULT_LINES}.` },
  },
  required: ['path'],
  additionalProperties: false,
};

/** The tool `file_read`: lines of a text file. It is judged by the rule `file_read` of the policy. */
export function fileRead(options: ToolOptions = {}): Tool {
  const limits = limitsOf(options);
  return {
    name: 'file_read',
    title: 'Read a file',
    description:
      'Reads a text file of the workspace as it is, without line numbers. A long file is cut; a note then says how to go on. Binary files are not shown.',
    schema: SCHEMA,
    paths: { path: 'file_read' },
    runs: 'built-in',
    effect: 'read',
    execute: (args, context) => read(args, context, limits),
  };
}

async function read(args: JsonObject, context: ToolContext, limits: Limits): Promise<ToolOutput> {
  const path = pathOf(context);
  const offset = typeof args['offset'] === 'number' ? args['offset'] : 1;
  const limit = typeof args['limit'] === 'number' ? args['limit'] : DEFAULT_LINES;
  const maxBytes = Math.min(limits.fileReadBytes, textBudget(limits.resultTextBytes));
  const file = await path.openFile();
  try {
    const { size } = await file.stat();
    const lines = await readLines(file, size, { offset, limit, maxBytes, signal: context.signal });
    return describe(path, { size, offset, maxBytes }, lines);
  } finally {
    await file.close();
  }
}

interface Asked {
  readonly size: number;
  readonly offset: number;
  readonly maxBytes: number;
}

function describe(path: OpenedPath, { size, offset, maxBytes }: Asked, lines: Lines): ToolOutput {
  const decoded = decodeText(lines.bytes);
  // Bytes that are no UTF-8 grow when they are replaced: a text that then does not fit any more is none.
  if (decoded === null || Buffer.byteLength(decoded.text) > maxBytes) {
    return answer('', [`${quoteForMessage(path.display)} is a binary file of ${size} bytes and is not shown.`]);
  }
  const notes = [...endNotes(lines, size, offset)];
  if (!decoded.exact)
    notes.push('Bytes that are not UTF-8 stand as U+FFFD: writing this text back would change the file.');
  return answer(decoded.text, notes);
}

function endNotes({ stop, count, skipped, bytes }: Lines, size: number, offset: number): string[] {
  if (size === 0) return ['The file is empty.'];
  if (stop === 'scan') return [`Line ${offset} lies too far inside a file of ${size} bytes to be looked for.`];
  if (bytes.length === 0) return [`The file has ${skipped} complete lines: there is no line ${offset}.`];
  if (stop === 'end') return [];
  if (count === 0) return [`Line ${offset} is cut: it is longer than ${bytes.length} bytes.`];
  const next = offset + count;
  return [`Lines ${offset} to ${next - 1} of a file of ${size} bytes. Go on with offset ${next}.`];
}
