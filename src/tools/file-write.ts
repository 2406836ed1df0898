import { type JsonObject, type Limits, quoteForMessage, SallyportError } from '../core/index.ts';
import type { Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { answer, pathOf, refusal } from './answer.ts';
import { limitsOf, type ToolOptions } from './tool-options.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'The file, relative to the workspace. Missing folders are created.' },
    content: { type: 'string', description: 'The whole new content of the file.' },
    mode: {
      type: 'string',
      enum: ['create', 'overwrite'],
      description: 'create: fails if the file exists. overwrite (default): replaces or creates it.',
    },
  },
  required: ['path', 'content'],
  additionalProperties: false,
};

/** The tool `file_write`: a whole file, atomically. It is judged by the rule `file_write` of the policy. */
export function fileWrite(options: ToolOptions = {}): Tool {
  const limits = limitsOf(options);
  return {
    name: 'file_write',
    title: 'Write a file',
    description: 'Writes a whole text file of the workspace. Readers see the old content or the new, never a mixture.',
    schema: SCHEMA,
    paths: { path: 'file_write' },
    runs: 'built-in',
    effect: 'write',
    execute: (args, context) => write(args, context, limits),
  };
}

async function write(args: JsonObject, context: ToolContext, limits: Limits): Promise<ToolOutput> {
  const path = pathOf(context);
  const data = Buffer.from(typeof args['content'] === 'string' ? args['content'] : '');
  if (data.length > limits.fileWriteBytes) {
    throw new SallyportError('CONTENT_TOO_LARGE', `the content has more than ${limits.fileWriteBytes} bytes`);
  }
  const exists = path.kind !== 'missing';
  if (exists && args['mode'] === 'create') {
    return refusal(
      `${quoteForMessage(path.display)} exists already and was not changed: mode create only makes new files.`,
    );
  }
  context.signal.throwIfAborted();
  await path.replace(data);
  return answer(`${exists ? 'Replaced' : 'Created'} ${quoteForMessage(path.display)}, ${data.length} bytes.`);
}
