import { type JsonObject, type Limits, SallyportError } from '../core/index.ts';
import type { Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { answer, textBudget } from './answer.ts';
import { decodeText } from './decode-text.ts';
import { type CapturedOutput, followCommand, type RanCommand } from './run-command.ts';
import { limitsOf, type ToolOptions } from './tool-options.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    command: { type: 'string', description: 'One command line of bash.' },
    cwd: { type: 'string', description: 'Folder to start in, relative to the workspace.' },
    timeoutMs: { type: 'integer', minimum: 1, description: 'Milliseconds until it is stopped.' },
  },
  required: ['command'],
  additionalProperties: false,
};

/**
 * The tool `shell`: one command line. It is judged by the rule `shell`; what was judged is what runs: one simple command
 * without a shell, everything else by `bash --noprofile --norc`, in both cases with a built environment. It spawns, so the
 * policy must state an isolation for it.
 */
export function shell(options: ToolOptions = {}): Tool {
  const limits = limitsOf(options);
  return {
    name: 'shell',
    title: 'Run a command',
    description:
      'Runs one command line in the workspace and returns what it prints. Every command in it must be allowed. There is no terminal and no input, and nothing stays behind in the background.',
    schema: SCHEMA,
    runs: 'spawned',
    effect: 'destroy',
    execute: (args, context) => run(args, context, limits),
  };
}

async function run({ timeoutMs }: JsonObject, context: ToolContext, limits: Limits): Promise<ToolOutput> {
  const { start, run: planned, signal } = context;
  if (start === undefined || planned === undefined)
    throw new SallyportError('INTERNAL', 'the gate planned no command for this call');
  const ran = await followCommand(await start({}), {
    outputBytes: Math.floor(textBudget(limits.resultTextBytes) / 4),
    timeoutMs: typeof timeoutMs === 'number' ? Math.min(timeoutMs, MAX_TIMEOUT_MS) : null,
    signal,
  });
  return describe(ran, timeoutMs);
}

/** Longest time that a timer can wait for. */
const MAX_TIMEOUT_MS = 2_147_483_647;

function describe(ran: RanCommand, timeoutMs: unknown): ToolOutput {
  const notes = [ending(ran, timeoutMs), note('stdout', ran.stdout), note('stderr', ran.stderr)].filter(
    (text) => text !== '',
  );
  const errors = textOf(ran.stderr);
  const { content } = answer(textOf(ran.stdout), notes);
  const [output, ...rest] = content;
  const pieces =
    output === undefined || errors === '' ? content : [output, { type: 'text' as const, text: errors }, ...rest];
  return { content: pieces, isError: ran.status !== 0 };
}

function ending({ status, signal, timedOut, limit }: RanCommand, timeoutMs: unknown): string {
  if (limit !== null) return `Ended by the limit of ${limit}.`;
  if (timedOut) return `Stopped after ${String(timeoutMs)} ms.`;
  return status === null ? `Ended by ${signal ?? 'a signal'}.` : `Exit status ${status}.`;
}

const textOf = ({ bytes }: CapturedOutput): string => decodeText(bytes)?.text ?? '';

function note(name: string, { bytes, dropped }: CapturedOutput): string {
  if (decodeText(bytes) === null) return `${name} is not text (${bytes.length + dropped} bytes) and is not shown.`;
  return dropped === 0 ? '' : `${name} is cut: ${dropped} more bytes.`;
}
