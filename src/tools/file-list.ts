import { type JsonObject, type Limits, quoteForMessage } from '../core/index.ts';
import type { OpenedPath, Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { answer, LineBuffer, pathOf, textBudget } from './answer.ts';
import { limitsOf, type ToolOptions } from './tool-options.ts';
import { walkFolder } from './walk-folder.ts';

const MAX_DEPTH = 10;

const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      default: '.',
      description: 'The folder, relative to the workspace. Default: the workspace.',
    },
    depth: { type: 'integer', minimum: 1, maximum: MAX_DEPTH, description: 'Levels to show. Default 1.' },
  },
  additionalProperties: false,
};

/** The tool `file_list`: what a folder holds, as far as the rule `file_list` of the policy allows each entry. */
export function fileList(options: ToolOptions = {}): Tool {
  const limits = limitsOf(options);
  return {
    name: 'file_list',
    title: 'List a folder',
    description:
      'Lists the entries of a folder of the workspace: folders end in "/", symbolic links show where they lead and are not entered. Entries that the policy withholds are left out.',
    schema: SCHEMA,
    paths: { path: 'file_read' },
    runs: 'built-in',
    effect: 'read',
    execute: (args, context) => list(args, context, limits),
  };
}

async function list(args: JsonObject, context: ToolContext, limits: Limits): Promise<ToolOutput> {
  const depth = typeof args['depth'] === 'number' ? args['depth'] : 1;
  const lines = new LineBuffer(textBudget(limits.resultTextBytes));
  const notes: string[] = [];
  const onIncomplete = (folder: OpenedPath): void => {
    if (notes.length < 5) notes.push(`${quoteForMessage(folder.display)} is not shown whole.`);
  };
  for await (const entry of walkFolder(pathOf(context), { depth, signal: context.signal, onIncomplete })) {
    if (lines.count < limits.listEntries && lines.add(lineOf(entry))) continue;
    notes.push(`Cut after ${lines.count} entries: list a folder further down, or fewer levels.`);
    break;
  }
  return answer(lines.toString(), lines.count === 0 && notes.length === 0 ? ['Nothing to show here.'] : notes);
}

const lineOf = ({ display, kind, linkedTo }: OpenedPath): string => {
  const slash = kind === 'folder' ? '/' : '';
  if (linkedTo === null) return `${display}${slash}`;
  return `${display} -> ${linkedTo}${slash}${kind === 'missing' ? ' (missing)' : ''}`;
};
