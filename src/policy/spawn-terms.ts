import { canonicalJson, sha256Hex } from '../core/index.ts';
import type { CompiledPolicy } from './compiled.ts';
import { type CompiledEgress, compileEgress, type EgressQuestion, type EgressVerdict, judgeEgress } from './egress.ts';
import {
  type BoundAllowed,
  bindPathLists,
  findAllowed,
  findAllowedBelow,
  findDenied,
  type PathLists,
} from './path-rule.ts';
import { type PathTarget, readTarget } from './path-target.ts';
import type { PolicyEntry, SpawnLimits, SpawnRule, ToolRule } from './policy.ts';
import { folderAbove } from './reachable.ts';
import { findSelfRunning, leadsToSelfRunning, namesSelfRunning } from './self-running.ts';

/** What a place may be used for. */
export type SpawnAccess = 'none' | 'read' | 'write';

/**
 * What the policies in force let a spawned program see and use: what a sandbox profile is compiled from. Where several count,
 * the narrower holds. Pure; places are absolute real paths.
 */
export interface SpawnTerms {
  /** Absolute real path of the root of the policies. */
  readonly root: string;
  /** Folders, or files, that something below may be allowed in. */
  readonly bases: readonly string[];
  /** What may be done with a file; with a folder, with everything that will ever be in it. */
  access(real: string, kind: 'file' | 'folder'): SpawnAccess;
  /** What `deniedPaths` make of a place: those of `file_write` leave it to be read. */
  withheld(real: string): 'hidden' | 'read-only' | null;
  /** Whether a place runs by itself later, and no entry for writing names it. */
  isSelfRunning(real: string): boolean;
  /** Whether a place runs by itself later, named or not; a link counts too where such a place would lie behind it. */
  runsLater(real: string, kind: 'link' | 'other'): boolean;
  /** Places that `deniedPaths` name without a wildcard, whether they exist or not. */
  readonly named: readonly string[];
  readonly limits: SpawnLimits;
  /** `null`: no network. */
  readonly egress: ((question: EgressQuestion) => EgressVerdict) | null;
  readonly terminateTls: boolean;
  /** SHA-256 of everything above as the policies state it: other terms have another one. */
  readonly digest: string;
}

/** What one policy says. */
interface View {
  readonly root: string;
  readonly readable: readonly BoundAllowed[];
  readonly writable: readonly BoundAllowed[];
  readonly hidden: readonly PathLists[];
  readonly readOnly: readonly PathLists[];
  readonly spawn: SpawnRule;
  readonly egress: CompiledEgress | null;
}

/** The terms of the programs that a tool spawns; null where it has no rule. */
export function spawnTerms(compiled: CompiledPolicy, tool: string): SpawnTerms | null {
  const views = viewsOf(compiled, (one) => viewOfTool(one, tool));
  return views === null ? null : termsOf(views);
}

/** The terms of a server that is spawned; null where there is no such server. */
export function serverTerms(compiled: CompiledPolicy, server: string): SpawnTerms | null {
  const views = viewsOf(compiled, (one) => viewOfServer(one, server));
  return views === null ? null : termsOf(views);
}

function viewsOf(compiled: CompiledPolicy, read: (one: CompiledPolicy) => View | null): readonly View[] | null {
  const own = read(compiled);
  const others = compiled.also === undefined ? [] : viewsOf(compiled.also, read);
  return own === null || others === null ? null : [own, ...others];
}

/** What a command line may only read is wider than `file_read`: see `CompiledCommands.operands`. */
function viewOfTool(compiled: CompiledPolicy, name: string): View | null {
  const tool = compiled.tools.get(name);
  if (tool === undefined) return null;
  return {
    ...withheldBy(compiled),
    readable: (tool.commands?.operands ?? tool.paths.file_read).allow?.allowed ?? [],
    writable: tool.paths.file_write.allow?.allowed ?? [],
    ...{ spawn: tool.rule.spawn, egress: egressOf(tool.rule.spawn) },
  };
}

