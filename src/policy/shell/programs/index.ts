import { compileProgram, type Program, type ProgramTable } from '../program.ts';
import { ARCHIVE_FAMILY } from './archive.ts';
import { BUILD_FAMILY } from './build.ts';
import { BUILTINS } from './builtins.ts';
import { CLOUD_FAMILY } from './cloud.ts';
import { DOCKER_FAMILY } from './docker.ts';
import { FILES_FAMILY } from './files.ts';
import { FIND_FAMILY } from './find.ts';
import { GIT } from './git.ts';
import { NETWORK_FAMILY } from './network.ts';
import { NODE_FAMILY } from './node.ts';
import { NPM_FAMILY } from './npm.ts';
import { PYTHON_FAMILY } from './python.ts';
import { TEXT_FAMILY } from './text.ts';
import { SHELLS, WRAPPERS } from './wrappers.ts';

const FAMILIES: readonly Readonly<Record<string, ProgramTable>>[] = [
  GIT,
  NPM_FAMILY,
  NODE_FAMILY,
  PYTHON_FAMILY,
  DOCKER_FAMILY,
  BUILD_FAMILY,
  FIND_FAMILY,
  TEXT_FAMILY,
  ARCHIVE_FAMILY,
  FILES_FAMILY,
  NETWORK_FAMILY,
  WRAPPERS,
  SHELLS,
  CLOUD_FAMILY,
  BUILTINS,
];

/** A key names several programs, white space between; `python -m X` is one name. */
const namesOf = (key: string): readonly string[] =>
  key
    .replaceAll('python -m ', 'python_-m_')
    .split(/\s+/)
    .map((name) => name.replace('python_-m_', 'python -m '));

const PROGRAMS: ReadonlyMap<string, Program> = new Map(
  FAMILIES.flatMap((family) =>
    Object.entries(family).flatMap(([key, table]) => {
      const program = compileProgram(table);
      return namesOf(key).map((name): [string, Program] => [name, program]);
    }),
  ),
);

/** The table of a program, by the exact name it is called by; null for one that no table describes. */
export const programNamed = (name: string): Program | null => PROGRAMS.get(name) ?? null;

/** Names of all programs that a table describes, sorted. */
export const knownPrograms = (): readonly string[] => [...PROGRAMS.keys()].sort();
