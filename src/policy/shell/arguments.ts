import type { Doubt } from './command-line.ts';
import type { OptionSpec, Program, Role } from './program.ts';
import { staticWord, type Word } from './word.ts';

/** A value of an option, or an operand, and where it stands. */
export interface Value {
  readonly text: string;
  readonly word: Word;
  readonly index: number;
  /** All of it is known, or it is a pattern whose matches can be judged. */
  readonly known: boolean;
}

/** What was given, in order. */
export type Given =
  | { readonly kind: 'option'; readonly spec: OptionSpec; readonly values: readonly Value[]; readonly index: number }
  | { readonly kind: 'operand'; readonly value: Value }
  | { readonly kind: 'command'; readonly role: Role; readonly words: readonly Word[]; readonly index: number }
  | { readonly kind: 'itself'; readonly role: Role; readonly index: number };

/** The arguments of one command, read by the table of its program. */
export interface Arguments {
  /** The table of the sub-command that was reached. */
  readonly program: Program;
  readonly given: readonly Given[];
  /** Names of the options given, in full. */
  readonly seen: ReadonlySet<string>;
  readonly operands: readonly Value[];
  readonly doubts: readonly Doubt[];
  readonly stripped: readonly Word[];
  readonly canonical: readonly Word[];
  /** Number of the word that names the last sub-command; 0: none. */
  readonly subcommand: number;
}

interface Reader {
  program: Program;
  position: number;
  optionsEnded: boolean;
  /** The sub-command is refused or questioned as such: its arguments do not matter any more. */
  lenient: boolean;
  readonly words: readonly Word[];
  readonly given: Given[];
  readonly seen: Set<string>;
  readonly operands: Value[];
  readonly doubts: Doubt[];
  readonly canonical: Word[];
  /** Numbers of the words that name the sub-commands. */
  readonly subcommands: number[];
  readonly canonicalNames: Map<number, Word>;
}

const REST_ROLES: ReadonlySet<Role> = new Set<Role>([
  'command',
  'environment-command',
  'appended-command',
  'container-command',
  'shell-words',
]);

/** Reads `words` (command word first) by the table of the program. ATTACKER-CONTROLLED: `words`. */
export function readArguments(program: Program, words: readonly Word[]): Arguments {
  const reader: Reader = {
    program,
    position: 1,
    optionsEnded: program.echo === true,
    subcommands: [],
    canonicalNames: new Map(),
    lenient: false,
    words,
    given: [],
    seen: new Set(),
    operands: [],
    doubts: [],
    canonical: words.slice(0, 1),
  };
  if (program.oldStyle === true) readOldStyle(reader);
  while (reader.position < words.length) readNext(reader);
  if (reader.program.subcommandsByName !== null && reader.program.bare !== undefined && !reader.lenient) {
    reader.given.push({ kind: 'itself', role: reader.program.bare, index: 0 });
  }
  return {
    program: reader.program,
    given: reader.given,
    seen: reader.seen,
    operands: reader.operands,
    doubts: reader.doubts,
    stripped: withoutGlobalOptions(reader),
    canonical: reader.canonical,
    subcommand: reader.subcommands.at(-1) ?? 0,
  };
}

/** The program, the names of its sub-commands, and what follows them. */
function withoutGlobalOptions(reader: Reader): readonly Word[] {
  const last = reader.subcommands.at(-1);
  if (last === undefined) return reader.words;
  return reader.words.filter((_, at) => at === 0 || at > last || reader.subcommands.includes(at));
}

function readNext(reader: Reader): void {
  const word = reader.words[reader.position];
  if (word === undefined) return;
  const { program } = reader;
  const mayBeOption =
    !reader.optionsEnded && (word.lead.startsWith('-') || (program.plus === true && word.lead.startsWith('+')));
  if (mayBeOption && word.lead.length > 1) {
    readOption(reader, word);
    return;
  }
  if (!reader.optionsEnded && word.lead === '' && word.shape !== 'static') doubtUnknown(reader, word);
  else if (word.shape === 'variable' || (word.splits && word.shape === 'output')) doubtUnknown(reader, word);
  readOperand(reader, word);
}

