import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SecretReference } from '../../src/core/index.ts';
import { type Gate, openGate } from '../../src/gate/index.ts';
import type { SecretSource } from '../../src/keeper/index.ts';
import { apiCall, secretBackedTool } from '../../src/tools/index.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { openWorld, type World } from './endpoints-world.ts';

const SECRETS = 20;
const CALLS = 1_000;
const names = Array.from({ length: SECRETS }, (_, index) => `s${index}`);

/** `sNN-gGG-…`: whose value it is, and of which generation, in a form that no other value shares. */
const secretOf = (name: string, generation: number): string =>
  `${name}x${generation}x${Buffer.from(`${name}/${generation}/kQ7vLm2Z`).toString('hex')}`;

/** Each value is another one at every fetch, and comes late and out of order. */
function rotating(): SecretSource & { readonly fetched: Map<string, number> } {
  const fetched = new Map<string, number>();
  return {
    fetched,
    async resolve({ path }: SecretReference) {
      const generation = (fetched.get(path) ?? 0) + 1;
      fetched.set(path, generation);
      await sleep((generation * 7 + path.length) % 11);
      return { value: secretOf(path, generation), version: `${generation}` };
    },
  };
}

const originOf = (name: string): string => `http://${name}.internal:8080`;
const granted = (name: string): string =>
  `"${originOf(name)}": { header: Authorization, value: "Bearer \${secret:env:${name}}" }`;
const POLICY = `version: 1
defaults: { isolation: none }
tools:
  api_call:
    internalEndpoints: [${names.map((name) => `"${originOf(name)}"`).join(', ')}]
    secrets:
${names.map((name) => `      ${granted(name)}`).join('\n')}
${names.map((name) => `  use_${name}: { internalEndpoints: ["${originOf(name)}"], secrets: { ${granted(name)} } }`).join('\n')}
`;

let workspace: Workspace;
let world: World;
let gate: Gate;
let source: ReturnType<typeof rotating>;
beforeEach(async () => {
  source = rotating();
  workspace = makeWorkspace(POLICY);
  world = await openWorld(['unused.example.com'], (request, response) => {
    response.end(`${request.url} has ${request.headers.authorization}`);
  });
  const functions = names.map((name) =>
    secretBackedTool({
      ...{ name: `use_${name}`, secret: `env:${name}`, schema: { type: 'object' } },
      execute: async ({ id }, secret) => (await secret.fetch(`${originOf(name)}/${id}`)).text(),
    }),
  );
  gate = await openGate({
    ...{ policy: workspace.policyFile, state: workspace.state, secretSource: source, tools: [apiCall(), ...functions] },
    ...{ resolve: async () => ['10.0.0.7'], dial: world.dial },
  });
});
afterEach(async () => {
  await gate.close();
  await world.close();
  workspace.remove();
});

describe('a thousand calls at once, with twenty secrets that rotate at every use [T3.1]', () => {
  test('each carries its own, of any user, and shows none', async () => {
    const users = Array.from({ length: 10 }, (_, index) => `user${index}`);
    const sessions = await Promise.all(users.map((user) => gate.openSession({ user })));
    const results = await Promise.all(
      Array.from({ length: CALLS }, (_, index) => {
        const session = sessions[index % sessions.length];
        const name = names[(index * 7) % SECRETS] as string;
        const url = `${originOf(name)}/${index}`;
        return index % 2 === 0
          ? session?.call('api_call', { method: 'GET', url })
          : session?.call(`use_${name}`, { id: index });
      }),
    );
    expect(new Set(results.map((result) => result?.kind))).toEqual(new Set(['delivered']));
    expect(world.arrived).toHaveLength(CALLS);
    const crossed = world.arrived.filter(({ url, headers }) => {
      const [, name = '', generation = ''] = /^Bearer (s\d+)x(\d+)x/.exec(`${headers.authorization}`) ?? [];
      return (
        !url.startsWith(`http://${name}.internal`) ||
        headers.authorization !== `Bearer ${secretOf(name, Number(generation))}`
      );
    });
    expect(crossed).toEqual([]);
    expect(new Set(world.arrived.map(({ headers }) => headers.authorization)).size).toBeGreaterThan(SECRETS);
    const shown = JSON.stringify(results);
    for (const [name, generations] of source.fetched) {
      for (let generation = 1; generation <= generations; generation++)
        expect(shown.includes(secretOf(name, generation))).toBe(false);
    }
  });
});
