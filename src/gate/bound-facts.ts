import { realpathSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { GrantUse } from '../keeper/index.ts';
import { type CallFacts, isCommandTrouble } from '../policy/index.ts';
import { identityOf } from './control-identities.ts';
import { type Freezer, openFreezer } from './frozen-content.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';
import { type PlannedRun, planRun } from './planned-run.ts';

type BoundFacts = GrantUse['binding']['facts'];
type BoundPath = BoundFacts['paths'][string];
type BoundProgram = BoundFacts['programs'][number];

/** The facts of a call as a person is shown them, and as a yes is bound to them: what was judged, and the content behind it. */
export async function boundFacts(house: House, judgement: Judgement): Promise<BoundFacts> {
  const { facts } = judgement;
  const freeze = openFreezer();
  const paths: Record<string, BoundPath> = {};
  for (const [pointer, path] of Object.entries(facts.paths)) paths[pointer] = await boundPath(path, freeze);
  const programs: BoundProgram[] = [];
  const run = planRun(house, judgement);
  for (const name of programsOf(facts, run)) programs.push(await boundProgram(name, run, freeze));
  return { runs: facts.runs, paths, requests: boundRequests(facts), programs };
}

async function boundPath({ use, reading }: CallFacts['paths'][string], freeze: Freezer): Promise<BoundPath> {
  if ('trouble' in reading) return { use, real: reading.given, kind: reading.trouble, identity: null, content: null };
  const { real, kind, identity } = reading;
  // What is overwritten does not matter; what is read, or run, does.
  const isRead = kind === 'file' && use === 'file_read' && identity !== null;
  return { use, real, kind, identity, content: isRead ? await freeze({ real, identity }) : null };
}

function boundRequests({ requests = {} }: CallFacts): BoundFacts['requests'] {
  return Object.fromEntries(
    Object.entries(requests).map(([pointer, { method, url, addresses }]) => [
      pointer,
      {
        method,
        url: 'trouble' in url ? url.trouble : url.text,
        addresses: addresses === null ? null : [...addresses].sort(),
      },
    ]),
  );
}

/** The programs that a command line starts, each once, in the order of the line; bash where it runs the line. */
function programsOf({ command }: CallFacts, run: PlannedRun | null): readonly string[] {
  if (run === null || command === undefined || isCommandTrouble(command)) return [];
  const named = command.commands.flatMap(({ words: [first], builtin, keyword, assigning }) =>
    builtin || keyword || assigning || first === undefined ? [] : [first.text],
  );
  return [...new Set(run.kind === 'bash' ? [run.file, ...named] : [run.file])];
}

async function boundProgram(name: string, run: PlannedRun | null, freeze: Freezer): Promise<BoundProgram> {
  const found = run === null ? null : findProgram(name, run);
  if (found === null) return { name, real: name, identity: null, content: null };
  return { name, ...found, content: await freeze(found) };
}

/** The file that a name stands for on the `PATH` that the command gets. ATTACKER-CONTROLLED: `name`. */
function findProgram(
  name: string,
  { env, cwd }: PlannedRun,
): { readonly real: string; readonly identity: string } | null {
  if (name === '' || name.includes('\0')) return null;
  if (name.includes('/')) return programAt(posix.resolve(cwd, name));
  for (const folder of (env['PATH'] ?? '').split(':')) {
    const found = folder === '' ? null : programAt(join(folder, name));
    if (found !== null) return found;
  }
  return null;
}

function programAt(path: string): { readonly real: string; readonly identity: string } | null {
  try {
    const real = realpathSync(path);
    const stats = statSync(real, { bigint: true });
    return stats.isFile() ? { real, identity: identityOf(stats) } : null;
  } catch {
    return null; // nothing there that could be run
  }
}
