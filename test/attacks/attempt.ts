import { DEFAULT_LIMITS, type ErrorCode, isSallyportError, type JsonObject } from '../../src/core/index.ts';
import { watchControlFiles } from '../../src/gate/control-files.ts';
import { openPath } from '../../src/gate/open-path.ts';
import { readPath } from '../../src/gate/path-facts.ts';
import type { PathFacts, PathReading, PathUse } from '../../src/policy/index.ts';
import { builtInTools } from '../../src/tools/index.ts';
import type { AttackPlace } from './path-tricks.ts';

/** What came of a call: null if it was carried out, else the code of the denial or failure. */
export interface Attempted {
  readonly code: ErrorCode | null;
  readonly text: string;
}

/** A surface under attack: one call of a built-in tool. */
export type Attempt = (tool: string, args: JsonObject) => Promise<Attempted>;

/**
 * The path layer alone, under the plainest policy that allows the whole workspace: the built-in rules and nothing else.
 * `betweenCheckAndUse` runs after the decision and before the tool.
 */
export function attemptByPathLayer(
  { root, home, state, policyFile }: AttackPlace,
  betweenCheckAndUse: () => void = () => undefined,
): Attempt {
  const control = watchControlFiles({ root, home, policyFile, stateFolders: [state] });
  return async (name, args) => {
    const tool = builtInTools().find((candidate) => candidate.name === name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    const use: PathUse = tool.paths?.['path'] ?? 'file_read';
    const options = { root, use, control, limits: DEFAULT_LIMITS };
    const reading = readPath(typeof args['path'] === 'string' ? args['path'] : '.', options);
    const code = denial(reading, use, root);
    if (code !== null || 'trouble' in reading) return { code, text: '' };
    const judgeChild = (child: PathFacts): boolean => denial(child, use, root) === null;
    const principal = { tenant: 't', user: 'u', agent: 'a', session: 's', proof: 'local' } as const;
    betweenCheckAndUse();
    try {
      const output = await tool.execute(args, {
        ...{ root, principal, session: 's', signal: new AbortController().signal },
        paths: { path: openPath(reading, { ...options, judgeChild }) },
      });
      return { code: null, text: JSON.stringify(output) };
    } catch (error) {
      if (!isSallyportError(error)) throw error;
      return { code: error.code, text: '' };
    }
  };
}

function denial(reading: PathReading, use: PathUse, root: string): ErrorCode | null {
  if ('trouble' in reading) return reading.trouble;
  if (reading.stateFolder || (reading.controlFile && use === 'file_write')) return 'PATH_CONTROL_FILE';
  if (reading.kind === 'special') return 'PATH_SPECIAL_FILE';
  if (reading.kind === 'file' && reading.links > 1) return 'PATH_HARD_LINK';
  return reading.real === root || reading.real.startsWith(`${root}/`) ? null : 'PATH_NOT_ALLOWED';
}
