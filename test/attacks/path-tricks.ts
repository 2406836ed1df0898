import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

/**
 * Ways to name a file that must not be touched, as data, so that every surface runs the same list. The workspace is
 * allowed as a whole (`allowedPaths: [.]` for reading and writing): what holds is built in.
 */
export interface AttackPlace {
  readonly top: string;
  readonly root: string;
  readonly home: string;
  readonly state: string;
  readonly outside: string;
  readonly policyFile: string;
  remove(): void;
}

/** Stands in every file that must not be read. */
export const SECRET = 'BYTES-THAT-MUST-NOT-COME-OUT';
/** What the attacker writes. */
export const PAYLOAD = 'bytes of the attacker';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [.] }
  file_list: { allowedPaths: [.] }
  file_search: { allowedPaths: [.] }
  file_write: { allowedPaths: [.] }
`;

/** A workspace with everything that an attacker would like to change, in a folder of its own. */
export function makeAttackPlace(): AttackPlace {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-attack-')));
  const [home, root, state, outside] = ['home', 'home/project', 'state', 'outside'].map((name) => join(top, name)) as [
    string,
    string,
    string,
    string,
  ];
  const files: Record<string, string> = {
    'home/project/sallyport.yaml': POLICY,
    'home/project/sallyport.lock': '{}',
    'home/project/src/a.ts': 'inside',
    'home/project/.git/config': '[core]',
    'home/project/.git/hooks/pre-commit': '#!/bin/sh',
    'home/project/.claude/settings.json': '{}',
    'home/project/.claude/hooks/check.sh': '#!/bin/sh',
    'home/project/.mcp.json': '{}',
    'home/project/.cursor/mcp.json': '{}',
    'home/project/.vscode/settings.json': '{}',
    'home/.claude.json': SECRET,
    'state/tokens/cli.json': SECRET,
    'state/blobs/note': SECRET,
    'outside/secret.txt': SECRET,
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, name)), { recursive: true });
    writeFileSync(join(top, name), content);
  }
  chmodSync(state, 0o700);
  const remove = (): void => rmSync(top, { recursive: true, force: true });
  return { top, root, home, state, outside, policyFile: join(root, 'sallyport.yaml'), remove };
}

/** Empties `src/` but for the one file that is there at the begin. */
export function resetSource({ root }: AttackPlace): void {
  rmSync(join(root, 'src'), { recursive: true, force: true });
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/a.ts'), 'inside');
}

/**
 * Every file that has to be the same after an attack, with its content: all but `src/`, and what the keeper itself writes
 * in its state folder.
 */
export function snapshot({ top, root, state }: AttackPlace): Record<string, string> {
  const keepers = ['log', 'owner', 'keeper', 'state.db', 'checkpoint', 'checkpoint.tmp'].map((name) =>
    join(state, name),
  );
  const changing = [join(root, 'src'), ...keepers];
  const seen: Record<string, string> = {};
  const look = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (changing.includes(path)) continue;
      if (entry.isDirectory()) look(path);
      else if (entry.isFile()) seen[relative(top, path)] = `${statSync(path).ino} ${readFileSync(path, 'utf8')}`;
    }
  };
  look(top);
  return seen;
}

/** A file to attack, where it lies in the place, and what is out of reach about it. */
interface Target {
  readonly name: string;
  readonly path: string;
  readonly uses: readonly ('file_read' | 'file_write')[];
  /** It does not exist yet. */
  readonly fresh?: boolean;
}

const WORKSPACE = 'home/project';
const WRITE = ['file_write'] as const;
const BOTH = ['file_read', 'file_write'] as const;

const TARGETS: readonly Target[] = [
  { name: 'the policy', path: `${WORKSPACE}/sallyport.yaml`, uses: WRITE },
  { name: 'the lock', path: `${WORKSPACE}/sallyport.lock`, uses: WRITE },
  { name: 'git configuration', path: `${WORKSPACE}/.git/config`, uses: WRITE },
  { name: 'a git hook', path: `${WORKSPACE}/.git/hooks/pre-commit`, uses: WRITE },
  { name: 'a new git hook', path: `${WORKSPACE}/.git/hooks/post-merge`, uses: WRITE, fresh: true },
  { name: 'settings of an agent', path: `${WORKSPACE}/.claude/settings.json`, uses: WRITE },
  { name: 'a hook of an agent', path: `${WORKSPACE}/.claude/hooks/check.sh`, uses: WRITE },
  { name: 'a new hook of an agent', path: `${WORKSPACE}/.claude/hooks/new.sh`, uses: WRITE, fresh: true },
  { name: 'MCP servers of a project', path: `${WORKSPACE}/.mcp.json`, uses: WRITE },
  { name: 'an editor', path: `${WORKSPACE}/.cursor/mcp.json`, uses: WRITE },
  { name: 'settings of an editor', path: `${WORKSPACE}/.vscode/settings.json`, uses: WRITE },
  { name: 'settings in the home', path: 'home/.claude.json', uses: BOTH },
  { name: 'a token', path: 'state/tokens/cli.json', uses: BOTH },
  { name: 'a state file', path: 'state/blobs/note', uses: BOTH },
  { name: 'the log', path: 'state/log/checkpoint', uses: BOTH },
  { name: 'the key of the log', path: 'state/keys/log.key', uses: BOTH },
  { name: 'a new state file', path: 'state/tokens/new.json', uses: WRITE, fresh: true },
  { name: 'a file outside', path: 'outside/secret.txt', uses: BOTH },
];

/** A way to name a target. `set` makes what it needs on the disk, in `src/`, and the answer is the path to send. */
interface Trick {
  readonly name: string;
  readonly path: (target: string, place: AttackPlace) => string;
  /** The target has to exist. */
  readonly existing?: boolean;
  /** Only for targets inside the workspace: elsewhere it names something of no interest. */
  readonly inside?: boolean;
}

const swapCase = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()));
const fullWidth = (text: string): string =>
  text.replace(/[a-z.]/, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0));
const withLink = (place: AttackPlace, name: string, target: string): string => {
  symlinkSync(target, join(place.root, 'src', name));
  return `src/${name}`;
};

const TRICKS: readonly Trick[] = [
  { name: 'its relative path', path: (target, { root }) => relative(root, target) },
  { name: 'its absolute path', path: (target) => target },
  { name: 'dot segments', path: (target, { root }) => `src/./../${relative(root, target)}` },
  { name: 'dot segments after what is missing', path: (target, { root }) => `src/no/../../${relative(root, target)}` },
  { name: 'dot segments after a file', path: (target, { root }) => `src/a.ts/../../${relative(root, target)}` },
  { name: 'out of the workspace and back', path: (target, { root }) => `../project/./${relative(root, target)}` },
  { name: 'double slashes', path: (target, { root }) => `src//..//${relative(root, target)}` },
  { name: 'up to / and down', path: (target) => `${'../'.repeat(60)}${target.slice(1)}` },
  { name: 'a symbolic link to it', path: (target, place) => withLink(place, 'link', target) },
  {
    name: 'a relative symbolic link to it',
    path: (target, place) => withLink(place, 'link', relative(join(place.root, 'src'), target)),
  },
  {
    name: 'a link to its folder',
    path: (target, place) => `${withLink(place, 'folder', dirname(target))}/${basename(target)}`,
  },
  {
    name: 'a link to the folder above',
    path: (target, place) =>
      `${withLink(place, 'above', dirname(dirname(target)))}/${basename(dirname(target))}/${basename(target)}`,
  },
  {
    name: 'a chain of links',
    path: (target, place) => {
      withLink(place, 'third', target);
      withLink(place, 'second', 'third');
      return withLink(place, 'first', 'second');
    },
  },
  {
    name: '.. after a link',
    path: (target, place) => {
      mkdirSync(join(dirname(target), 'sub'), { recursive: true });
      return `${withLink(place, 'sub', join(dirname(target), 'sub'))}/../${basename(target)}`;
    },
  },
  {
    name: 'a hard link',
    existing: true,
    path: (target, { root }) => {
      linkSync(target, join(root, 'src/hard'));
      return 'src/hard';
    },
  },
  { name: 'other letter case', inside: true, path: (target, { root }) => swapCase(relative(root, target)) },
  { name: 'a full-width letter', inside: true, path: (target, { root }) => fullWidth(relative(root, target)) },
  {
    name: 'an invisible letter',
    inside: true,
    path: (target, { root }) => relative(root, target).replace(/\w/, '$&\u200c'),
  },
  { name: 'a trailing dot', inside: true, path: (target, { root }) => `${relative(root, target)}.` },
  { name: 'trailing spaces', inside: true, path: (target, { root }) => `${relative(root, target)}  ` },
  {
    name: 'dots on its folders',
    inside: true,
    path: (target, { root }) => relative(root, target).replaceAll('/', './'),
  },
  { name: 'an NTFS stream', inside: true, path: (target, { root }) => `${relative(root, target)}::$DATA` },
  { name: 'a slash at the end', path: (target, { root }) => `${relative(root, target)}/` },
  { name: 'a dot at the end', path: (target, { root }) => `${relative(root, target)}/.` },
  { name: 'a name below it', path: (target, { root }) => `${relative(root, target)}/..namedfork/data` },
  { name: '/proc/self/root', path: (target) => `/proc/self/root${target}` },
  { name: 'a link to /proc/self/root', path: (target, place) => `${withLink(place, 'r', '/proc/self/root')}${target}` },
  { name: '/proc/self/cwd', path: (target) => `/proc/self/cwd/${relative(process.cwd(), target)}` },
  { name: '/dev/fd', path: (target) => `/dev/fd/../../..${target}` },
  { name: 'a file URL', path: (target) => `file://${target}` },
  { name: 'a home', path: (target, { home }) => `~/${relative(home, target)}` },
  { name: 'backslashes', path: (target, { root }) => relative(root, target).replaceAll('/', '\\').padStart(3, '.\\') },
  { name: 'two slashes at the begin', path: (target) => `/${target}` },
  { name: 'NUL after a harmless name', path: (target, { root }) => `${relative(root, target)}\u0000.txt` },
];

