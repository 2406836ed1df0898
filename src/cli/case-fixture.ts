import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';

/** The surroundings of a case: a project folder and, beside it, what is not the project. */
export interface BuiltFixture {
  /** The project as calls and policy name it: a link to the real folder if the fixture wants one. */
  readonly root: string;
  /** Working directory inside the project, relative to it; empty: the project itself. */
  readonly cwd: string;
  /** Puts the real folders where a text says `${ROOT}` and `${OUT}`. */
  fill(text: string): string;
}

/** Builds fixtures in one temporary folder; `remove` takes all of them away. */
export interface FixtureBuilder {
  /** A state folder that does not exist: judged like the real one, never opened. */
  readonly state: string;
  /** @throws SallyportError CASES_INVALID when a fixture cannot be built, or would write outside of its own folder */
  build(fixture: JsonObject, base: JsonObject): Promise<BuiltFixture>;
  remove(): void;
}

export function openFixtures(): FixtureBuilder {
  // Short names: the path of a Unix socket has room for about a hundred bytes.
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'sp-')));
  const servers: Server[] = [];
  let count = 0;
  return {
    state: join(top, 'state'),
    build: async (fixture, base) => {
      count += 1;
      return await buildIn(join(top, String(count)), { fixture, base, servers });
    },
    remove: () => {
      for (const server of servers) server.close();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

interface Plan {
  readonly fixture: JsonObject;
  readonly base: JsonObject;
  readonly servers: Server[];
}

const ROOT = '$' + '{ROOT}';
const OUT = '$' + '{OUT}';

async function buildIn(folder: string, plan: Plan): Promise<BuiltFixture> {
  const { fixture } = plan;
  const real = join(folder, 'project');
  const out = join(folder, 'outside');
  for (const made of [real, out]) mkdirSync(made, { recursive: true });
  const root = fixture['rootSymlink'] === true ? join(folder, 'linked') : real;
  if (root !== real) symlinkSync(real, root);
  const fill = (text: string): string => text.replaceAll(ROOT, root).replaceAll(OUT, out);
  const at = (path: string, under: string): string => placeIn(folder, resolve(under, fill(path)));
  try {
    await fillFolders(plan, { real, out, at, fill });
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    throw new SallyportError('CASES_INVALID', `a fixture cannot be built: ${String(cause)}`, { cause });
  }
  return { root, cwd: typeof fixture['cwd'] === 'string' ? fixture['cwd'] : '', fill };
}

interface Folders {
  readonly real: string;
  readonly out: string;
  at(path: string, under: string): string;
  fill(text: string): string;
}

/** Files first, so that none is written through a link of the fixture. */
async function fillFolders({ fixture, base, servers }: Plan, { real, out, at, fill }: Folders): Promise<void> {
  const parts = fixture['base'] === true ? [base, fixture] : [fixture];
  const tables = (key: string): [string, string][] => parts.flatMap((part) => textsOf(part[key]));
  const lists = (key: string): string[] => parts.flatMap((part) => listOf(part[key]));
  for (const [path, text] of tables('files')) writeFileSync(at(path, real), text);
  for (const [path, text] of tables('outside')) writeFileSync(at(path, out), text);
  for (const path of lists('dirs')) mkdirSync(at(path, real), { recursive: true });
  for (const [path, target] of tables('hardlinks')) linkSync(at(target, real), at(path, real));
  for (const path of lists('fifos')) execFileSync('mkfifo', [at(path, real)], { stdio: 'ignore' });
  for (const path of lists('sockets')) servers.push(await listenAt(at(path, real)));
  for (const [path, target] of tables('symlinks')) symlinkSync(fill(target), at(path, real));
}

/** ATTACKER-CONTROLLED: `path`, in cases of a stranger. INVARIANT: nothing is made outside of the fixture's own folder. */
function placeIn(folder: string, path: string): string {
  if (!path.startsWith(`${folder}/`)) throw leaving();
  makeFolder(dirname(path), folder);
  return path;
}

/** Makes missing folders one by one, so that none is made behind a link that leads elsewhere. */
function makeFolder(path: string, folder: string): void {
  if (path !== folder) makeFolder(dirname(path), folder);
  mkdirSync(path, { recursive: true });
  if (!`${realpathSync(path)}/`.startsWith(`${folder}/`)) throw leaving();
}

const leaving = (): SallyportError => new SallyportError('CASES_INVALID', 'a fixture leaves its folder');

function listenAt(path: string): Promise<Server> {
  return new Promise((fulfil, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(path, () => {
      server.unref();
      fulfil(server);
    });
  });
}

const textsOf = (value: JsonValue | undefined): [string, string][] =>
  isJsonObject(value)
    ? Object.entries(value).flatMap(([name, text]): [string, string][] =>
        typeof text === 'string' ? [[name, text]] : [],
      )
    : [];

const listOf = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.flatMap((item) => (typeof item === 'string' ? [item] : [])) : [];
