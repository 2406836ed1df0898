import { homedir } from 'node:os';
import type { Clock, ErrorCode, IsolationLevel, Limits } from '../core/index.ts';
import type { Guard } from '../guard/index.ts';
import type { Keeper } from '../keeper/index.ts';
import type { SandboxSettings } from '../policy/index.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  isObserving,
  meetPolicies,
  type Policy,
  type ServerRule,
} from '../policy/index.ts';
import type { Sandboxes } from '../sandbox/index.ts';
import { type ControlFiles, watchControlFiles } from './control-files.ts';
import type { Dial, Resolve } from './fetch-types.ts';
import type { LimitedCalls } from './limited-calls.ts';
import type { LoadedPolicy } from './load-policy.ts';
import { type PolicyPair, serversOfPair } from './policy-pair.ts';
import { openProfiles, type Profiles } from './profile.ts';
import type { Registry } from './registry.ts';
import type { RunningCalls } from './running-calls.ts';
import type { SpawningSessions } from './spawning-sessions.ts';
import type { Suspects } from './suspects.ts';

/** What a gate has whatever its policy. The gate owns it; the steps read it. */
export interface Fixtures {
  readonly keeper: Keeper;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Reads what comes back. */
  readonly guard: Guard;
  readonly suspects: Suspects;
  /** Looks names up and opens connections for requests that were judged. */
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly certificates: readonly string[];
  /** Names this gate, where nothing else tells it from others: limits of a policy that is no file count by it. */
  readonly id: string;
  /** Refusals by limits that are being recorded. */
  readonly limited: LimitedCalls;
  readonly running: RunningCalls;
  readonly spawning: SpawningSessions;
  /** Levels that alone will do, where the one who opened the gate named some. */
  readonly isolation: readonly IsolationLevel[] | null;
  /** The sandboxes of these settings; opened when they are first asked for. */
  readonly sandboxesFor: (settings: SandboxSettings) => Sandboxes;
  readonly missing: (tool: string) => { readonly code: ErrorCode; readonly reason: string } | null;
  /** The house with the policy in force now. A call takes one, and begins anew if it was not admitted under it. */
  latest(): House;
  /** The house once everything is loaded that changed before this was called. `stale`: one whose epoch the keeper refused. */
  renewed(stale: House): Promise<House>;
}

/**
 * What every call of a gate shares, under one policy.
 * INVARIANT: a house never changes. Another policy is another house, which takes its place in one assignment.
 */
export interface House extends Fixtures {
  /** Absolute real path that relative paths are read against: the approved policy's. */
  readonly root: string;
  readonly control: ControlFiles;
  readonly profiles: Profiles;
  /** How what is spawned is isolated: by the settings that were approved. */
  sandboxes(): Sandboxes;
  /** The policy as it is written now. */
  readonly policy: Policy;
  /** The policy that counts besides, until what is written is approved; `null`: nothing waits. */
  readonly approved: Policy | null;
  readonly epoch: number;
  /** What the counts of limits belong to: the policy file, which gates share, or this gate. */
  readonly countedBy: string;
  /** Nothing is enforced: `mode: observe`. */
  readonly observing: boolean;
  readonly servers: ReadonlyMap<string, ServerRule>;
  /** Servers whose tools no call may use: they were removed, or wait for approval. */
  readonly withheld: ReadonlySet<string>;
  /** The policy over the tools that are registered now. */
  compiled(): CompiledPolicy;
  /** The policy over other tools. */
  compileFor(tools: readonly string[]): CompiledPolicy;
}

/** Builds the house of a policy. `before`: the house whose place it takes. */
export function buildHouse(fixtures: Fixtures, pair: PolicyPair, place: Placement): House {
  const { written, approved } = pair;
  const { registry, keeper } = fixtures;
  const { root } = approved ?? written;
  const compileFor = (tools: readonly string[]): CompiledPolicy => compilePair(pair, tools);
  let known: { readonly version: number; readonly compiled: CompiledPolicy } | null = null;
  const compiled = (): CompiledPolicy => {
    if (known?.version !== registry.version) {
      known = { version: registry.version, compiled: compileFor(namesOf(pair, registry)) };
    }
    return known.compiled;
  };
  const settings = (approved ?? written).policy.sandbox;
  const sandboxes = (): Sandboxes => fixtures.sandboxesFor(settings);
  const control = watchControlFiles({
    ...{ root, home: homedir(), policyFile: written.policyFile, stateFolders: [keeper.state] },
    policyReads: [settings.runscPath, settings.bubblewrapPath].filter((path) => path !== undefined),
  });
  return Object.freeze({
    ...fixtures,
    ...{ root, compiled, compileFor, epoch: place.epoch },
    policy: written.policy,
    countedBy: written.policyFile ?? fixtures.id,
    approved: approved?.policy ?? null,
    observing: isObserving(compiled()), // a policy that does not compile over the tools that are here builds no house
    servers: serversOfPair(pair),
    withheld: withheldServers(pair, place.before),
    ...{
      control,
      sandboxes,
      profiles: openProfiles(control, { isPlaceholder: (path) => sandboxes().isPlaceholder(path) }),
    },
  });
}

/** Where a house stands in time. */
export interface Placement {
  readonly epoch: number;
  readonly before: House | null;
}

function compilePair({ written, approved }: PolicyPair, tools: readonly string[]): CompiledPolicy {
  const compile = ({ policy, root }: LoadedPolicy): CompiledPolicy => compilePolicy(policy, { root, tools });
  return approved === null ? compile(written) : meetPolicies(compile(written), compile(approved));
}

/** What wildcards stand for is registered; what a rule names counts too, so that a missing tool is told from a denied one. */
const namesOf = ({ written, approved }: PolicyPair, registry: Registry): string[] => [
  ...registry.names(),
  ...[...written.policy.tools, ...(approved?.policy.tools ?? [])]
    .map(({ name }) => name)
    .filter((name) => !name.includes('*')),
];

/** Servers that some policy of this gate named, and that the policy in force does not have. */
function withheldServers(pair: PolicyPair, before: House | null): ReadonlySet<string> {
  const { written, approved } = pair;
  const named = [
    written.policy,
    ...(approved === null ? [] : [approved.policy]),
    ...(before === null ? [] : [before.policy]),
  ];
  const ever = new Set([...named.flatMap(({ servers }) => [...servers.keys()]), ...(before?.withheld ?? [])]);
  for (const name of serversOfPair(pair).keys()) ever.delete(name);
  return ever;
}