/** A word that might turn out to be an option, several words, or none. */
function doubtUnknown(reader: Reader, word: Word): void {
  const { program } = reader;
  if (word.shape === 'pipe' || word.shape === 'static') return;
  if (program.inert === true && word.shape !== 'variable') return;
  if (word.shape === 'glob' && !program.sharp) return;
  reader.doubts.push({
    effect: 'confirm',
    code: 'COMMAND_DYNAMIC',
    about: 'a word is not known before bash runs the line, and might be an option',
    word: word.text,
  });
}

function readOption(reader: Reader, word: Word): void {
  const { program } = reader;
  const text = word.text;
  if (text === '--' && program.single !== true) {
    reader.optionsEnded = true;
    reader.canonical.push(word);
    reader.position += 1;
    return;
  }
  if (word.lead.startsWith('+')) {
    takeOption(reader, { name: '+', role: program.optionsByName.get('+')?.role ?? 'ask', arity: 'optional' }, text);
    reader.position += 1;
    return;
  }
  if (program.numbers === true && /^-\d+$/.test(text)) {
    reader.canonical.push(word);
    reader.position += 1;
    return;
  }
  const exact = word.shape === 'static' ? program.optionsByName.get(text) : undefined;
  const attached = exact === undefined ? twoLetterOption(reader, word) : undefined;
  if (exact !== undefined) readValues(reader, exact, null, word);
  else if (attached !== undefined) readAttached(reader, attached, text.slice(attached.name.length), word);
  else if (text.startsWith('--') || program.single === true) readLong(reader, word);
  else readCluster(reader, word, 1);
}

/** `-TTid`: a short option of two letters with its value attached is no cluster (zip, unzip). */
const twoLetterOption = (reader: Reader, word: Word): OptionSpec | undefined => {
  if (reader.program.single === true || !/^-[A-Za-z]{2}./.test(word.lead)) return undefined;
  const spec = reader.program.optionsByName.get(word.lead.slice(0, 3));
  return spec?.arity === 1 ? spec : undefined;
};

function readLong(reader: Reader, word: Word): void {
  const equals = word.lead.indexOf('=');
  const written = equals < 0 ? word.text : word.lead.slice(0, equals);
  const name = reader.program.single === true ? written.replace(/^--/, '-') : written;
  if (equals < 0 && word.shape !== 'static') {
    unknownOption(reader, word);
    return;
  }
  const spec = findLong(reader.program, name);
  if (spec === null) {
    unknownOption(reader, word);
    return;
  }
  readValues(reader, spec, equals < 0 ? null : word.text.slice(equals + 1), word);
}

/** The option of this name, or the only one that starts with it (getopt_long, and Git's and npm's parsers). */
function findLong(program: Program, name: string): OptionSpec | null {
  const exact = program.optionsByName.get(name);
  if (exact !== undefined) return exact;
  if (program.single === true) return null;
  const candidates = name.length < 3 ? [] : program.longNames.filter((one) => one.startsWith(name));
  const specs = candidates.map((one) => program.optionsByName.get(one)).filter((one) => one !== undefined);
  if (specs.length === 1) return specs[0] ?? null;
  if (program.negatable === true && name.startsWith('--no-')) {
    const base = `--${name.slice(5)}`;
    if (program.longNames.some((one) => one.startsWith(base))) return { name, role: 'ok', arity: 0 };
  }
  return null;
}

function unknownOption(reader: Reader, word: Word): void {
  reader.position += 1;
  reader.canonical.push(word);
  if (reader.lenient) return;
  reader.doubts.push({
    effect: 'confirm',
    code: 'COMMAND_OPTION',
    about: 'an option is not one that is known to be ordinary use',
    word: word.text,
    index: reader.position - 1,
  });
}

/** Takes the values of an option that stands alone in its word; `attached` is what follows its `=`. */
function readValues(reader: Reader, spec: OptionSpec, attached: string | null, word: Word): void {
  const index = reader.position;
  reader.canonical.push(staticWord(attached === null ? spec.name : `${spec.name}=${attached}`, word.data));
  reader.position += 1;
  if (attached !== null) {
    const value = { text: attached, word, index, known: isKnown(word) };
    record(reader, spec, [value, ...(spec.arity === 'rest' ? takeWords(reader, 'rest') : [])], index);
    doubtValue(reader, word);
  } else {
    record(reader, spec, takeWords(reader, spec.arity), index);
  }
}

