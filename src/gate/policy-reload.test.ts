import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addTool } from '../../test/support/add-tool.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { type LogRecord, readRecords, verifyLog } from '../audit/index.ts';
import { namesOfPolicy, openKeeper, readApproval, writeApproval } from '../keeper/index.ts';
import { type Gate, type GateOptions, openGate, readPolicyFile, type Tool } from './index.ts';

const policyOf = (...tools: readonly string[]): string =>
  `version: 1\ndefaults: { isolation: none }\ntools:\n${tools.map((tool) => `  ${tool}\n`).join('')}`;
const ADD = policyOf('add: {}');
const ADD_AND_SLOW = policyOf('add: {}', 'slow: {}');

let workspace: Workspace;
let notices: string[];
const open: Gate[] = [];
beforeEach(() => {
  workspace = makeWorkspace(ADD_AND_SLOW);
  notices = [];
});
afterEach(async () => {
  for (const gate of open.splice(0).reverse()) await gate.close();
  workspace.remove();
});

async function openHere(options: Partial<GateOptions> = {}): Promise<Gate> {
  const gate = await openGate({
    policy: workspace.policyFile,
    state: workspace.state,
    tools: [addTool()],
    onPolicyNotice: (line) => notices.push(line),
    ...options,
  });
  open.push(gate);
  return gate;
}

const sum = { a: 1, b: 2 };
const write = (text: string): void => workspace.write({ 'sallyport.yaml': text });

/** What `policy approve` does, without looking. */
async function approve(file = workspace.policyFile): Promise<void> {
  const { policy, text } = await readPolicyFile(file);
  writeApproval(workspace.state, { ...namesOfPolicy(file), digest: policy.digest, text, approvedAt: 1 });
}

/** Resolves with the next change of the policy, or of how it stands. */
const nextChange = (gate: Gate): Promise<unknown> =>
  new Promise((resolve) => {
    const end = gate.onPolicyChanged((status) => {
      end();
      resolve(status);
    });
  });

async function change(gate: Gate, how: () => unknown): Promise<unknown> {
  const changed = nextChange(gate);
  await how();
  return changed;
}

async function recordsOf(type: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) if (record.type === type) found.push(record);
  return found;
}

/** A tool that runs until it is let go, or stops only when it wants to. */
function slowTool(onStart: () => void = () => undefined): { tool: Tool; letGo: () => void; started: Promise<unknown> } {
  const events = new EventTarget();
  const done = once(events, 'go');
  const started = once(events, 'start');
  const tool: Tool = {
    name: 'slow',
    schema: { type: 'object' },
    execute: async () => {
      events.dispatchEvent(new Event('start'));
      onStart();
      await done;
      return 'the secret';
    },
  };
  return { tool, letGo: () => events.dispatchEvent(new Event('go')), started };
}

