import type { PathUse } from '../facts.ts';
import { type Arguments, type Given, operandRole, readArguments, type Value } from './arguments.ts';
import type { CommandCode, Doubt, PathOperand } from './command-line.ts';
import { enter, type Folders } from './cwd.ts';
import { isHarmlessAssignment } from './environment.ts';
import type { OptionSpec, Program } from './program.ts';
import { programNamed } from './programs/index.ts';
import type { RoleSink } from './role-sink.ts';
import { applyRole, isOfTheOption, isStream } from './roles.ts';
import { staticWord, unknownWord, type Word } from './word.ts';

/** A command that another one starts. */
export interface Started {
  readonly words: readonly Word[];
  readonly origin: 'wrapper' | 'container';
  readonly folders: Folders;
  /** Number of the word of the starting command that an entry of the list has to reach to name this one too. */
  readonly word: number;
}

/** What the words of one command mean, by the table of its program. */
export interface Meaning {
  readonly paths: readonly PathOperand[];
  readonly doubts: readonly Doubt[];
  readonly stripped: readonly Word[];
  readonly canonical: readonly Word[];
  readonly known: boolean;
  readonly builtin: boolean;
  readonly assignment: boolean;
  readonly started: readonly Started[];
  /** Texts that a shell would run. */
  readonly scripts: readonly { readonly text: string; readonly folders: Folders }[];
}

interface Collector {
  folders: Folders;
  readonly base: Folders;
  readonly paths: PathOperand[];
  readonly doubts: Doubt[];
  readonly started: Started[];
  readonly scripts: { text: string; folders: Folders }[];
}

/** The last segment: the program behind a command word with a slash is judged by the table of its name. */
const baseName = (text: string): string => text.slice(text.lastIndexOf('/') + 1);

/** Reads `words` as a command that runs in one of `folders`. ATTACKER-CONTROLLED: `words`. */
export function interpret(words: readonly Word[], folders: Folders): Meaning {
  const program = programNamed(baseName(words[0]?.text ?? ''));
  if (program === null) return interpretUnknown(words, folders);
  const read = readArguments(program, words);
  const collector: Collector = {
    folders,
    base: folders,
    paths: [],
    doubts: [...read.doubts],
    started: [],
    scripts: [],
  };
  collect(read, collector);
  return {
    paths: program.cwdForAll === true ? inLastFolder(collector) : collector.paths,
    doubts: collector.doubts,
    stripped: read.stripped,
    canonical: read.canonical,
    known: true,
    builtin: program.builtin === true,
    assignment: program.assignment === true,
    started: collector.started,
    scripts: collector.scripts,
  };
}

/** All that follows from what was given, in order. */
function collect(read: Arguments, collector: Collector): void {
  const sink = sinkFor(read, collector);
  let position = 0;
  for (const given of read.given) {
    if (given.kind === 'operand') {
      const role = operandRole(read.program, read.seen, position, read.operands.length);
      applyRole(role, given.value, sink, null);
      position += 1;
    } else applyGiven(given, read, sink);
  }
  applyImplicit(read, sink);
}

const valueAt = (text: string, index: number): Value => ({ text, word: staticWord(text), index, known: true });

function applyGiven(given: Exclude<Given, { kind: 'operand' }>, read: Arguments, sink: RoleSink): void {
  if (given.kind === 'itself') applyRole(given.role, valueAt('', given.index), sink, null);
  else if (given.kind === 'command') startCommand(given, read, sink);
  else applyOption(given.spec, given.values, given.index, sink);
}

function applyOption(spec: OptionSpec, values: readonly Value[], index: number, sink: RoleSink): void {
  if (spec.role === 'module') sink.runModule(values);
  else if (spec.role === 'exec-command') {
    sink.doubt('confirm', 'COMMAND_EXECUTES', 'starts a program for what it finds', valueAt(spec.name, index));
    const words = values.map((value) => (value.text.includes('{}') ? unknownWord(value.text) : value.word));
    sink.run(/^(?:;|\+)$/.test(words.at(-1)?.text ?? '') ? words.slice(0, -1) : words, 'wrapper', index + 1);
  } else if (values.length === 0) applyRole(spec.role, valueAt(spec.name, index), sink, spec);
  else
    for (const value of values) {
      applyRole(spec.role, isOfTheOption(spec.role) ? { ...value, index } : value, sink, spec);
    }
}

function startCommand(given: Extract<Given, { kind: 'command' }>, read: Arguments, sink: RoleSink): void {
  const { role, words, index } = given;
  if (role === 'shell-words') startEval(words, sink);
  else if (role === 'container-command') sink.run(words, 'container', read.subcommand);
  else sink.run(role === 'appended-command' ? withStandardInput(words, read) : words, 'wrapper', index);
}

/** `eval` joins its words to one text. */
function startEval(words: readonly Word[], sink: RoleSink): void {
  const unknown = words.find((word) => word.shape !== 'static');
  const text = words.map((word) => word.text).join(' ');
  sink.script({ text, word: unknown ?? staticWord(text), index: 1, known: unknown === undefined });
}

