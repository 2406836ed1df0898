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

/** Names for whatever a registry has newest, as publishers use them (npm dist-tags). */
const MOVING_TAG =
  /@(?:latest|next|beta|alpha|canary|rc|dev|nightly|edge|experimental|preview|insiders|stable|main|master)$/i;

/** The name of a program, whatever folder it lies in and however its script is called (`npx-cli.js`). */
const programName = (word: string): string =>
  (word.split('/').at(-1) ?? '').replace(/\.(?:cmd|exe|[cm]?js)$/i, '').replace(/-cli$/, '');

/** The name of what fetches, in one argument of a server's command; null if nothing does. */
export function findFetcher(argument: string, isProgram: boolean): string | null {
  const tag = MOVING_TAG.exec(argument);
  if (tag !== null) return tag[0];
  const words = argument.split(/[\s;&|()'"]+/);
  const script = isProgram ? words.slice(-1) : words;
  const found = script.find((word) => FETCHERS.has(programName(word)));
  return found?.split('/').at(-1) ?? null;
}

/** Whether a whole command is one of the sub-commands that fetch (`npm exec`). */
export function findFetchingCommand(command: readonly string[]): string | null {
  const names = command.map(programName);
  for (const [program, words] of SUB_COMMANDS) {
    const at = names.indexOf(program);
    const next = at < 0 ? undefined : names.slice(at + 1).find((word) => !word.startsWith('-'));
    if (next !== undefined && words.includes(next)) return `${program} ${next}`;
  }
  return fetchingUv(command, names) ?? fetchingContainer(command, names);
}

/** `uv run` resolves and installs before it runs, unless it may not reach a network. */
function fetchingUv(command: readonly string[], names: readonly string[]): string | null {
  const at = names.indexOf('uv');
  const runs = at >= 0 && names.indexOf('run', at) > at;
  return runs && !command.includes('--offline') ? 'uv run' : null;
}

const CONTAINER_PROGRAMS: readonly string[] = ['docker', 'podman', 'nerdctl'];
/** Flags of `docker run` without a value of their own; every other flag is taken to have one. */
const CONTAINER_SWITCHES =
  /^(?:-[itdPq]+|--(?:rm|init|interactive|tty|detach|privileged|read-only|publish-all|quiet))$/;
const IMAGE_DIGEST = /^(?:.+@)?sha256:[0-9a-f]{64}$/;

/** A container of an image that its digest does not pin: a tag is whatever was pushed last. */
function fetchingContainer(command: readonly string[], names: readonly string[]): string | null {
  const at = names.findIndex((name) => CONTAINER_PROGRAMS.includes(name));
  if (at < 0) return null;
  const start = command.findIndex((word, index) => index > at && (word === 'run' || word === 'create'));
  if (start < 0) return null;
  const image = imageOf(command.slice(start + 1));
  const pinned = image !== undefined && IMAGE_DIGEST.test(image);
  return pinned ? null : `${names[at]} ${command[start]} of an image without a digest`;
}

function imageOf(words: readonly string[]): string | undefined {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) return word;
    if (!word.includes('=') && !CONTAINER_SWITCHES.test(word)) at += 1;
  }
  return undefined;
}
