import { posix } from 'node:path';
import type { JsonObject } from '../../src/core/index.ts';
import {
  type CallFacts,
  compilePolicy,
  type Decision,
  decide,
  type PathFacts,
  type PathReading,
  type PathUse,
  parsePolicy,
} from '../../src/policy/index.ts';

/** Facts and decisions without a file system: what the gate would have gathered. */
export const ROOT = '/home/me/project';

export const principal = (agent = 'agent', user = 'user'): CallFacts['principal'] => ({
  ...{ tenant: 'local', session: 's', proof: 'local' },
  agent,
  user,
});

/** The reading of a path that holds no link. */
export function plainReading(given: string, more: Partial<PathFacts> = {}): PathFacts {
  const lexical = posix.resolve(ROOT, given);
  return { ...{ given, lexical, real: lexical, kind: 'file', links: 1, identity: '1:2', controlFile: false }, ...more };
}

export function callFacts(tool: string, more: Partial<CallFacts> = {}): CallFacts {
  return { tool, arguments: {}, principal: principal(), paths: {}, runs: 'built-in', uncertain: false, ...more };
}

/** A call of a built-in file tool with one path. */
export function pathFacts(tool: string, reading: PathReading, more: Partial<CallFacts> = {}): CallFacts {
  const use: PathUse = tool === 'file_write' ? 'file_write' : 'file_read';
  const args: JsonObject = { path: reading.given };
  return callFacts(tool, { arguments: args, paths: { path: { use, reading } }, ...more });
}

/** `allow`, or the effect and code of what was decided. */
export const verdictOf = (decision: Decision): string =>
  decision.effect === 'allow' ? 'allow' : `${decision.effect} ${decision.code}`;

/** Decides by a policy given as YAML; the tools that exist are those named, or else the keys without `*`. */
export function decideBy(text: string, facts: CallFacts, tools?: readonly string[]): Decision {
  const policy = parsePolicy(text, { file: 'test.yaml' });
  const names = tools ?? policy.tools.map(({ name }) => name);
  return decide(compilePolicy(policy, { root: ROOT, tools: names }), facts);
}