/** xargs adds words of its input at the end, or in the place of its replace string. */
function withStandardInput(words: readonly Word[], read: Arguments): readonly Word[] {
  const replace = read.given.find((given) => given.kind === 'option' && given.spec.role === 'replace-string');
  if (replace === undefined || replace.kind !== 'option') return [...words, unknownWord('(standard input)')];
  const written = replace.values[0]?.text ?? '';
  const mark = written === '' ? '{}' : written;
  return words.map((word) =>
    word.text.includes(mark) ? { ...unknownWord(word.text), lead: word.text.split(mark, 1)[0] ?? '' } : word,
  );
}

function applyImplicit(read: Arguments, sink: RoleSink): void {
  const { implicitly } = read.program;
  if (implicitly === null) return;
  const given = (names: ReadonlySet<string>): boolean => [...names].some((name) => read.seen.has(name));
  const { options } = implicitly;
  const applies = options.size === 0 ? read.operands.length === 0 : options.has('*') || given(options);
  if (applies && !given(implicitly.unless)) applyRole(implicitly.role, valueAt('.', 0), sink, null);
}

function sinkFor(read: Arguments, collector: Collector): RoleSink {
  const doubt = (
    effect: Doubt['effect'],
    code: CommandCode,
    about: string,
    value?: Pick<Value, 'text' | 'index'>,
  ): void => {
    collector.doubts.push({
      effect,
      code,
      about,
      ...(value === undefined ? {} : { word: value.text, index: value.index }),
    });
  };
  const notePath = (value: Value, use: PathUse, text = value.text): void => {
    if (isStream(text)) return;
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
      doubt('deny', 'COMMAND_LOADS', 'an address stands where a file belongs', { text, index: value.index });
      return;
    }
    if (!value.known) {
      doubt('confirm', 'COMMAND_DYNAMIC', 'the name of a file is not known before bash runs the line', {
        text,
        index: value.index,
      });
      return;
    }
    for (const cwd of collector.folders) {
      collector.paths.push({ text, use, cwd, via: 'operand', pattern: value.word.shape === 'glob' });
    }
  };
  return {
    program: read.program,
    seen: read.seen,
    path: notePath,
    doubt,
    enter: (text) => {
      collector.folders = enter(collector.folders, text);
    },
    leave: (value) => {
      collector.folders = [null];
      doubt('deny', 'COMMAND_DYNAMIC', 'the folder it works in is not known', value);
    },
    leaveFolder: () => {
      collector.folders = [null];
    },
    assign: (value) => {
      const [name = '', text = ''] = value.text.split(/=(.*)/s);
      if (isHarmlessAssignment(name, text) && value.known) return;
      doubt('deny', 'COMMAND_ENVIRONMENT', 'sets a variable that is not known to be harmless', value);
    },
    run: (words, origin, word) => {
      if (words.length > 0) {
        collector.started.push({ words, origin, folders: collector.folders, word });
      }
    },
    runModule: (values) => noteModule(values, collector, doubt),
    script: (value) => {
      if (value.known && value.word.shape === 'static')
        collector.scripts.push({ text: value.text, folders: collector.folders });
      else doubt('deny', 'COMMAND_DYNAMIC', 'the text that a shell would run is not known', value);
    },
  };
}

/** `python -m MODULE …`: known modules have the command line of the program of the same name. */
function noteModule(values: readonly Value[], collector: Collector, doubt: RoleSink['doubt']): void {
  const [module, ...rest] = values;
  if (module === undefined) return;
  const program: Program | null = module.known ? programNamed(`python -m ${module.text}`) : null;
  if (program === null) {
    doubt('confirm', 'COMMAND_LOADS', 'runs a module of Python that is not known', module);
    return;
  }
  const read = readArguments(program, [module.word, ...rest.map((value) => value.word)]);
  const inner: Collector = { ...collector, doubts: [...read.doubts] };
  collect(read, inner);
  // Word numbers count from the word `python`, where the entries of a policy start.
  const offset = (doubted: Doubt): Doubt =>
    doubted.index === undefined ? doubted : { ...doubted, index: doubted.index + module.index };
  collector.doubts.push(...inner.doubts.map(offset));
}

/** Every path in the folder that the last option for it named, as `make -f x -C y` reads it. */
const inLastFolder = (collector: Collector): readonly PathOperand[] =>
  collector.folders === collector.base
    ? collector.paths
    : collector.paths.flatMap((path) =>
        [...new Set([path.cwd, ...collector.folders])].map((cwd) => ({ ...path, cwd })),
      );

/** A program without a table: what looks like a path is judged, and a person decides about the rest. */
function interpretUnknown(words: readonly Word[], folders: Folders): Meaning {
  const doubts: Doubt[] = [];
  const paths: PathOperand[] = [];
  for (const word of words.slice(1)) {
    if (word.shape !== 'static' && word.shape !== 'glob' && word.shape !== 'pipe') {
      doubts.push({
        effect: 'confirm',
        code: 'COMMAND_DYNAMIC',
        about: 'a word is not known before bash runs the line',
        word: word.text,
      });
    }
    const text = word.text.replace(/^-{1,2}[\w-]+=|^-[A-Za-z](?=[./~])/, '');
    if (text.startsWith('-') || isStream(text)) continue;
    for (const cwd of folders) {
      paths.push({ text, use: 'file_read', cwd, via: 'operand', pattern: word.shape === 'glob' });
    }
  }
  return {
    paths,
    doubts,
    stripped: words,
    canonical: words,
    known: false,
    builtin: false,
    assignment: false,
    started: [],
    scripts: [],
  };
}
