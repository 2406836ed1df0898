import type { ParameterExpansionPart, Word as ParsedWord, WordPart } from 'unbash';
import { isConstant } from './arithmetic.ts';
import { hasControl, hasInvisible } from './characters.ts';
import { doubt, mayGoOn, type Walk } from './walk-state.ts';
import { type Word, type WordBuilder, type WordShape, wordBuilder } from './word.ts';

type Place = 'bare' | 'quotes' | 'regex';

/** What text that stays as it is cannot hold without a backslash: bash would have read something else in it. */
const MISSED: Readonly<Record<Place, RegExp>> = {
  bare: /[()<>;&|`]|\$[({]/,
  quotes: /`|\$[({]/,
  regex: /`|\$[({]|[<>]\(/,
};

/** The word after quote removal; what bash would run or compute in it is read on the way. ATTACKER-CONTROLLED. */
export function readWord(walk: Walk, parsed: ParsedWord, place: 'bare' | 'regex' = 'bare'): Word {
  const builder = wordBuilder();
  if (parsed.parts === undefined) {
    noteBare(walk, parsed.value);
    noteMissed(walk, parsed.text, place);
    builder.add(parsed.value, 'static', false);
  } else addParts(walk, parsed.parts, place, builder);
  return builder.finish(parsed.text !== parsed.value || parsed.parts?.some(isQuoted) === true);
}

const isQuoted = (part: WordPart): boolean =>
  part.type === 'SingleQuoted' ||
  part.type === 'DoubleQuoted' ||
  part.type === 'AnsiCQuoted' ||
  part.type === 'LocaleString';

/** Reads parts for what they run; the text of a here-document. */
export const readParts = (walk: Walk, parts: readonly WordPart[], place: Place): void =>
  addParts(walk, parts, place, wordBuilder());

function noteBare(walk: Walk, text: string): void {
  if (hasInvisible(text))
    doubt(walk, 'deny', 'COMMAND_MALFORMED', 'an invisible character or an exotic space stands outside quotes', text);
}

/** INVARIANT: what the parser takes for text is text. It takes `5>(id)` for some (unbash 6.0.4), and bash runs `id`. */
function noteMissed(walk: Walk, source: string, place: Place): void {
  if (!MISSED[place].test(source.replace(/\\[\s\S]/g, ''))) return;
  doubt(walk, 'deny', 'COMMAND_MALFORMED', 'a part of the line can be read in two ways', source);
}

function addParts(walk: Walk, parts: readonly WordPart[], place: Place, builder: WordBuilder): void {
  walk.depth += 1;
  if (mayGoOn(walk)) for (const part of parts) addPart(walk, part, place, builder);
  walk.depth -= 1;
}

function addPart(walk: Walk, part: WordPart, place: Place, builder: WordBuilder): void {
  const inQuotes = place === 'quotes';
  const add = (text: string, shape: WordShape): void => builder.add(text, shape, inQuotes);
  switch (part.type) {
    case 'Literal':
      if (!inQuotes) noteBare(walk, part.value);
      noteMissed(walk, part.text, place);
      add(part.value, 'static');
      break;
    case 'SingleQuoted':
      builder.add(part.value, 'static', true);
      break;
    case 'AnsiCQuoted':
      if (
        hasControl(part.value) ||
        !part.value.isWellFormed() ||
        /\\(?:0+|x0+|c@|u0+|U0+)(?![0-9A-Fa-f])/.test(part.text)
      ) {
        doubt(walk, 'deny', 'COMMAND_MALFORMED', 'a quoted value has a control character', part.value);
      }
      builder.add(part.value, 'static', true);
      break;
    case 'DoubleQuoted':
      addParts(walk, part.parts, 'quotes', builder);
      break;
    case 'LocaleString':
      doubt(walk, 'confirm', 'COMMAND_DYNAMIC', 'a text would be translated', part.text);
      addParts(walk, part.parts, 'quotes', builder);
      break;
    case 'Glob':
      readParts(walk, part.parts ?? [], place);
      noteBare(walk, part.text);
      add(part.value, 'glob');
      break;
    case 'BraceExpansion':
      if (part.parts === undefined) noteMissed(walk, part.text, place);
      readParts(walk, part.parts ?? [], place);
      noteBare(walk, part.text);
      add(part.text, 'braces');
      break;
    default:
      addExpansion(walk, part, builder, inQuotes);
      break;
  }
}

type Expansion = Exclude<
  WordPart,
  { type: 'Literal' | 'SingleQuoted' | 'AnsiCQuoted' | 'DoubleQuoted' | 'LocaleString' | 'Glob' | 'BraceExpansion' }
>;

function addExpansion(walk: Walk, part: Expansion, builder: WordBuilder, inQuotes: boolean): void {
  switch (part.type) {
    case 'SimpleExpansion':
      builder.add(part.text, /^\$[?#$!]$/.test(part.text) ? 'static' : 'variable', inQuotes);
      break;
    case 'ParameterExpansion':
      noteParameter(walk, part);
      builder.add(part.text, 'variable', inQuotes);
      break;
    case 'CommandExpansion':
      walk.visit.subshell(walk, part.script);
      builder.add(part.text, 'output', inQuotes);
      break;
    case 'ProcessSubstitution':
      walk.visit.subshell(walk, part.script);
      builder.add(part.text, 'pipe', inQuotes);
      break;
    case 'ArithmeticExpansion':
      if (part.expression === undefined || !isConstant(part.expression)) {
        doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'arithmetic that is not constant is not judged', part.text);
        walk.visit.everything(walk, part);
      }
      builder.add(part.text, 'output', inQuotes);
      break;
    case 'ExtendedGlob':
      doubt(walk, 'deny', 'COMMAND_MALFORMED', 'extended patterns are off in the shell that runs the line', part.text);
      walk.visit.everything(walk, part);
      builder.add(part.text, 'variable', inQuotes);
      break;
    default:
      // INVARIANT: a kind of part that this code does not know is refused, never passed over.
      doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'a kind of expansion that is not known');
      builder.add('', 'variable', false);
      break;
  }
}

/** `${…}` may run code: `@P`, indirection, assignment, subscripts and offsets (CVE-2026-29783). */
function noteParameter(walk: Walk, part: ParameterExpansionPart): void {
  const { operation } = part;
  const refuse = (about: string): void => doubt(walk, 'deny', 'COMMAND_DYNAMIC', about, part.text);
  if (part.prefix === '!') refuse('a variable that another one names');
  if (part.index !== undefined && !/^(?:\d+|@|\*)$/.test(part.index.text)) refuse('a subscript that is not a number');
  if (operation?.type === 'Transform' || operation?.type === 'Unknown' || operation?.type === 'Names') {
    refuse('a transformation of a variable');
  }
  if (operation?.type === 'Default' && /[=?]$/.test(operation.operator)) refuse('an expansion that assigns');
  if (
    operation?.type === 'Slice' &&
    !/^ ?-?\d+(?::-?\d+)?$/.test(
      [operation.offset, operation.length].flatMap((word) => (word === undefined ? [] : [word.text])).join(':'),
    )
  ) {
    refuse('an offset that is not a number');
  }
  readOperands(walk, part);
}

function readOperands(walk: Walk, part: ParameterExpansionPart): void {
  const { operation } = part;
  const words: (ParsedWord | undefined)[] = [part.index];
  if (operation !== undefined && 'operand' in operation) words.push(operation.operand);
  if (operation?.type === 'Replace') words.push(operation.pattern, operation.replacement);
  if (operation?.type === 'Slice') words.push(operation.offset, operation.length);
  for (const word of words) if (word !== undefined) readWord(walk, word);
}
