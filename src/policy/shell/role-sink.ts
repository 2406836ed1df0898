import type { PathUse } from '../facts.ts';
import type { Value } from './arguments.ts';
import type { CommandCode, Doubt } from './command-line.ts';
import type { OptionSpec, Program } from './program.ts';
import type { Word } from './word.ts';

/** What a role may report about the command that is read. */
export interface RoleSink {
  readonly program: Program;
  readonly seen: ReadonlySet<string>;
  path(value: Value, use: PathUse, text?: string): void;
  doubt(effect: Doubt['effect'], code: CommandCode, about: string, value?: Pick<Value, 'text' | 'index'>): void;
  enter(text: string): void;
  leave(value: Value): void;
  /** Nobody knows in which folder what follows runs. */
  leaveFolder(): void;
  assign(value: Value): void;
  /** `word`: the number of the word that an entry has to reach to name what is started too. */
  run(words: readonly Word[], origin: 'wrapper' | 'container', word: number): void;
  runModule(values: readonly Value[]): void;
  script(value: Value): void;
}

/** The option (null: an operand) whose value plays the role. */
export type RoleReader = (value: Value, sink: RoleSink, spec: OptionSpec | null) => void;