describe('a change of the file', () => {
  test('[T1.9] that narrows applies at once, and one that widens waits until it is approved', async () => {
    const gate = await openHere();
    const session = await gate.openSession({ agent: 'a' });
    gate.tool({ ...addTool(), name: 'more' });
    expect(await session.call('add', sum)).toMatchObject({ kind: 'delivered' });
    const before = gate.policyStatus();
    expect(before).toMatchObject({ approvedDigest: null, trouble: null, development: false });

    let listed = 0;
    gate.onToolsChanged(() => listed++);
    expect(await change(gate, () => write(policyOf('more: {}')))).toMatchObject({ approvedDigest: before.digest });
    expect(listed).toBe(1);
    expect(session.tools()).toEqual([]);
    expect(await session.call('add', sum)).toMatchObject({ kind: 'denied', code: 'TOOL_NOT_ALLOWED' });
    expect(await session.call('more', sum)).toMatchObject({
      kind: 'denied',
      code: 'TOOL_NOT_ALLOWED',
      reason: expect.stringContaining('waits for approval'),
      instead: expect.stringContaining('sallyport policy approve'),
    });
    expect(notices.at(-1)).toContain('waits for: sallyport policy approve');

    expect(await change(gate, () => approve())).toMatchObject({ approvedDigest: null });
    expect(session.tools().map(({ name }) => name)).toEqual(['more']);
    expect(await session.call('more', sum)).toMatchObject({ kind: 'delivered', text: '3' });
    await gate.close();

    const [first, second, third] = await recordsOf('policy-loaded');
    const changed = third?.policyDigest;
    expect(first).toMatchObject({ policyDigest: before.digest, detail: { firstUse: true, approved: true } });
    expect(second?.detail).toMatchObject({ writtenDigest: changed, approvedDigest: before.digest, waits: true });
    expect(third?.detail).toMatchObject({ approved: true });
    expect(new Set([first?.epoch, second?.epoch, third?.epoch]).size).toBe(3);
    const waited = (await recordsOf('intent')).find(({ epoch }) => epoch === second?.epoch);
    expect(waited).toMatchObject({ policyDigest: changed, detail: { approvedDigest: before.digest } });
  });

  test('[T1.9] still waits after a restart, and when it is taken back nothing waits', async () => {
    await (await openHere()).close();
    write(policyOf('add: {}', 'slow: {}', 'more: {}'));
    const gate = await openHere();
    gate.tool({ ...addTool(), name: 'more' });
    expect(notices.join()).toContain('waits');
    expect(await gate.call('more', sum)).toMatchObject({ kind: 'denied', code: 'TOOL_NOT_ALLOWED' });
    expect(await gate.call('add', sum)).toMatchObject({ kind: 'delivered' });
    expect(await change(gate, () => write(ADD_AND_SLOW))).toMatchObject({ approvedDigest: null });
    expect(await gate.call('more', sum)).toMatchObject({
      kind: 'denied',
      reason: expect.not.stringContaining('waits'),
    });
  });

  test.each<[string, (file: string) => unknown, string]>([
    ['half-written', (file) => writeFileSync(file, ADD_AND_SLOW.slice(0, -4)), 'POLICY_INVALID'],
    ['empty', (file) => writeFileSync(file, ''), 'POLICY_INVALID'],
    ['with a key that is not known', (file) => writeFileSync(file, `${ADD}extra: 1\n`), 'POLICY_INVALID'],
    ['too large', (file) => writeFileSync(file, `${ADD}#${'x'.repeat(1_048_577)}`), 'POLICY_INVALID'],
    ['deleted', (file) => rmSync(file), 'POLICY_UNREADABLE'],
    ['a pipe', (file) => [rmSync(file), execFileSync('mkfifo', [file])], 'POLICY_UNREADABLE'],
    ['a folder', (file) => [rmSync(file), mkdirSync(file)], 'POLICY_UNREADABLE'],
  ])('[T1.9] that makes it %s keeps the policy, says so and records it once', async (_what, spoil, code) => {
    const gate = await openHere();
    const { epoch } = gate.policyStatus();
    expect(await change(gate, () => spoil(workspace.policyFile))).toMatchObject({ trouble: { code }, epoch });
    expect(await gate.call('add', sum)).toMatchObject({ kind: 'delivered' });
    expect(notices.at(-1)).toContain(`(${code})`);
    const mended = await change(gate, () => {
      rmSync(workspace.policyFile, { recursive: true, force: true });
      write(ADD);
    });
    expect(mended).toMatchObject({ trouble: null });
    await gate.close();
    const errors = (await recordsOf('policy-loaded')).filter(({ detail }) => detail?.['error'] !== undefined);
    expect(errors).toMatchObject([{ epoch, detail: { error: code } }]);
  });

  test.each<[string, (file: string) => void]>([
    [
      'rename over it',
      (file) => {
        writeFileSync(`${file}.new`, ADD);
        renameSync(`${file}.new`, file);
      },
    ],
    [
      'a link in its place',
      (file) => {
        writeFileSync(join(workspace.base, 'other.yaml'), ADD);
        rmSync(file);
        symlinkSync(join(workspace.base, 'other.yaml'), file);
      },
    ],
  ])('by %s is seen', async (_how, replace) => {
    const gate = await openHere();
    await change(gate, () => replace(workspace.policyFile));
    expect(gate.policyStatus()).toMatchObject({ approvedDigest: expect.any(String), trouble: null });
  });

  test('by turning a link to another file is a change, also over a restart, and no first use', async () => {
    const [wide, link] = [join(workspace.root, 'wide.yaml'), join(workspace.root, 'link.yaml')];
    writeFileSync(wide, policyOf('add: {}', 'slow: {}', 'more: {}'));
    symlinkSync(workspace.policyFile, link);
    const turn = (): void => {
      symlinkSync(wide, `${link}.new`);
      renameSync(`${link}.new`, link);
    };
    const gate = await openHere({ policy: link });
    expect(await change(gate, turn)).toMatchObject({ approvedDigest: expect.any(String) });
    await gate.close();
    const again = await openHere({ policy: link });
    again.tool({ ...addTool(), name: 'more' });
    expect(await again.call('more', sum)).toMatchObject({ kind: 'denied', code: 'TOOL_NOT_ALLOWED' });
  });

  test('by turning a link is one too where the file that it led to was approved under its own name', async () => {
    const [wide, link] = [join(workspace.root, 'wide.yaml'), join(workspace.root, 'link.yaml')];
    writeFileSync(wide, policyOf('add: {}', 'slow: {}', 'more: {}'));
    await (await openHere()).close();
    symlinkSync(workspace.policyFile, link);
    await (await openHere({ policy: link })).close();
    symlinkSync(wide, `${link}.new`);
    renameSync(`${link}.new`, link);
    const again = await openHere({ policy: link });
    expect(again.policyStatus()).toMatchObject({ approvedDigest: expect.any(String), trouble: null });
    again.tool({ ...addTool(), name: 'more' });
    expect(await again.call('more', sum)).toMatchObject({ kind: 'denied', code: 'TOOL_NOT_ALLOWED' });
  });

  test("that comes while the gate closes is nobody's trouble", async () => {
    for (let round = 0; round < 20; round++) {
      const gate = await openHere();
      write(round % 2 === 0 ? ADD : ADD_AND_SLOW);
      await sleep(round);
      await gate.close();
    }
    await sleep(50);
    expect(notices.filter((line) => line.includes('closed'))).toEqual([]);
  });

  test('of comments alone is none', async () => {
    const gate = await openHere();
    const { epoch } = gate.policyStatus();
    write(`# a comment\n${ADD_AND_SLOW}`);
    await change(gate, () => write(ADD));
    expect(gate.policyStatus().epoch).toBe(epoch + 1);
  });
});