function viewOfServer(compiled: CompiledPolicy, name: string): View | null {
  const rule = compiled.policy.servers.get(name);
  if (rule === undefined) return null;
  const bind = (entries: readonly PolicyEntry[] = []): readonly BoundAllowed[] =>
    bindPathLists(entries, [], compiled.root).allowed ?? [];
  return {
    ...withheldBy(compiled),
    ...{ readable: bind(rule.paths?.read), writable: bind(rule.paths?.write) },
    ...{ spawn: rule.spawn, egress: egressOf(rule.spawn) },
  };
}

const egressOf = ({ egress }: SpawnRule): CompiledEgress | null =>
  egress === null || egress.entries.length + egress.internal.length === 0 ? null : compileEgress(egress);

/** What any rule withholds is out of reach of every program. */
function withheldBy({ policy, root }: CompiledPolicy): Pick<View, 'root' | 'hidden' | 'readOnly'> {
  const rules = policy.tools.filter(({ deniedPaths }) => deniedPaths.length > 0);
  const bind = ({ deniedPaths }: ToolRule): PathLists => bindPathLists(null, deniedPaths, root);
  return {
    root,
    hidden: rules.filter((rule) => !isAboutWriting(rule)).map(bind),
    readOnly: rules.filter(isAboutWriting).map(bind),
  };
}

/** A rule that judges nothing but writes withholds nothing from a reader. */
function isAboutWriting({ name, arguments: named }: ToolRule): boolean {
  if (name === 'file_write') return true;
  const uses = (named ?? []).flatMap(({ as }) => (as === 'file_read' || as === 'file_write' ? [as] : []));
  return uses.length > 0 && uses.every((use) => use === 'file_write');
}

function termsOf(views: readonly View[]): SpawnTerms {
  const hasEgress = views.every(({ egress }) => egress !== null);
  return Object.freeze({
    root: views[0]?.root ?? '/',
    bases: basesOf(views),
    access: (real: string, kind: 'file' | 'folder') => leastOf(views.map((view) => accessOf(view, real, kind))),
    withheld: (real: string) => withheldIn(views, real),
    isSelfRunning: (real: string) => views.some((view) => runsUnnamed(view, real)),
    runsLater: (real: string, kind: 'link' | 'other') => views.some(({ root }) => runsLater(root, real, kind)),
    named: namedIn(views),
    limits: leastLimits(views.map(({ spawn }) => spawn.limits)),
    egress: hasEgress ? (question: EgressQuestion) => judgeByAll(views, question) : null,
    terminateTls: hasEgress && views.some(({ egress }) => egress?.terminateTls === true),
    digest: sha256Hex(canonicalJson(views.map(describe))),
  });
}

function basesOf(views: readonly View[]): readonly string[] {
  const bound = views.flatMap(({ readable, writable }) => [...readable, ...writable]);
  return [...new Set(bound.map(({ folder, glob }) => folder ?? folderAbove(glob ?? [])))].toSorted();
}

function accessOf({ readable, writable }: View, real: string, kind: 'file' | 'folder'): SpawnAccess {
  const find = kind === 'folder' ? findAllowedBelow : findAllowed;
  if (find(writable, real) !== null) return 'write';
  return find(readable, real) === null ? 'none' : 'read';
}

const ORDER: readonly SpawnAccess[] = ['none', 'read', 'write'];

const leastOf = (found: readonly SpawnAccess[]): SpawnAccess => ORDER.find((one) => found.includes(one)) ?? 'none';

function withheldIn(views: readonly View[], real: string): 'hidden' | 'read-only' | null {
  let isReadOnly = false;
  for (const { root, hidden, readOnly } of views) {
    const target = readTarget(real, root);
    const denies = (lists: PathLists): boolean => findDenied(lists, target) !== null;
    if (hidden.some(denies)) return 'hidden';
    isReadOnly ||= readOnly.some(denies);
  }
  return isReadOnly ? 'read-only' : null;
}

