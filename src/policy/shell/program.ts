/**
 * What a value, an operand or an option stands for. The tables in `programs/` name them; `roles.ts` says what follows
 * from each.
 */
export type Role =
  /** Inert: a flag, or text that the program does not act on. */
  | 'ok'
  /** A file or folder that is read, written, or both. */
  | 'read'
  | 'write'
  | 'both'
  /** The folder that other paths are read against. */
  | 'cwd'
  /** A Git revision, `REV:PATH`, or path; a pathspec; the address of a repository. */
  | 'revision'
  | 'pathspec'
  | 'remote'
  /** What a package manager installs. */
  | 'package'
  /** The file of an archiver: written when it creates, else read. */
  | 'archive'
  /** `HOST:CONTAINER`, `type=bind,source=…`, the context of an image. */
  | 'volume'
  | 'mount'
  | 'context'
  /** `host:path` or a path, as scp and rsync read it. */
  | 'remote-path'
  /** `@file` is read, everything else is inert. */
  | 'at-file'
  /** `name=@file` or `name=<file`. */
  | 'form'
  /** The program of sed, or of awk. */
  | 'sed-script'
  | 'awk-program'
  | 'jq-program'
  /** `NAME=value` for the environment. */
  | 'environment'
  /** Only the values that the table lists under `only`. */
  | 'listed'
  /** A URL that is fetched. */
  | 'url'
  /** A test by path, with `::` and what follows naming a part of it. */
  | 'node-id'
  /** The module that Python runs. */
  | 'module'
  /** Text that a shell runs: read like a line of its own. */
  | 'shell'
  /** The rest is a command of its own; in a container; up to `;` or `+`. */
  | 'command'
  | 'environment-command'
  | 'appended-command'
  | 'container-command'
  | 'exec-command'
  | 'shell-words'
  | 'trap-text'
  | 'replace-string'
  /** `VAR=value` or a target of make; a place where find starts; the format of date; a file that `test` looks at. */
  | 'make-target'
  | 'find-start'
  | 'date-format'
  | 'test-file'
  /** The suffix of files that are edited in place. */
  | 'in-place'
  /** A program that an interpreter runs from a file: not from standard input. */
  | 'script-file'
  /** Flags that go hands on to its compiler and linker; the lines of a file that git log follows. */
  | 'go-flags'
  | 'line-range'
  /** A list of files, which is not in the line when it comes from a stream. */
  | 'file-list'
  | 'shell-file'
  /** A network of containers. */
  | 'network-name'
  /** What psql runs. */
  | 'psql-text'
  | 'psql-file'
  /** The name of a variable that is assigned to. */
  | 'variable'
  /** Not ordinary use (C1), by what it does. */
  | 'runs'
  | 'loads'
  | 'network'
  | 'outside'
  | 'destroys'
  | 'assigns'
  /** Ordinary for some: a person decides. */
  | 'ask';

/** Values an option takes: none, one or two words, one attached word or none, words up to `;` or `+`, all that follow. */
type Arity = 0 | 1 | 2 | 'optional' | 'until' | 'rest';

export interface OptionSpec {
  /** With its dashes. */
  readonly name: string;
  readonly role: Role;
  readonly arity: Arity;
  /** What `listed` accepts: compared up to `=`; a last `*` stands for any run of characters. */
  readonly only?: readonly string[];
}

/** Other operands when one of `options` is given, and one of `and` where that is set. */
interface OperandCase {
  readonly options: string;
  readonly and?: string;
  readonly operands: readonly Role[];
  readonly last?: Role;
}

/**
 * The command line of one program, as data. Options are written as in manuals, white space between: `-q` takes no value,
 * `-m=` one, `-x==` two, `--color=?` an attached one or none, `-exec=;` words up to `;`, `-c=*` everything that follows.
 */
export interface ProgramTable {
  readonly options?: Partial<Record<Role, string>>;
  /** Roles of the operands in order; the last one stands for all that follow. Default: `ok`. */
  readonly operands?: readonly Role[];
  /** Role of the last operand, if there are at least two. */
  readonly last?: Role;
  readonly when?: readonly OperandCase[];
  readonly subcommands?: Readonly<Record<string, ProgramTable | Role>>;
  /** Other names of sub-commands. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Sub-commands may be shortened as long as they are unique. */
  readonly shortSubcommands?: boolean;
  /** Options of the program are accepted behind the sub-command too. */
  readonly inherit?: boolean;
  /** What the sub-command as such is, beside its options and operands. */
  readonly itself?: Role;
  /** Without a sub-command: `ok` when left out. */
  readonly bare?: Role;
  /** What an unlisted sub-command is; default `ask`. */
  readonly otherwise?: Role | ProgramTable;
  /** Options end at the first operand (POSIX). */
  readonly strict?: boolean;
  /** Long options with one dash (`-name value`), no clusters. */
  readonly single?: boolean;
  /** The first word may be a cluster without dash (`tar xzf`). */
  readonly oldStyle?: boolean;
  /** `-20` is a number, not options. */
  readonly numbers?: boolean;
  /** Options also start with `+`. */
  readonly plus?: boolean;
  /** `--no-x` for every `--x`. */
  readonly negatable?: boolean;
  /** Values that `listed` accepts, by option, in lower case. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
  /** Nothing that its operands say has an effect: words that are not known do not matter. */
  readonly inert?: boolean;
  /** Every `cwd` holds for all paths, wherever it stands; else for those behind it. */
  readonly cwdForAll?: boolean;
  /** A role that the command plays by itself: with one of `options` (`*`: always; none named: without operands), but not with `unless`. */
  readonly implicit?: { readonly options: string; readonly role: Role; readonly unless?: string };
  /** Run by bash itself. */
  readonly builtin?: boolean;
  /** It has no options: everything is an operand. */
  readonly echo?: boolean;
  /** It only assigns: judged by the names of the variables (C5), not by the list of commands. */
  readonly assignment?: boolean;
}