describe('calls that wait or run when the policy changes', () => {
  test('[T1.9] a running call that is not allowed any more is ended, and its result withheld', async () => {
    const { tool, letGo, started } = slowTool();
    const gate = await openHere({ tools: [addTool(), tool] });
    const call = gate.call('slow', {});
    await started;
    await change(gate, () => write(ADD));
    const result = await call;
    letGo();
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'POLICY_CHANGED',
      text: expect.not.stringContaining('secret'),
    });
    await gate.close();
    expect(await recordsOf('outcome')).toMatchObject([{ outcome: 'cancelled', error: 'POLICY_CHANGED' }]);
  });

  test('a running call that is still allowed goes on, with what the change adds', async () => {
    const { tool, letGo, started } = slowTool();
    const gate = await openHere({ tools: [tool] });
    const call = gate.call('slow', {});
    await started;
    // At once: a file that is read while it is written would be a change of its own.
    workspace.write({ 'new.yaml': policyOf('slow: { output: { maxLength: 3 } }') });
    await change(gate, () => renameSync(join(workspace.root, 'new.yaml'), workspace.policyFile));
    letGo();
    const result = await call;
    expect(result.kind).toBe('delivered');
    expect(result.text).not.toContain('secret');
  });

  test('a shorter time limit counts for what runs', async () => {
    const { tool, started } = slowTool();
    const gate = await openHere({ tools: [tool] });
    const call = gate.call('slow', {});
    await started;
    write(policyOf('slow: { limits: { timeout: 1ms } }'));
    expect(await call).toMatchObject({ kind: 'failed', code: 'TOOL_TIMEOUT' });
  });

  test('[T1.9] a call that waits for its admission while the policy narrows does not run', async () => {
    let ran = 0;
    const { tool, letGo } = slowTool(() => ran++);
    const keeper = await openKeeper({ state: workspace.state, reachable: [] });
    let gate: Gate | null = null;
    // The real keeper, but between the admission and its answer the policy changes.
    const late: typeof keeper = Object.create(keeper, {
      admit: {
        value: async (...args: Parameters<typeof keeper.admit>) => {
          const admission = await keeper.admit(...args);
          if (gate !== null) await change(gate, () => write(ADD));
          return admission;
        },
      },
      ...Object.fromEntries(
        [
          ...['policyLoaded', 'approvalOf', 'approveFirst', 'watch', 'openSession', 'isUncertain', 'refuse', 'redact'],
          ...['settle', 'stops'],
        ].map((name) => [
          name,
          { value: (...args: unknown[]) => Reflect.apply(Reflect.get(keeper, name), keeper, args) },
        ]),
      ),
    });
    gate = await openHere({ keeper: late, tools: [tool] });
    expect(await gate.call('slow', {})).toMatchObject({ kind: 'failed', code: 'POLICY_CHANGED' });
    letGo();
    expect(ran).toBe(0);
    await keeper.close();
  });

  test('stop flags end what runs', async () => {
    const { tool, letGo, started } = slowTool();
    const gate = await openHere({ tools: [tool] });
    const session = await gate.openSession({ agent: 'a' });
    const call = session.call('slow', {});
    await started;
    await gate.keeper.stop({ kind: 'agent', name: 'other' }, 'a test');
    await gate.keeper.stop({ kind: 'agent', name: 'a' }, 'a test');
    expect(await call).toMatchObject({ kind: 'failed', code: 'STOPPED' });
    letGo();
    expect(await session.call('slow', {})).toMatchObject({
      kind: 'denied',
      code: 'STOPPED',
      record: expect.any(Number),
    });
  });
});

