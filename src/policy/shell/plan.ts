import type { CommandLine } from './command-line.ts';

/** Environment of what runs: names and values. What is not named does not exist. */
type PlannedEnvironment = Readonly<Record<string, string>>;

/** How a line that was judged is run, so that what was judged is what runs. Pure description. */
export type ExecutionPlan =
  | { readonly kind: 'argv'; readonly file: string; readonly argv: readonly string[]; readonly env: PlannedEnvironment }
  | {
      readonly kind: 'bash';
      readonly script: string;
      readonly argv: readonly string[];
      readonly env: PlannedEnvironment;
    };

/** The folders that programs are looked up in. */
const FIXED_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Settings of Git that take the place of what a repository says (advice 5.1.11): no program of its own is started. */
const GIT_OVERRIDES: readonly (readonly [key: string, value: string])[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.pager', 'cat'],
  ['core.sshCommand', 'ssh'],
  ['core.askPass', ''],
  ['core.editor', 'false'],
  ['sequence.editor', 'false'],
  ['protocol.ext.allow', 'never'],
  ['credential.helper', ''],
  ['gpg.program', 'gpg'],
  ['interactive.diffFilter', ''],
];

const gitEnvironment = (): PlannedEnvironment =>
  Object.fromEntries([
    ['GIT_CONFIG_NOSYSTEM', '1'],
    ['GIT_TERMINAL_PROMPT', '0'],
    ['GIT_PAGER', 'cat'],
    ['GIT_CONFIG_COUNT', String(GIT_OVERRIDES.length)],
    ...GIT_OVERRIDES.flatMap(([key, value], position) => [
      [`GIT_CONFIG_KEY_${position}`, key],
      [`GIT_CONFIG_VALUE_${position}`, value],
    ]),
  ]);

/** The environment that every planned command gets: nothing of the gate's own reaches it. `home` is an absolute path. */
const plannedEnvironment = (home: string): PlannedEnvironment => ({
  PATH: FIXED_PATH,
  HOME: home,
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  TERM: 'dumb',
  PAGER: 'cat',
  MANPAGER: 'cat',
  LESSSECURE: '1',
  ...gitEnvironment(),
});

/**
 * Plans the execution: one simple command without a shell, everything else by bash, the shell that the analysis models.
 * The caller resolves `file` on `PATH` and spawns it with exactly this environment.
 */
export function planExecution(line: CommandLine, home: string): ExecutionPlan {
  const [command] = line.commands;
  const env = plannedEnvironment(home);
  if (!line.simple || command === undefined) {
    // `--`: a script that starts with a dash is no option of bash.
    return { kind: 'bash', script: line.text, argv: ['--noprofile', '--norc', '-c', '--', line.text], env };
  }
  const [file, ...argv] = command.words.map((word) => word.text);
  const set = command.assignments.map(({ name, value }) => [name, value?.text ?? '']);
  return { kind: 'argv', file: file ?? '', argv, env: { ...env, ...Object.fromEntries(set) } };
}