/** A table made ready for reading arguments. */
export interface Program extends Omit<ProgramTable, 'options' | 'subcommands' | 'otherwise' | 'when' | 'implicit'> {
  readonly optionsByName: ReadonlyMap<string, OptionSpec>;
  readonly longNames: readonly string[];
  readonly subcommandsByName: ReadonlyMap<string, Program | Role> | null;
  readonly otherwise: Program | Role;
  readonly cases: readonly {
    readonly options: ReadonlySet<string>;
    readonly and: ReadonlySet<string> | null;
    readonly operands: readonly Role[];
    readonly last?: Role;
  }[];
  readonly implicitly: {
    readonly options: ReadonlySet<string>;
    readonly unless: ReadonlySet<string>;
    readonly role: Role;
  } | null;
  /** Some option of it is not ordinary use: a file whose name is an option matters. */
  readonly sharp: boolean;
}

const names = (text: string): string[] => text.split(/\s+/).filter((name) => name !== '');

const ARITIES: readonly (readonly [suffix: string, arity: Arity])[] = [
  ['==', 2],
  ['=?', 'optional'],
  ['=;', 'until'],
  ['=*', 'rest'],
  ['=', 1],
];

function optionSpec(written: string, role: Role): OptionSpec {
  for (const [suffix, arity] of ARITIES) {
    if (written.endsWith(suffix)) return { name: written.slice(0, -suffix.length), role, arity };
  }
  return { name: written, role, arity: 0 };
}

/** What makes an option one that nobody may smuggle in by the name of a file. */
const SHARP: ReadonlySet<Role> = new Set<Role>([
  'runs',
  'loads',
  'outside',
  'destroys',
  'network',
  'assigns',
  'write',
  'shell',
  'exec-command',
  'sed-script',
  'in-place',
  'module',
]);

/** Makes a table ready. Tables are ours: what is wrong in one shows in its tests. */
export function compileProgram(table: ProgramTable, parent?: Program): Program {
  const { options = {}, subcommands, otherwise = 'ask', when = [], implicit, ...rest } = table;
  const optionsByName = new Map<string, OptionSpec>(parent?.inherit === true ? parent.optionsByName : []);
  for (const [role, written] of Object.entries(options) as [Role, string][]) {
    for (const name of names(written)) {
      const spec = optionSpec(name, role);
      const only = role === 'listed' ? table.only?.[spec.name] : undefined;
      optionsByName.set(spec.name, only === undefined ? spec : { ...spec, only });
    }
  }
  const inherited = parent?.inherit === true ? { inherit: true } : {};
  const program = {
    ...rest,
    ...inherited,
    optionsByName,
    longNames: [...optionsByName.keys()].filter((name) => name.startsWith('--')),
    cases: when.map(({ options: any, and, ...one }) => ({
      ...one,
      options: new Set(names(any)),
      and: and === undefined ? null : new Set(names(and)),
    })),
    implicitly:
      implicit === undefined
        ? null
        : {
            options: new Set(names(implicit.options)),
            unless: new Set(names(implicit.unless ?? '')),
            role: implicit.role,
          },
    sharp: [...optionsByName.values()].some((spec) => SHARP.has(spec.role)),
    subcommandsByName: null,
    otherwise: 'ask' as Role,
  };
  if (subcommands === undefined) return program;
  return { ...program, ...compileSubcommands(program, subcommands, otherwise) };
}

function compileSubcommands(
  program: Program,
  subcommands: Readonly<Record<string, ProgramTable | Role>>,
  otherwise: ProgramTable | Role,
): Pick<Program, 'subcommandsByName' | 'otherwise'> {
  const compile = (table: ProgramTable | Role): Program | Role =>
    typeof table === 'string' ? table : compileProgram(table, program);
  const subcommandsByName = new Map<string, Program | Role>();
  for (const [name, table] of Object.entries(subcommands)) {
    const compiled = compile(table);
    for (const one of names(name)) subcommandsByName.set(one, compiled);
  }
  return { subcommandsByName, otherwise: compile(otherwise) };
}