function runsUnnamed({ root, writable }: View, real: string): boolean {
  const target: PathTarget = readTarget(real, root);
  return findSelfRunning(target.folded).some(
    (row) => !writable.some((bound) => namesSelfRunning(bound.entry.text, row) && findAllowed([bound], real) !== null),
  );
}

function runsLater(root: string, real: string, kind: 'link' | 'other'): boolean {
  const { folded } = readTarget(real, root);
  return findSelfRunning(folded).length > 0 || (kind === 'link' && leadsToSelfRunning(folded));
}

const WILDCARDS = /[*?[\\!]/;

function namedIn(views: readonly View[]): readonly string[] {
  const found = views.flatMap(({ root, hidden, readOnly }) =>
    [...hidden, ...readOnly].flatMap(({ denied }) => denied.flatMap(({ entry }) => placesOf(entry.text, root))),
  );
  return [...new Set(found)];
}

/** A rooted pattern is counted from the root, and also read as an absolute path. */
function placesOf(text: string, root: string): readonly string[] {
  if (WILDCARDS.test(text)) return [];
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  const path = parts.join('/');
  return text.startsWith('/') ? [`${root}/${path}`, `/${path}`] : [`${root}/${path}`];
}

const LIMIT_NAMES = ['memoryBytes', 'processes', 'outputBytes', 'openFiles', 'fileBytes', 'diskBytes'] as const;

function leastLimits(all: readonly SpawnLimits[]): SpawnLimits {
  const least = (name: (typeof LIMIT_NAMES)[number]): number | null => {
    const stated = all.flatMap((limits) => limits[name] ?? []);
    return stated.length === 0 ? null : Math.min(...stated);
  };
  return Object.freeze({
    memoryBytes: least('memoryBytes'),
    processes: least('processes'),
    outputBytes: least('outputBytes'),
    openFiles: least('openFiles'),
    fileBytes: least('fileBytes'),
    diskBytes: least('diskBytes'),
  });
}

/** Every policy that counts has to allow it; what only one of them lets pass does not. */
function judgeByAll(views: readonly View[], question: EgressQuestion): EgressVerdict {
  const verdicts = views.map(({ egress }) => judgeEgress(egress, question));
  const refused = verdicts.find(({ allowed }) => !allowed);
  const [first] = verdicts;
  if (refused !== undefined || first === undefined || !first.allowed)
    return refused ?? { allowed: false, rule: 'builtin.ENDPOINT_NOT_ALLOWED', reason: 'no policy counts' };
  const all = (key: 'internal' | 'credentials' | 'plain'): boolean => verdicts.every((one) => one.allowed && one[key]);
  return { ...first, internal: all('internal'), credentials: all('credentials'), plain: all('plain') };
}

/** A view as plain data: rules by their text. */
function describe({ root, readable, writable, hidden, readOnly, spawn }: View) {
  const texts = (entries: readonly { readonly entry: PolicyEntry }[]): string[] =>
    entries.map(({ entry }) => entry.text);
  const lists = (all: readonly PathLists[]): string[][] => all.map((one) => texts([...one.denied, ...one.exempt]));
  const { limits, egress } = spawn;
  const of = (entries: readonly PolicyEntry[] | null): string[] | null => entries?.map(({ text }) => text) ?? null;
  return {
    ...{ root, readable: texts(readable), writable: texts(writable) },
    ...{ hidden: lists(hidden), readOnly: lists(readOnly), limits: { ...limits } },
    egress:
      egress === null
        ? null
        : {
            ...{ entries: of(egress.entries), internal: of(egress.internal), methods: of(egress.methods) },
            ...{ terminateTls: egress.terminateTls, credentials: egress.credentials },
          },
  };
}
