import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson, SallyportError } from '../core/index.ts';
import type { Tool } from '../gate/index.ts';
import { builtInTools } from '../tools/index.ts';
import { readText } from './case-file.ts';

/** Nothing of a case is ever executed. */
export const notExecuted = (): Promise<string> =>
  Promise.reject(new SallyportError('INTERNAL', 'a tool of a case cannot be executed'));

/**
 * The tools that calls of cases are made to: the built-in ones, and those of a file with definitions as MCP lists them
 * (`{"tools": [{"name", "inputSchema"}]}`). A definition of a built-in tool replaces its schema.
 *
 * @throws SallyportError CASES_INVALID
 */
export function toolsOfCases(file: string | undefined): readonly Tool[] {
  const builtIn = new Map(builtInTools().map((tool) => [tool.name, { ...tool, execute: notExecuted }]));
  const defined = file === undefined ? [] : readDefinitions(file);
  const tools = new Map<string, Tool>(builtIn);
  for (const { name, schema } of defined) {
    const own = builtIn.get(name);
    tools.set(name, own === undefined ? foreign(name, schema) : { ...own, schema });
  }
  return [...tools.values()];
}

function foreign(name: string, schema: JsonObject): Tool {
  const server = /^mcp__([a-z0-9-]{1,20})__/.exec(name)?.[1];
  return { name, schema, execute: notExecuted, runs: 'spawned', ...(server === undefined ? {} : { server }) };
}

interface Definition {
  readonly name: string;
  readonly schema: JsonObject;
}

function readDefinitions(file: string): Definition[] {
  const value = parseFile(file);
  const list = isJsonObject(value) ? value['tools'] : value;
  if (!Array.isArray(list)) throw new SallyportError('CASES_INVALID', `${file}: has no list of tools`);
  return list.map((tool, index) => {
    const schema = isJsonObject(tool) ? tool['inputSchema'] : undefined;
    const name = isJsonObject(tool) ? tool['name'] : undefined;
    if (typeof name === 'string' && isJsonObject(schema)) return { name, schema };
    throw new SallyportError('CASES_INVALID', `${file}: tool ${index} has no name or no inputSchema`);
  });
}

function parseFile(file: string): JsonValue {
  try {
    return parseStrictJson(readText(file));
  } catch (cause) {
    if (cause instanceof SallyportError && cause.code === 'CASES_INVALID') throw cause;
    throw new SallyportError('CASES_INVALID', `${file}: is not JSON`, { cause });
  }
}
