import { isSallyportError, type JsonObject, type LinearPattern, quoteForMessage } from '../core/index.ts';
import { COMMAND_TOOLS } from './command.ts';
import type { PolicyEntry, ToolRule } from './policy.ts';
import { checkEntries, type RulePlace, readEntries } from './read-entries.ts';
import { addProblem } from './reading.ts';
import { compileDeniedPattern, warningsForPattern } from './shell/index.ts';

/** Reads and checks `allowedCommands` and `deniedPatterns` of a rule. */
export function readCommands(
  place: RulePlace,
  name: string,
  value: JsonObject,
): Pick<ToolRule, 'allowedCommands' | 'deniedPatterns'> {
  const allowedCommands = readEntries(place, value, 'allowedCommands');
  const deniedPatterns = readEntries(place, value, 'deniedPatterns') ?? [];
  refuseElsewhere(place, name, value);
  checkEntries(place, 'allowedCommands', allowedCommands ?? [], troubleInCommand);
  checkEntries(place, 'deniedPatterns', deniedPatterns, troubleInPattern);
  warnAboutPatterns(place, deniedPatterns);
  checkReachable(place, allowedCommands ?? [], deniedPatterns);
  return { allowedCommands, deniedPatterns };
}

/** The limit would silently not hold: nothing says which argument of another tool is a command line. */
function refuseElsewhere({ reading, pointer }: RulePlace, name: string, value: JsonObject): void {
  if (COMMAND_TOOLS.has(name)) return;
  for (const key of ['allowedCommands', 'deniedPatterns']) {
    if (value[key] === undefined) continue;
    addProblem(reading, `${pointer}/${key}`, `${key} judges the tool shell only`, 'Move it to the rule shell', 'key');
  }
}

export function troubleInCommand(text: string): string | null {
  if (text.trim() === '') return 'it names no command';
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) return 'it holds a control character';
  return /["'`$;&|<>(){}\\]/.test(text.replace(/^\[$/, ''))
    ? 'words stand here plainly, without the characters of a shell'
    : null;
}

function troubleInPattern(text: string): string | null {
  const pattern = compile(text);
  return typeof pattern === 'string' ? pattern : null;
}

/** The pattern, or what is wrong with it. */
function compile(text: string): LinearPattern | string {
  try {
    return compileDeniedPattern(text);
  } catch (error) {
    if (!isSallyportError(error, 'SCHEMA_INVALID')) throw error;
    return error.message;
  }
}

function warnAboutPatterns({ reading, pointer }: RulePlace, patterns: readonly PolicyEntry[]): void {
  for (const [index, { text }] of patterns.entries()) {
    for (const warning of warningsForPattern(text)) {
      const message = `the pattern ${quoteForMessage(text, 80)}: ${warning}`;
      reading.warnings.push({
        pointer: `${pointer}/deniedPatterns/${index}`,
        part: 'value',
        message,
        remedy: 'Check what is meant',
      });
    }
  }
}

/** An entry whose every command some pattern denies is a mistake in one of the two lists. */
function checkReachable(
  { reading, pointer }: RulePlace,
  allowed: readonly PolicyEntry[],
  denied: readonly PolicyEntry[],
): void {
  const patterns = denied.flatMap(({ text, rule }) => {
    const pattern = compile(text);
    return typeof pattern === 'string' ? [] : [{ pattern, rule }];
  });
  for (const [index, { text }] of allowed.entries()) {
    const words = text.trim().split(/\s+/).join(' ');
    const hit = patterns.find(({ pattern }) => pattern.test(words) && pattern.test(`${words} x`));
    if (hit === undefined) continue;
    const message = `${quoteForMessage(text, 80)} can never be used: ${hit.rule.id} denies all of it`;
    addProblem(reading, `${pointer}/allowedCommands/${index}`, message, 'Remove the entry, or narrow the pattern');
  }
}
