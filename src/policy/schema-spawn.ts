import type { JsonObject } from '../core/index.ts';
import { closed, flag, list, text } from './schema-parts.ts';

const count = (description: string, maximum: number): JsonObject => ({
  description,
  type: 'integer',
  minimum: 1,
  maximum,
});

/** What a program that is spawned may use at most; a server has no time limit of its own. */
export const spawnLimits: Readonly<Record<string, JsonObject>> = {
  memory: { $ref: '#/$defs/largeSize', description: 'Memory of all its processes together; `2GiB` if absent.' },
  processes: count('Processes and threads at once; 512 if absent.', 100_000),
  output: {
    $ref: '#/$defs/largeSize',
    description: 'What it may print before it is killed; `64MiB` if absent, for a server no limit.',
  },
  files: count('Descriptors that a process may have open; 4096 if absent.', 1_048_576),
  fileSize: { $ref: '#/$defs/largeSize', description: 'The largest file that it may write; `1GiB` if absent.' },
  disk: {
    $ref: '#/$defs/largeSize',
    description: 'Its private temporary folder and home, and what it may write into the workspace; `2GiB` if absent.',
  },
};

const host = text('A host, or a URL without query.', { maxLength: 1_024 });

/** Where a program that is spawned may connect. */
export const egressKeys: Readonly<Record<string, JsonObject>> = {
  egress: list(
    'Where what is spawned may connect, through the proxy of its sandbox: entries as in `allowedEndpoints`. Without this key, or with an empty list, it has no network. A path needs `terminateTls: true`, for nobody sees into a TLS tunnel.',
    host,
    { maxItems: 1_000 },
  ),
  terminateTls: flag(
    'Whether TLS ends at the proxy of the sandbox, with an authority made for it alone, so that methods and paths are judged. Clients that bring their own authorities refuse it.',
  ),
  egressCredentials: flag(
    'Whether credentials that a client sends itself (`Authorization`, cookies) go through in requests that the proxy sees; else they are taken out. Into a TLS tunnel nobody sees.',
  ),
};

/** The folders that a spawned server sees. */
export const serverPaths: JsonObject = closed(
  'What a spawned server sees besides its own program: folders, files and globs as in `allowedPaths`, relative to the root. Without this key it sees nothing of the workspace. `deniedPaths` of file tools stay hidden, control files cannot be written.',
  {
    read: list('What it may read.', text('A folder, a file or a glob.', { maxLength: 1_024 })),
    write: list('What it may read and write.', text('A folder, a file or a glob.', { maxLength: 1_024 })),
  },
  { minProperties: 1, 'x-remedy': 'Write read: or write:, or remove the key' },
);

const program = (description: string): JsonObject =>
  text(description, { pattern: '^/', 'x-remedy': 'Write an absolute path' });

const id = (description: string): JsonObject => ({
  description,
  type: 'integer',
  minimum: 1,
  maximum: 2_147_483_647,
  'x-remedy': 'Name a user that is not root',
});

/** How sandboxes are made on this machine. */
export const sandboxSettings: JsonObject = closed('How sandboxes are made on this machine.', {
  runscPath: program('Where `runsc` (gVisor) is; looked up on PATH and in /usr/local/bin if absent.'),
  minRunscVersion: text('The oldest release of `runsc` that is taken: `20240729`.', {
    pattern: '^[0-9]{8}$',
    'x-remedy': 'Write a date: 20240729',
  }),
  bubblewrapPath: program('Where `bwrap` (bubblewrap) is; looked up on PATH if absent.'),
  runAs: closed(
    'Whom programs run as when Sallyport itself is root: never root.',
    { uid: id('The user.'), gid: id('The group.') },
    { required: ['uid', 'gid'] },
  ),
});
