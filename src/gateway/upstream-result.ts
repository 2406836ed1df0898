import { isJsonObject, SallyportError } from '../core/index.ts';
import type { ToolOutput } from '../gate/index.ts';

/**
 * A result of `tools/call` as the output of a tool. ATTACKER-CONTROLLED: all of it; the gate copies it, bounds it and keeps
 * the known kinds of content with their known fields, as it does with the output of every tool.
 *
 * @throws SallyportError RESULT_MALFORMED
 */
export function callOutput(raw: unknown): ToolOutput {
  if (!isJsonObject(raw)) throw new SallyportError('RESULT_MALFORMED', "the server's result is no object");
  if (raw['resultType'] === 'input_required') {
    const text = 'the server asks for input from the user, which this gateway does not pass on';
    throw new SallyportError('RESULT_MALFORMED', text);
  }
  return raw as unknown as ToolOutput; // what a tool returns is read as unknown by the gate, whatever its type says
}

/** Code of MCP 2026-07-28 for a client that cannot be asked what the server needs to ask. */
export const MISSING_ABILITY = -32_021;

/** What a client of MCP can be asked for. */
export const ABILITIES: readonly string[] = ['sampling', 'elicitation', 'roots'];

/** The abilities that an error of a server names. ATTACKER-CONTROLLED: `data`. */
export function missingAbility(data: unknown): SallyportError {
  const { requiredCapabilities } = isJsonObject(data) ? data : {};
  const named = ABILITIES.filter(
    (name) => isJsonObject(requiredCapabilities) && Object.hasOwn(requiredCapabilities, name),
  );
  return new SallyportError('CLIENT_ABILITY_MISSING', `the server needs a client that offers: ${named.join(', ')}`);
}

/** Characters of a server's own error message that are passed on. */
const ERROR_CHARACTERS = 4_000;

/** An error that a server answered with, as the output of its tool: its words are content, and cross the gate as such. */
export function errorOutput(code: number, message: string): ToolOutput {
  const words = message.slice(0, ERROR_CHARACTERS).toWellFormed();
  return { content: [{ type: 'text', text: `The server answered with error ${code}: ${words}` }], isError: true };
}
