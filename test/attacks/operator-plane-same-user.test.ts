import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { joinKeeper, namesOfPolicy, readApproval, type StopFlag, UnknownCalls } from '../../src/keeper/index.ts';
import { serverScript } from '../e2e/stand.ts';
import { UserKey } from '../support/approvals.ts';
import { type Ran, type Serving, sallyport, startUp } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { actsOf, withOperator } from './operator-plane-stand.ts';

/** An agent under the same user id runs the commands of the operator; the operator has a credential. */
const SERVER = { command: [process.execPath, serverScript('hostile.mjs'), 'pid'], protocol: '2025-11-25' };
const policyOf = (tools: string): string =>
  `version: 1\ndefaults: { isolation: none }\ntools: { ${tools} }\nservers: ${JSON.stringify({ s: SERVER })}\n`;

let workspace: Workspace;
let serving: Serving | null = null;
let proven: readonly string[];
beforeEach(async () => {
  workspace = makeWorkspace(policyOf('file_read: { allowedPaths: [src/] }'));
  proven = await withOperator(workspace);
});
afterEach(async () => {
  await serving?.stop('SIGKILL');
  serving = null;
  workspace.remove();
});

const run = (...words: readonly string[]): Promise<Ran> =>
  sallyport([...words, '--json', '--state', workspace.state], { cwd: workspace.root });

async function stopsNow(): Promise<readonly StopFlag[]> {
  return JSON.parse((await run('stops')).out) as StopFlag[];
}

/** The command without a proof is refused; with one it is carried out. `done`: whether it was. */
async function provesOnly(words: readonly string[], done: () => boolean | Promise<boolean>): Promise<void> {
  for (const way of [[], ['--as', 'nobody', '--key', String(proven[3])], ['--as', 'boss', '--key', otherKey()]]) {
    const refused = await run(...words, ...way);
    expect([refused.code, JSON.parse(refused.out)]).toMatchObject([1, { error: { code: 'APPROVER_REFUSED' } }]);
    expect(await done()).toBe(false);
  }
  const ran = await run(...words, ...proven);
  expect([ran.code, JSON.parse(ran.out)]).toMatchObject([0, { by: { operator: 'boss' }, advisory: false }]);
  expect(await done()).toBe(true);
}

/** A key that the agent made for itself. */
function otherKey(): string {
  const file = join(workspace.base, 'agent.pem');
  if (!existsSync(file)) writeFileSync(file, new UserKey('agent').pem, { mode: 0o600 });
  return file;
}

test('[T5.6] resume, while a gateway runs and while none does', async () => {
  const isResumed = async (): Promise<boolean> => (await stopsNow()).length === 0;
  await run('stop', 'all');
  await provesOnly(['resume', 'all'], isResumed);
  serving = await startUp(['--state', workspace.state, '--auth', 'none', '--no-console'], workspace.root);
  await run('stop', 'all');
  await provesOnly(['resume', 'all'], isResumed);
});

test('[T5.6] policy approve', async () => {
  expect((await run('call', 'file_read', '{"path":"src/none"}')).code).toBe(1);
  const widened = policyOf('file_read: { allowedPaths: [.] }');
  workspace.write({ 'sallyport.yaml': widened });
  const names = namesOfPolicy(workspace.policyFile);
  await provesOnly(['policy', 'approve', '--yes'], () => readApproval(workspace.state, names)?.text === widened);
});

test('[T5.6] servers approve', async () => {
  const lock = join(workspace.root, 'sallyport.lock');
  await provesOnly(['servers', 'approve', 's', '--yes'], () => existsSync(lock));
  expect(await actsOf(workspace.state)).toMatchObject([{ act: 'server-approve', server: 's', lock }]);
});

test('[T5.6] audit unknown --settle, and not while a process has the state', async () => {
  new UnknownCalls(workspace.state).add([{ intentSeq: 1, admittedSeq: 2 }]);
  const isSettled = (): boolean => new UnknownCalls(workspace.state).list().length === 0;
  serving = await startUp(['--state', workspace.state, '--auth', 'none', '--no-console'], workspace.root);
  const busy = await run('audit', 'unknown', '--settle', '2', ...proven);
  expect([busy.code === 0, JSON.parse(busy.out), isSettled()]).toMatchObject([
    ...[false, { error: { code: 'STATE_OWNED' } }, false],
  ]);
  await serving.stop();
  await provesOnly(['audit', 'unknown', '--settle', '2'], isSettled);
});

test('[T5.6] nor does the agent go around the commands: over its own connection the keeper refuses too', async () => {
  await run('stop', 'all');
  const agent = await joinKeeper({ state: workspace.state, reachable: [], role: 'operator', environment: {} });
  const { offer, advisory } = await agent.offerAct();
  expect(advisory).toBe(false);
  const act = { act: 'resume', flag: { kind: 'all' } } as const;
  await expect(agent.resume(act.flag)).rejects.toMatchObject({ code: 'APPROVER_REFUSED' });
  await expect(agent.perform(act)).rejects.toMatchObject({ code: 'APPROVER_REFUSED' });
  await expect(agent.perform(act, { offer, proof: { class: 'local' } })).rejects.toMatchObject({
    code: 'APPROVER_REFUSED',
  });
  expect(await agent.stops()).toEqual([{ kind: 'all' }]);
  await agent.close();
});

test('[T5.6] where nobody is registered, the commands work, and say and record that this is advisory', async () => {
  const open = makeWorkspace('version: 1\ntools: {}\n');
  const words = ['--json', '--state', open.state];
  await sallyport(['stop', 'all', ...words], { cwd: open.root });
  const ran = await sallyport(['resume', 'all', ...words], { cwd: open.root });
  expect(JSON.parse(ran.out)).toMatchObject({ resumed: { kind: 'all' }, by: { operator: 'local' }, advisory: true });
  expect(ran.err).toContain('Advisory: no credential of an operator is registered');
  expect(await actsOf(open.state)).toMatchObject([{ act: 'resume', who: { class: 'local' }, advisory: true }]);
  open.remove();
});
