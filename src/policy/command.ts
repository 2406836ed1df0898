import type { JsonObject } from '../core/index.ts';
import { analyseCommandLine, type CommandLimits, type CommandLine, type CommandTrouble } from './shell/index.ts';

/** The tools that take a command line, and the argument that holds it. */
export const COMMAND_TOOLS: ReadonlyMap<string, string> = new Map([['shell', 'command']]);

/** What the command line of a call could do; `undefined` for a tool that takes none. ATTACKER-CONTROLLED: `args`. */
export function commandOf(
  tool: string,
  args: JsonObject,
  limits: Partial<CommandLimits> = {},
): CommandLine | CommandTrouble | undefined {
  const name = COMMAND_TOOLS.get(tool);
  if (name === undefined) return undefined;
  const line = args[name];
  if (typeof line !== 'string') return { trouble: 'COMMAND_MALFORMED', about: 'the call has no command line' };
  return analyseCommandLine(line, { limits });
}