const isKnown = (word: Word): boolean => word.shape === 'static' || word.shape === 'glob' || word.shape === 'pipe';

function takeWords(reader: Reader, arity: OptionSpec['arity']): Value[] {
  const values: Value[] = [];
  const count = arity === 'rest' || arity === 'until' ? Number.POSITIVE_INFINITY : arity === 'optional' ? 0 : arity;
  while (values.length < count && reader.position < reader.words.length) {
    const word = reader.words[reader.position];
    if (word === undefined) break;
    values.push({ text: word.text, word, index: reader.position, known: isKnown(word) });
    reader.canonical.push(word);
    reader.position += 1;
    if (arity === 'until' && endsExec(values)) break;
    if (arity !== 'rest' && arity !== 'until') doubtValue(reader, word);
  }
  return values;
}

const endsExec = (values: readonly Value[]): boolean =>
  values.at(-1)?.text === ';' || (values.at(-1)?.text === '+' && values.at(-2)?.text === '{}');

/** The value of an option cannot become an option; what bash may split or leave away shifts everything behind it. */
function doubtValue(reader: Reader, word: Word): void {
  if (word.shape === 'variable' || (word.splits && word.shape !== 'glob')) doubtUnknown(reader, word);
}

function record(reader: Reader, spec: OptionSpec, values: readonly Value[], index: number): void {
  reader.seen.add(spec.name);
  reader.given.push({ kind: 'option', spec, values, index });
}

function takeOption(reader: Reader, spec: OptionSpec, text: string): void {
  const word = reader.words[reader.position] ?? staticWord(text);
  record(reader, spec, [{ text, word, index: reader.position, known: isKnown(word) }], reader.position);
  reader.canonical.push(word);
}

/** `-abc`: flags up to one that takes a value, which is the rest of the word or the next one. */
function readCluster(reader: Reader, word: Word, from: number): void {
  const index = reader.position;
  for (let at = from; at < word.lead.length; at += 1) {
    const letter = word.lead[at] ?? '';
    const spec = reader.program.optionsByName.get(`-${letter}`);
    if (spec === undefined && reader.program.numbers === true && /\d/.test(letter)) continue;
    if (spec === undefined) {
      unknownOption(reader, word);
      return;
    }
    if (spec.arity === 0) {
      reader.canonical.push(staticWord(spec.name));
      record(reader, spec, [], index);
      continue;
    }
    const rest = word.text.slice(at + 1);
    if (rest === '') readValues(reader, spec, null, word);
    else readAttached(reader, spec, rest, word);
    return;
  }
  if (word.shape !== 'static') unknownOption(reader, word);
  else reader.position += 1;
}

function readAttached(reader: Reader, spec: OptionSpec, rest: string, word: Word): void {
  const index = reader.position;
  reader.canonical.push(staticWord(spec.name), staticWord(rest, word.data));
  reader.position += 1;
  const value = { text: rest, word, index, known: isKnown(word) };
  const more = spec.arity === 'rest' || spec.arity === 'until' ? takeWords(reader, spec.arity) : [];
  record(reader, spec, [value, ...more, ...(spec.arity === 2 ? takeWords(reader, 1) : [])], index);
  doubtValue(reader, word);
}

/** The first word of `tar xzf FILE`: letters without a dash; those with values take the next words in order. */
function readOldStyle(reader: Reader): void {
  const word = reader.words[1];
  if (word === undefined || word.shape !== 'static' || word.text.startsWith('-') || word.text.includes('/')) return;
  reader.position = 2;
  for (const letter of word.text) {
    const spec = reader.program.optionsByName.get(`-${letter}`);
    if (spec === undefined) {
      reader.doubts.push({
        effect: 'confirm',
        code: 'COMMAND_OPTION',
        about: 'an option is not known',
        word: word.text,
      });
      continue;
    }
    reader.canonical.push(staticWord(spec.name));
    record(reader, spec, spec.arity === 1 ? takeWords(reader, 1) : [], 1);
  }
}