/** One attack. Whatever comes of it, the snapshot must stay the same and SECRET must not come out. */
export interface PathAttack {
  readonly title: string;
  readonly tool: 'file_read' | 'file_write';
  /** Makes what the attack needs and gives the path to send. */
  readonly prepare: (place: AttackPlace) => string;
}

const applies = (trick: Trick, target: Target): boolean =>
  !(trick.existing === true && target.fresh === true) && !(trick.inside === true && !target.path.startsWith(WORKSPACE));

/** Every trick on every target: all of them have to be denied. */
export const PATH_ATTACKS: readonly PathAttack[] = TARGETS.flatMap((target) =>
  TRICKS.filter((trick) => applies(trick, target)).flatMap((trick) =>
    target.uses.map((tool) => ({
      title: `${tool} ${target.name}: ${trick.name}`,
      tool,
      prepare: (place: AttackPlace) => trick.path(join(place.top, target.path), place),
    })),
  ),
);

/** Devices and what the kernel makes up: denied for every use. */
export const SPECIAL_PATHS: readonly string[] = [
  '/proc/self/environ',
  '/proc/self/mem',
  '/proc/1/root/etc/passwd',
  '/proc/self/fd/0',
  '/sys/kernel/uevent_helper',
  '/dev/zero',
  '/dev/tty',
  '/dev/fd/0',
  '/dev/stdin',
];
