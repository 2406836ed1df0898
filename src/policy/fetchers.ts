/** Programs that fetch and run what a registry has at that moment. */
const FETCHERS: ReadonlySet<string> = new Set(['npx', 'bunx', 'pnpx', 'uvx', 'pipx']);

/** The same as sub-commands, which are programs only behind these. */
const SUB_COMMANDS: readonly (readonly [program: string, words: readonly string[]])[] = [
  ['npm', ['exec', 'x', 'create', 'init']],
  ['pnpm', ['dlx', 'create']],
  ['yarn', ['dlx', 'create']],
  ['bun', ['x', 'create']],
  ['uv', ['tool', 'x']],
  ['deno', ['run']],
];

/** The name of what fetches, in one argument of a server's command; null if nothing does. */
export function findFetcher(argument: string, isProgram: boolean): string | null {
  if (/@latest$/.test(argument)) return '@latest';
  const words = argument.split(/[\s;&|()'"]+/).map((word) => word.split('/').at(-1) ?? '');
  const script = isProgram ? words.slice(-1) : words;
  return script.find((word) => FETCHERS.has(word.replace(/\.(?:cmd|exe|js)$/i, ''))) ?? null;
}

/** Whether a whole command is one of the sub-commands that fetch (`npm exec`). */
export function findFetchingCommand(command: readonly string[]): string | null {
  const names = command.map((word) => word.split('/').at(-1) ?? '');
  for (const [program, words] of SUB_COMMANDS) {
    const at = names.indexOf(program);
    const next = at < 0 ? undefined : names.slice(at + 1).find((word) => !word.startsWith('-'));
    if (next !== undefined && words.includes(next)) return `${program} ${next}`;
  }
  return null;
}