function readOperand(reader: Reader, word: Word): void {
  const { program } = reader;
  const index = reader.position;
  if (program.subcommandsByName !== null && !reader.lenient) {
    chooseSubcommand(reader, word);
    return;
  }
  const role = operandRole(program, reader.seen, reader.operands.length);
  if (role === 'environment-command' && word.shape === 'static' && word.text.includes('=')) {
    reader.given.push({
      kind: 'option',
      spec: { name: 'NAME=VALUE', role: 'environment', arity: 1 },
      values: [{ text: word.text, word, index, known: true }],
      index,
    });
  } else if (REST_ROLES.has(role)) {
    reader.given.push({ kind: 'command', role, words: reader.words.slice(index), index });
    reader.canonical.push(...reader.words.slice(index));
    reader.position = reader.words.length;
    return;
  } else {
    const value = { text: word.text, word, index, known: isKnown(word) };
    reader.operands.push(value);
    reader.given.push({ kind: 'operand', value });
  }
  reader.canonical.push(word);
  reader.position += 1;
  if (program.strict === true) reader.optionsEnded = true;
}

/** The role of operand number `position`, given the options seen. */
export function operandRole(program: Program, seen: ReadonlySet<string>, position: number, count = 0): Role {
  const given = (names: ReadonlySet<string>): boolean => [...names].some((name) => seen.has(name));
  const special = program.cases.find((one) => given(one.options) && (one.and === null || given(one.and)));
  const { operands = ['ok' as const], last } = special ?? program;
  if (last !== undefined && count > 1 && position === count - 1) return last;
  return operands[Math.min(position, operands.length - 1)] ?? 'ok';
}

function chooseSubcommand(reader: Reader, word: Word): void {
  const index = reader.position;
  reader.position += 1;
  const parent = reader.program;
  if (word.shape !== 'static') {
    reader.doubts.push({
      effect: 'deny',
      code: 'COMMAND_DYNAMIC',
      about: 'the sub-command is not known before bash runs the line',
      word: word.text,
    });
    reader.lenient = true;
    return;
  }
  const name = resolveName(parent, word.text);
  const chosen = parent.subcommandsByName?.get(name) ?? parent.otherwise;
  const path = [...reader.subcommands.map((at) => reader.canonicalNames.get(at)), staticWord(name)];
  reader.subcommands.push(index);
  reader.canonicalNames.set(index, staticWord(name));
  reader.canonical.splice(1, reader.canonical.length, ...path.filter((one) => one !== undefined));
  reader.optionsEnded = false;
  if (typeof chosen === 'string') {
    reader.given.push({ kind: 'itself', role: chosen, index });
    reader.lenient = chosen !== 'ok';
    reader.program = { ...parent, operands: ['ok'], subcommandsByName: null, bare: 'ok' };
    return;
  }
  reader.program = chosen;
  if (chosen.itself !== undefined) reader.given.push({ kind: 'itself', role: chosen.itself, index });
  if (!parent.subcommandsByName?.has(name)) {
    // The table for what is not listed reads the word itself as its first operand.
    reader.position -= 1;
    reader.canonical.pop();
    readNext(reader);
  }
}

/** The full name of a sub-command: aliases resolved, unique beginnings completed where the program does so. */
function resolveName(program: Program, text: string): string {
  const known = program.subcommandsByName;
  if (known === null || known.has(text)) return text;
  const alias =
    program.aliases !== undefined && Object.hasOwn(program.aliases, text) ? program.aliases[text] : undefined;
  if (alias !== undefined) return alias;
  if (program.shortSubcommands !== true || text.length < 2) return text;
  const targets = new Set([
    ...[...known.keys()].filter((name) => name.startsWith(text)),
    ...Object.entries(program.aliases ?? {}).flatMap(([name, target]) => (name.startsWith(text) ? [target] : [])),
  ]);
  return targets.size === 1 ? ([...targets][0] ?? text) : text;
}