describe('two gates', () => {
  test('of the same file agree, and what one approves the other sees', async () => {
    const one = await openHere();
    const two = await openHere({ keeper: one.keeper });
    expect(two.policyStatus().epoch).toBe(one.policyStatus().epoch);
    await Promise.all([change(one, () => write(ADD)), nextChange(two)]);
    await Promise.all([change(one, () => approve()), nextChange(two)]);
    for (const gate of [one, two]) {
      expect(gate.policyStatus()).toMatchObject({ approvedDigest: null, epoch: one.policyStatus().epoch });
      expect(await gate.call('add', sum)).toMatchObject({ kind: 'delivered' });
    }
  });

  test('a gate that is behind loads the policy before it gives up', async () => {
    const one = await openHere();
    const two = await openHere({ keeper: one.keeper });
    write(ADD);
    // Whichever sees it first, the other one's calls are judged again.
    for (let a = 0; a < 50; a++) {
      const results = await Promise.all([one.call('add', { a, b: 1 }), two.call('add', { a, b: 1 })]);
      for (const result of results) expect(result).toMatchObject({ kind: 'delivered' });
    }
  });

  test('a keeper that forgot the epoch of a gate is told it again', async () => {
    const one = await openHere();
    const two = await openHere({ keeper: one.keeper, policy: { version: 1, tools: { add: { isolation: 'none' } } } });
    const others = Array.from({ length: 1_001 }, (_, scope) =>
      one.keeper.policyLoaded({ scope: `other ${scope}`, digest: 'd', source: 'test', rules: 0, mode: 'enforce' }),
    );
    await Promise.all(others);
    for (const gate of [one, two]) expect(await gate.call('add', sum)).toMatchObject({ kind: 'delivered' });
  });

  test('of different modes do not follow each other', async () => {
    const one = await openHere();
    const two = await openHere({ keeper: one.keeper, policyChanges: 'apply' });
    const three = await openHere({ keeper: one.keeper, policyChanges: 'ignore' });
    await Promise.all([change(two, () => write(policyOf('add: {}', 'more: {}'))), nextChange(one)]);
    for (const gate of [one, two, three]) {
      gate.tool({ ...addTool(), name: 'more' });
      expect(await gate.call('add', sum)).toMatchObject({ kind: 'delivered' });
    }
    expect(await one.call('more', sum)).toMatchObject({ kind: 'denied' });
    expect(await two.call('more', sum)).toMatchObject({ kind: 'delivered' });
    expect(await three.call('more', sum)).toMatchObject({ kind: 'denied' });
    expect(notices.some((line) => line.includes('development'))).toBe(true);
  });
});

