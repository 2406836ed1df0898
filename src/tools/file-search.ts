import type { JsonObject, Limits } from '../core/index.ts';
import type { Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { answer, LineBuffer, pathOf, refusal, textBudget } from './answer.ts';
import { compileNameGlob } from './name-glob.ts';
import { notesOf, type Search, searchBelow } from './search-files.ts';
import { compileMatcher } from './search-text.ts';
import { limitsOf, type ToolOptions } from './tool-options.ts';

const DEFAULT_MATCHES = 100;

const schemaOf = ({ patternBytes, searchMatches }: Limits): JsonObject => ({
  type: 'object',
  properties: {
    pattern: { type: 'string', minLength: 1, maxLength: patternBytes, description: 'What a line has to contain.' },
    path: {
      type: 'string',
      default: '.',
      description: 'Folder or file, relative to the workspace. Default: the workspace.',
    },
    regex: {
      type: 'boolean',
      description: 'The pattern is a regular expression (no look-around, no back references).',
    },
    glob: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      description: 'Only files that match, e.g. "*.ts" or "src/**/*.{ts,tsx}".',
    },
    maxMatches: { type: 'integer', minimum: 1, maximum: searchMatches, description: `Default ${DEFAULT_MATCHES}.` },
  },
  required: ['pattern'],
  additionalProperties: false,
});

/** The tool `file_search`: lines of files, as far as the rule `file_search` of the policy allows each file. */
export function fileSearch(options: ToolOptions = {}): Tool {
  const limits = limitsOf(options);
  return {
    name: 'file_search',
    title: 'Search in files',
    description:
      'Finds lines of text files of the workspace, as "path:line: text". Letter case counts. Not searched: binary and very large files, symbolic links, .git and node_modules (unless path names them), and what the policy withholds.',
    schema: schemaOf(limits),
    paths: { path: 'file_read' },
    runs: 'built-in',
    effect: 'read',
    execute: (args, context) => prepare(args, context, limits),
  };
}

async function prepare(args: JsonObject, context: ToolContext, limits: Limits): Promise<ToolOutput> {
  const { pattern, glob, maxMatches } = args;
  if (typeof pattern !== 'string' || /[\r\n]/.test(pattern))
    return refusal('A pattern is matched with one line at a time.');
  const accepts = typeof glob === 'string' ? compileNameGlob(glob) : (): boolean => true;
  if (accepts === null) return refusal('The glob has too many alternatives in braces.');
  const search: Search = {
    matcher: compileMatcher(pattern, args['regex'] === true),
    signal: context.signal,
    maxMatches: Math.min(limits.searchMatches, typeof maxMatches === 'number' ? maxMatches : DEFAULT_MATCHES),
    maxFileBytes: limits.fileReadBytes,
    lines: new LineBuffer(textBudget(limits.resultTextBytes)),
    tally: { entries: 0, files: 0, bytes: 0, steps: 0, binary: 0, large: 0, unreadable: 0, stop: null },
  };
  await searchBelow(pathOf(context), search, { accepts, maxFiles: limits.searchFiles });
  return answer(search.lines.toString(), notesOf(search));
}
