import { afterEach, beforeEach, expect, test } from 'vitest';
import { openGate } from '../../src/gate/index.ts';
import { type EmbeddedKeeper, namesOfPolicy, openKeeper } from '../../src/keeper/index.ts';
import { fileRead } from '../../src/tools/index.ts';
import { sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { actsOf, withOperator } from './operator-plane-stand.ts';

const policyOf = (...folders: readonly string[]): string =>
  `version: 1\ndefaults: { isolation: none }\ntools: { file_read: { allowedPaths: [${folders.join(', ')}] } }\n`;

let workspace: Workspace;
let keeper: EmbeddedKeeper;
let proven: readonly string[];
beforeEach(async () => {
  workspace = makeWorkspace(policyOf('src/'), { 'src/a.txt': 'a', 'docs/b.txt': 'b', 'private/c.txt': 'c' });
  proven = await withOperator(workspace);
  keeper = await openKeeper({ state: workspace.state, reachable: [], runtime: null });
  await reads('src/a.txt');
});
afterEach(async () => {
  await keeper.close();
  workspace.remove();
});

async function reads(path: string): Promise<string> {
  const { policyFile } = workspace;
  const gate = await openGate({ policy: policyFile, keeper, tools: [fileRead()], onPolicyNotice: () => undefined });
  const result = await gate.call('file_read', { path });
  await gate.close();
  return result.kind;
}

const approve = () =>
  sallyport(['policy', 'approve', '--yes', '--state', workspace.state, ...proven], { cwd: workspace.root });

/** The file is swapped after it was shown and agreed to, just before it is proven. */
function swapBeforeTheProof(): void {
  const offerAct = keeper.offerAct.bind(keeper);
  let offers = 0;
  keeper.offerAct = () => {
    offers += 1;
    if (offers === 2) workspace.write({ 'sallyport.yaml': policyOf('src/', 'docs/', 'private/') });
    return offerAct();
  };
}

test('[T5.6] what was shown is what is approved: a file that is swapped meanwhile waits', async () => {
  workspace.write({ 'sallyport.yaml': policyOf('src/', 'docs/') });
  swapBeforeTheProof();
  const ran = await approve();
  expect([ran.code, ran.err.includes('private')]).toEqual([0, false]);
  expect((await keeper.approvalOf(namesOfPolicy(workspace.policyFile)))?.text).toBe(policyOf('src/', 'docs/'));
  expect(await reads('docs/b.txt')).toBe('delivered');
  expect(await reads('private/c.txt')).toBe('denied');
});

test('[T5.6] control: the same change, shown and proven, is let in, and the record says by whom', async () => {
  workspace.write({ 'sallyport.yaml': policyOf('src/', 'private/') });
  expect(await reads('private/c.txt')).toBe('denied');
  const ran = await approve();
  expect([ran.code, ran.out]).toEqual([0, expect.stringContaining('By boss (boss).')]);
  expect(await reads('private/c.txt')).toBe('delivered');
  expect(await actsOf(workspace.state)).toMatchObject([
    { act: 'policy-approve', who: { operator: 'boss', class: 'user-id' }, advisory: false },
  ]);
});
