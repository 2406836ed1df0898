import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { type CallResult, type Gate, openGate } from '../gate/index.ts';
import { shell } from './index.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [.] }
  file_write: { allowedPaths: [out/] }
  shell:
    allowedCommands: [echo, cat, env, sleep, "false", pwd, "bash early.sh"]
`;

let workspace: Workspace;
let gate: Gate;
async function open(): Promise<void> {
  workspace = makeWorkspace(POLICY, {
    'a.txt': 'text',
    'out/x': '',
    'early.sh': 'sleep 602 &\necho started\n',
  });
  const limits = { resultTextBytes: 65_536 };
  gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools: [shell({ limits })] });
}
const run = (command: string, more: object = {}, signal?: AbortSignal): Promise<CallResult> =>
  gate.call('shell', { command, ...more }, signal === undefined ? {} : { signal });
afterEach(async () => {
  await gate.close();
  workspace.remove();
});

describe('shell', () => {
  test('runs one command without a shell and a line with one, in the workspace', async () => {
    await open();
    expect((await run('cat a.txt')).text).toBe('text\nExit status 0.');
    expect((await run('pwd')).text).toBe(`${workspace.root}\n\nExit status 0.`);
    expect((await run('echo one; echo two')).text).toContain('one\ntwo');
    expect((await run('pwd', { cwd: 'out' })).text).toContain(`${workspace.root}/out`);
    expect(await run('false')).toMatchObject({ kind: 'delivered', isError: true });
    expect((await run('echo hi > out/y')).kind).toBe('delivered');
    expect(readFileSync(join(workspace.root, 'out/y'), 'utf8')).toBe('hi\n');
  });

  test('gives the planned environment and nothing of ours', async () => {
    process.env['SALLYPORT_TEST_SECRET'] = 'do-not-pass-on';
    try {
      await open();
      const { text } = await run('env');
      expect(text).toContain('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
      expect(text).not.toContain('do-not-pass-on');
      expect(text).not.toContain('NODE_OPTIONS');
    } finally {
      delete process.env['SALLYPORT_TEST_SECRET'];
    }
  });

  test('keeps output within its limit and says what is missing', async () => {
    await open();
    const long = await run(`echo ${'x'.repeat(40_000)}`);
    expect(long.text).toContain('stdout is cut');
    expect(long.text.length).toBeLessThan(20_000);
  });

  test('kills everything that a line started, at its time limit, on cancellation and at its end', async () => {
    await open();
    expect((await run('sleep 600', { timeoutMs: 50 })).text).toContain('Stopped after 50 ms.');
    const controller = new AbortController();
    const waiting = run('sleep 601', {}, controller.signal);
    setTimeout(() => controller.abort(), 100);
    expect(await waiting).toMatchObject({ kind: 'failed', code: 'TOOL_CANCELLED' });
    expect((await run('bash early.sh')).text).toContain('started');
    await expect.poll(() => runningWith('sleep\x302')).toBe(false);
    await expect.poll(() => runningWith('sleep\x301')).toBe(false);
    await expect.poll(() => runningWith('sleep\x300')).toBe(false);
  });

  test('without a stated isolation it is not run', async () => {
    workspace = makeWorkspace('version: 1\ntools: { shell: { allowedCommands: [echo] } }');
    gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools: [shell()] });
    expect(await run('echo hi')).toMatchObject({ kind: 'denied', code: 'ISOLATION_UNSTATED' });
  });
});

/** Whether some process of this machine has these arguments. */
function runningWith(line: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => existsSync(`/proc/${pid}/cmdline`) && readLine(pid).startsWith(line));
}

function readLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended between the listing and the look.
    return '';
  }
}
