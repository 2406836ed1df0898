import { type JsonObject, SallyportError } from '../core/index.ts';
import { acceptedLevels, type CompiledPolicy, type ServerRule, type SpawnTerms, serverTerms } from '../policy/index.ts';
import {
  type ChosenLevel,
  type EgressEvent,
  SANDBOX_HOME,
  type SandboxCommand,
  type SandboxProcess,
  type SandboxProfile,
} from '../sandbox/index.ts';
import { egressDoor } from './egress-door.ts';
import type { House } from './house.ts';
import { levelsFor } from './isolation-facts.ts';
import { evidenceOf } from './placement.ts';
import { INSIDE_VARIABLE } from './planned-run.ts';
import { installFoldersOf, runtimeFor } from './program-runtime.ts';
import { withReads } from './with-reads.ts';

/** The part of a house that servers are started with. */
export type ServerHouse = Pick<
  House,
  'compiled' | 'profiles' | 'sandboxes' | 'resolve' | 'dial' | 'certificates' | 'root' | 'isolation'
>;

/** What a server is started in, and what that was compiled from. */
export interface ServerPlace {
  readonly terms: SpawnTerms;
  readonly profile: SandboxProfile;
}

export interface ServerStart {
  readonly rule: ServerRule;
  /** The policies in force when something wants out; null: the server is not in them any more. */
  readonly current: () => CompiledPolicy;
  /** Is told, before the program starts, where it will run. */
  readonly placed: (isolation: JsonObject, place: ServerPlace) => Promise<void>;
  readonly egress: (event: EgressEvent) => void;
}

/**
 * Starts a server of the policy: in the level that the policy accepts, with its own folders, its own few variables and its own
 * way to a network.
 *
 * @throws SallyportError ISOLATION_UNAVAILABLE, SANDBOX_FAILED, and what `placed` throws: nothing ran
 */
export async function startServer(
  house: ServerHouse,
  { rule, current, placed, egress }: ServerStart,
): Promise<SandboxProcess> {
  const { command } = rule;
  const own = serverTerms(house.compiled(), rule.name);
  if (command === null || own === null) throw new SallyportError('INTERNAL', 'there is no such server to be started');
  const asked = levelsFor(house, acceptedLevels(house.compiled(), `mcp__${rule.name}:tools/list`));
  const chosen = await house.sandboxes().choose(asked);
  const { runtime, reads } = runtimeFor(command[0] ?? '');
  const terms = withReads(own, [...installFoldersOf(command), ...reads]);
  const limits = { terms, wallMs: 0, outputBytes: 0 };
  const door = egressDoor(house, terms, { current: () => serverTerms(current(), rule.name), record: egress });
  const profile =
    chosen.level === 'none'
      ? house.profiles.plain(limits)
      : await house.profiles.compile({ ...limits, runtime, egress: door });
  await placed({ asked, ...evidenceOf(chosen, profile) }, { terms, profile });
  return house
    .sandboxes()
    .start(chosen, profile, commandFor(house, rule, { command, chosen, profile }), { owner: null });
}

/** Variables that a program cannot start without; nothing else of our environment reaches a server. */
const INHERITED = ['LANG', 'TERM'];
const INHERITED_PLAIN = ['PATH', 'HOME', ...INHERITED];

interface Placed {
  readonly command: readonly string[];
  readonly chosen: ChosenLevel;
  readonly profile: SandboxProfile;
}

function commandFor({ root }: ServerHouse, rule: ServerRule, { command, chosen, profile }: Placed): SandboxCommand {
  const isPlain = chosen.level === 'none';
  const [given = '', ...args] = command;
  const names = isPlain ? INHERITED_PLAIN : INHERITED;
  const inherited = names.flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const isSeen = profile.mounts.some(({ path }) => path === root || root.startsWith(`${path}/`));
  return {
    argv: [isPlain ? given : runtimeFor(given).program, ...args],
    ...{ argv0: given, cwd: isPlain || isSeen ? root : SANDBOX_HOME, stdin: 'pipe' },
    env: { ...Object.fromEntries(inherited), ...rule.env, [INSIDE_VARIABLE]: '1' },
  };
}
