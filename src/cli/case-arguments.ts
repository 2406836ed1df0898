import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson, SallyportError } from '../core/index.ts';
import type { PolicyCase } from './case-file.ts';

/** Characters that one case may generate. */
const MOST_GENERATED = 16_777_216;

/**
 * The arguments of a case with its placeholders filled: those given, those of the raw JSON text in `$raw`, or generated ones.
 *
 * @throws SallyportError the code of raw text that cannot be read (a denial), CASES_INVALID for what cannot be generated
 */
export function argumentsOf({ call }: PolicyCase, fill: (text: string) => string): JsonValue {
  const { $raw: raw, $generate: wanted } = call;
  if (typeof raw === 'string') return parseStrictJson(fill(raw));
  const { $generate: _, ...given } = call;
  const filled: unknown = JSON.parse(fill(JSON.stringify(given)));
  return { ...(isJsonObject(filled) ? filled : {}), ...(wanted === undefined ? {} : generate(wanted, fill)) };
}

function generate(wanted: JsonValue, fill: (text: string) => string): JsonObject {
  if (!isJsonObject(wanted)) throw unknownGenerator();
  return Object.fromEntries(Object.entries(wanted).map(([name, how]) => [name, generateValue(how, fill)]));
}

function generateValue(how: JsonValue, fill: (text: string) => string): JsonValue {
  if (!isJsonObject(how)) throw unknownGenerator();
  const { prefix = '', repeat, times, suffix = '', depth } = how;
  if (typeof depth === 'number' && depth >= 0 && depth <= 100_000) return nested(depth);
  if (typeof repeat !== 'string' || typeof times !== 'number' || !(times >= 0)) throw unknownGenerator();
  if (typeof prefix !== 'string' || typeof suffix !== 'string') throw unknownGenerator();
  if (repeat.length * times > MOST_GENERATED) throw unknownGenerator();
  return `${fill(prefix)}${repeat.repeat(times)}${fill(suffix)}`;
}

function nested(depth: number): JsonValue {
  let value: JsonValue = {};
  for (let level = 1; level < depth; level++) value = { a: value };
  return value;
}

const unknownGenerator = (): SallyportError =>
  new SallyportError(
    'CASES_INVALID',
    '$generate: takes {ARGUMENT: {"repeat": TEXT, "times": N, "prefix"?, "suffix"?}} or {ARGUMENT: {"depth": N}}',
  );

/** Written as what the rest is relative to: `/`, `~`, a scheme, a drive or a backslash is not taken for a plain name. */
const PLAIN_RELATIVE = /^(?![~/\\])(?![A-Za-z][A-Za-z0-9+.-]*:)[^\\\0]+$/;

/**
 * The arguments as a caller in a folder below the project means them: the shell is told the folder, and relative paths of
 * other tools are written from the project.
 */
export function inFolder(
  args: JsonValue,
  cwd: string,
  { tool, paths }: { readonly tool: string; readonly paths: readonly string[] },
): JsonValue {
  if (cwd === '' || !isJsonObject(args)) return args;
  if (tool === 'shell') return { cwd, ...args };
  const moved = paths.flatMap((name): [string, string][] => {
    const value = args[name];
    return typeof value === 'string' && PLAIN_RELATIVE.test(value) ? [[name, `${cwd}/${value}`]] : [];
  });
  return { ...args, ...Object.fromEntries(moved) };
}