describe('what was approved', () => {
  test('that cannot be read does not open', async () => {
    await (await openHere()).close();
    const [name] = readdirSync(join(workspace.state, 'policies'));
    writeFileSync(join(workspace.state, 'policies', name ?? ''), '{"file": "x"}');
    await expect(openHere()).rejects.toMatchObject({ code: 'POLICY_APPROVAL' });
  });

  test('and is taken away while a gate is open is no first use', async () => {
    const gate = await openHere();
    rmSync(join(workspace.state, 'policies'), { recursive: true });
    expect(await change(gate, () => write(policyOf('more: {}')))).toMatchObject({
      trouble: { code: 'POLICY_APPROVAL' },
    });
    expect(readApproval(workspace.state, namesOfPolicy(workspace.policyFile))).toBeNull();
    expect(await gate.call('add', sum)).toMatchObject({ kind: 'delivered' });
  });

  test('is written for its owner only, and holds the text', async () => {
    await openHere();
    const folder = join(workspace.state, 'policies');
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600]);
    expect(readApproval(workspace.state, namesOfPolicy(workspace.policyFile))).toMatchObject({ text: ADD_AND_SLOW });
  });

  test('a root that changed waits: paths are read against the approved one', async () => {
    workspace.write({ 'inner/a.txt': 'x' });
    const gate = await openHere();
    await change(gate, () => write(`root: inner\n${ADD_AND_SLOW}`));
    expect(gate.root).toBe(workspace.root);
    await change(gate, () => approve());
    expect(gate.root).toBe(join(workspace.root, 'inner'));
  });

  test('a policy that would reach the state is not taken', async () => {
    const gate = await openHere();
    const wide = `version: 1\ntools: { file_read: { allowedPaths: ["${workspace.base}"] } }\n`;
    expect(await change(gate, () => write(wide))).toMatchObject({ trouble: { code: 'STATE_EXPOSED' } });
  });
});

test('servers that are removed lose their tools, and those that are added wait', async () => {
  const server = (name: string): string => `servers: { ${name}: { url: "http://127.0.0.1:9/", isolation: none } }\n`;
  const rules = policyOf('mcp__one__add: {}', 'mcp__two__add: {}');
  write(rules + server('one'));
  const toolOf = (name: string): Tool => ({ ...addTool(), name: `mcp__${name}__add`, server: name, runs: 'remote' });
  const gate = await openHere({ tools: [toolOf('one'), toolOf('two')] });
  const session = await gate.openSession({ agent: 'a' });
  expect([...gate.servers().keys()]).toEqual(['one']);
  expect(await session.call('mcp__one__add', sum)).toMatchObject({ kind: 'delivered' });
  await change(gate, () => write(rules + server('two')));
  expect([...gate.servers().keys()]).toEqual([]);
  for (const name of ['one', 'two']) {
    expect(await session.call(`mcp__${name}__add`, sum)).toMatchObject({ kind: 'denied', code: 'SERVER_UNKNOWN' });
  }
  expect(session.tools()).toEqual([]);
  await change(gate, () => approve());
  expect([...gate.servers().keys()]).toEqual(['two']);
  expect(session.tools().map(({ name }) => name)).toEqual(['mcp__two__add']);
});

test('the log of all this verifies', async () => {
  const gate = await openHere();
  await change(gate, () => write(ADD));
  await gate.call('add', sum);
  await change(gate, () => rmSync(workspace.policyFile));
  await gate.close();
  const report = await verifyLog({ directory: workspace.state, verifierKey: gate.keeper.verifier, now: Date.now() });
  expect(report).toMatchObject({ integrity: { status: 'ok' }, completeness: { status: 'ok' } });
});

test('a keeper whose state is open to others says nothing of what was approved', async () => {
  const keeper = await openKeeper({ state: workspace.state, reachable: [] });
  try {
    chmodSync(workspace.state, 0o750);
    const refused = openGate({ policy: workspace.policyFile, keeper, tools: [addTool()] });
    await expect(refused).rejects.toMatchObject({ code: 'STATE_PERMISSIONS' });
    const gate = await openGate({
      policy: workspace.policyFile,
      policyChanges: 'ignore',
      keeper,
      tools: [addTool()],
    });
    expect(await gate.call('add', sum)).toMatchObject({ kind: 'delivered' });
    await gate.close();
  } finally {
    await keeper.close();
  }
});
