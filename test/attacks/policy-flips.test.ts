import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRecords, verifyLog } from '../../src/audit/index.ts';
import { type Gate, openGate } from '../../src/gate/index.ts';
import { addTool } from '../support/add-tool.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** Who can write the policy file writes it over and over: nothing that was not approved ever runs. */
const ROUNDS = 60;
const policyOf = (...tools: readonly string[]): string =>
  `version: 1\ndefaults: { isolation: none }\ntools: { ${tools.map((tool) => `${tool}: {}`).join(', ')} }\n`;

let workspace: Workspace;
const gates: Gate[] = [];
beforeEach(() => {
  workspace = makeWorkspace(policyOf('add', 'also'));
});
afterEach(async () => {
  for (const gate of gates.splice(0).reverse()) await gate.close();
  workspace.remove();
});

/** Each way to give the file another content, none of which waits for the gate. */
const WAYS: readonly ((file: string, text: string) => void)[] = [
  (file, text) => writeFileSync(file, text),
  (file, text) => writeFileSync(file, text.slice(0, text.length / 2)),
  (file, text) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  },
  (file, text) => {
    writeFileSync(`${file}.target`, text);
    symlinkSync(`${file}.target`, `${file}.new`);
    renameSync(`${file}.new`, file);
  },
];

test('[T1.9] a policy file that flips for ever opens nothing, for two gates that share a keeper', async () => {
  let ran = 0;
  const more = { ...addTool(), name: 'more', execute: async () => `${++ran}` };
  const also = { ...addTool(), name: 'also' };
  const options = { policy: workspace.policyFile, state: workspace.state, tools: [addTool(), also, more] };
  const quiet = { onPolicyNotice: () => undefined };
  const one = await openGate({ ...options, ...quiet });
  const two = await openGate({ ...options, ...quiet, keeper: one.keeper });
  gates.push(one, two);
  const texts = [
    policyOf('add', 'more'),
    policyOf('also', 'more'),
    `mode: observe\n${policyOf('more')}`,
    policyOf('add'),
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const text = texts[round % texts.length] ?? '';
    WAYS[(round >> 2) % WAYS.length]?.(workspace.policyFile, text);
    const calls = gates.flatMap((gate) => ['more', 'add', 'also'].map((name) => gate.call(name, { a: round, b: 1 })));
    for (const result of await Promise.all(calls)) expect(['delivered', 'denied', 'failed']).toContain(result.kind);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  expect(ran).toBe(0);

  // And it all comes to rest at what is written now.
  writeFileSync(join(workspace.root, 'last.yaml'), policyOf('also'));
  renameSync(join(workspace.root, 'last.yaml'), workspace.policyFile);
  for (const gate of gates) {
    while (gate.policyStatus().trouble !== null || gate.policyStatus().digest !== (await digestNow())) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await gate.call('also', { a: 1, b: 1 })).toMatchObject({ kind: 'delivered' });
    expect(await gate.call('add', { a: 1, b: 1 })).toMatchObject({ kind: 'denied' });
  }
  await two.close();
  await one.close();
  for await (const { record } of readRecords(workspace.state)) {
    if (record.type === 'admitted') expect(record.tool).not.toBe('more');
  }
  const report = await verifyLog({ directory: workspace.state, verifierKey: one.keeper.verifier, now: Date.now() });
  expect(report).toMatchObject({ integrity: { status: 'ok' }, completeness: { status: 'ok' } });
}, 60_000);

async function digestNow(): Promise<string> {
  const { readPolicyFile } = await import('../../src/gate/index.ts');
  return (await readPolicyFile(workspace.policyFile)).policy.digest;
}
