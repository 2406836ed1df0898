import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { SecretReference } from '../../core/index.ts';
import { quoteForMessage, SallyportError } from '../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../limits.ts';
import { failure, pickField, type SecretProvider, withoutLineEnd } from '../provider.ts';
import { type CommandResult, runCommand } from './run-command.ts';

/** A command line of another secret manager, as the operator configures it. */
export interface ExecCommand {
  /** The program and its words; the one word `{}`, if there is one, is what the reference fills. */
  readonly command: readonly string[];
  /** Variables that the program gets, besides HOME, PATH and LANG. */
  readonly environment?: readonly string[];
  readonly timeoutMs?: number;
}

export interface ExecProviderOptions {
  readonly commands: ReadonlyMap<string, ExecCommand>;
  /** Where the named variables are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const HOLE = '{}';
const SEARCHED = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

interface Prepared {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * `exec:NAME/ARGUMENT`: what a configured program prints, without the one line break at its end. A reference names a command
 * and fills one word of it; it can add no word, no option and no program.
 * @throws SallyportError SECRET_PROVIDER_CONFIG
 */
export function execProvider(options: ExecProviderOptions): SecretProvider {
  const commands = new Map<string, Prepared>();
  for (const [name, command] of options.commands) commands.set(name, prepare(name, command, options.environment));
  return {
    scheme: 'exec',
    async resolve(reference, { signal }) {
      const { argv, environment, timeoutMs } = commandFor(commands, reference);
      const result = await runCommand({
        argv,
        environment,
        timeoutMs,
        outputBytes: DEFAULT_SECRET_LIMITS.valueBytes,
        signal,
      });
      signal.throwIfAborted();
      return { value: pickField(outputOf(result, reference), reference), version: null };
    },
  };
}

function prepare(name: string, command: ExecCommand, environment: ExecProviderOptions['environment']): Prepared {
  const [program = '', ...words] = command.command;
  if (words.filter((word) => word === HOLE).length > 1 || program === HOLE)
    throw invalid(name, 'expected {} once, behind the program');
  if (command.command.some((word) => word.includes('\0'))) throw invalid(name, 'a word has the character 0');
  const passed = ['HOME', ...(command.environment ?? [])].flatMap((variable) => {
    const value = environment[variable];
    return value === undefined ? [] : [[variable, value] as const];
  });
  return {
    argv: [find(name, program), ...words],
    environment: { PATH: SEARCHED.join(':'), LANG: 'C.UTF-8', ...Object.fromEntries(passed) },
    timeoutMs: command.timeoutMs ?? DEFAULT_SECRET_LIMITS.requestMs,
  };
}

/** Never looked up on the PATH of whoever started the keeper. */
function find(name: string, program: string): string {
  const places = isAbsolute(program)
    ? [program]
    : program.includes('/')
      ? []
      : SEARCHED.map((folder) => join(folder, program));
  const found = places.find(isExecutable);
  if (found !== undefined) return found;
  throw invalid(
    name,
    `no program ${quoteForMessage(program)}: name an absolute path, or one in ${SEARCHED.join(', ')}`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function commandFor(commands: ReadonlyMap<string, Prepared>, reference: SecretReference): Prepared {
  const slash = reference.path.indexOf('/');
  const name = slash < 0 ? reference.path : reference.path.slice(0, slash);
  const prepared = commands.get(name);
  if (prepared === undefined) throw failure('SECRET_PROVIDER_UNKNOWN', reference, `no command ${name} is configured`);
  const takesArgument = prepared.argv.includes(HOLE);
  if (takesArgument !== slash >= 0) {
    throw failure(
      'SECRET_REFERENCE_INVALID',
      reference,
      takesArgument ? 'the command needs an /ARGUMENT' : 'the command takes no argument',
    );
  }
  const argument = reference.path.slice(slash + 1);
  return { ...prepared, argv: prepared.argv.map((word) => (word === HOLE ? argument : word)) };
}

function outputOf(result: CommandResult, reference: SecretReference): Buffer {
  switch (result.kind) {
    case 'done':
      return withoutLineEnd(result.output);
    case 'failed':
      throw failure(
        'SECRET_PROVIDER_UNAVAILABLE',
        reference,
        `the command ended with ${result.exit ?? 'a signal'}; run it by hand to see why`,
      );
    case 'timeout':
      throw failure('SECRET_PROVIDER_UNAVAILABLE', reference, 'the command took too long, and was ended');
    case 'too-much':
      throw failure('SECRET_TOO_LARGE', reference, `expected at most ${DEFAULT_SECRET_LIMITS.valueBytes} bytes`);
    case 'not-started':
      throw failure('SECRET_PROVIDER_UNAVAILABLE', reference, 'the command could not be started');
  }
}

const invalid = (name: string, why: string): SallyportError =>
  new SallyportError('SECRET_PROVIDER_CONFIG', `providers.exec.${name}: ${why}`);
