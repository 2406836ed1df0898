import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogRecord, readRecords } from '../../src/audit/index.ts';
import { MAIN, type Ran, type Serving, sallyport, startUp } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const policyOf = (...folders: readonly string[]): string =>
  `version: 1\ntools:\n  file_read:\n    allowedPaths: [${folders.join(', ')}]\n`;

let workspace: Workspace;
let serving: Serving | null = null;
beforeEach(() => {
  workspace = makeWorkspace(policyOf('src/'), { 'src/a.txt': 'source', 'docs/b.txt': 'document' });
});
afterEach(async () => {
  await serving?.stop('SIGKILL');
  serving = null;
  workspace.remove();
});

const run = (...words: readonly string[]): Promise<Ran> =>
  sallyport([...words, '--state', workspace.state], { cwd: workspace.root });

const approve = (...words: readonly string[]): Promise<Ran> => run('policy', 'approve', ...words);

/** What the running gateway writes to standard error from now on, until it holds `text`. */
async function errorOf({ child }: Serving, text: string): Promise<string> {
  let seen = '';
  while (!seen.includes(text)) {
    if (child.stderr === null) throw new Error('no standard error');
    const [chunk] = await once(child.stderr, 'data');
    seen += String(chunk);
  }
  return seen;
}

async function readsBy(path: string): Promise<string> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(String(serving?.started['url']))));
  try {
    return JSON.stringify((await client.callTool({ name: 'file_read', arguments: { path } })).content);
  } finally {
    await client.close();
  }
}

async function policyRecords(): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) if (record.type === 'policy-loaded') found.push(record);
  return found;
}

const up = async (...words: readonly string[]): Promise<Serving> => {
  serving = await startUp(['--state', workspace.state, '--auth', 'none', ...words], workspace.root);
  return serving;
};

describe('sallyport up, while its policy changes', () => {
  test('[T1.9] narrows at once, waits with what widens, and takes it over when it is approved', async () => {
    const process = await up();
    expect(process.started).toMatchObject({ approvedDigest: null, development: false });
    expect(await readsBy('src/a.txt')).toContain('source');

    const said = errorOf(process, 'policy approve');
    workspace.write({ 'sallyport.yaml': policyOf('docs/') });
    expect(await said).toContain('what it widens waits');
    expect(await readsBy('src/a.txt')).toContain('PATH_NOT_ALLOWED');
    expect(await readsBy('docs/b.txt')).toContain('waits for approval');
    expect((await run('policy', 'check')).out).toContain('what widens waits for `sallyport policy approve`');
    expect(JSON.parse((await run('policy', 'check', '--json')).out)).toMatchObject({ approval: 'waits' });

    const inForce = errorOf(process, 'is in force');
    const ran = await approve('--yes');
    expect([ran.code, ran.err]).toEqual([0, expect.stringContaining('WIDENS')]);
    expect(ran.err).toMatch(/WIDENS {5}tools\.file_read\.allowedPaths: added "docs\/" {2}\(.*sallyport\.yaml:3\)/);
    expect(ran.err).toMatch(/narrows {4}tools\.file_read\.allowedPaths: removed "src\/"/);
    expect(ran.err).toMatch(/WIDENS {3}#\d+ {2}file_read {2}deny → allow/);
    await inForce;
    expect(await readsBy('docs/b.txt')).toContain('document');
    expect(await process.stop()).toBe(0);
    const records = await policyRecords();
    expect(records.map(({ detail }) => [detail?.['firstUse'], detail?.['waits'], detail?.['approved']])).toEqual([
      [true, undefined, true],
      [undefined, true, undefined],
      [undefined, undefined, true], // the command that approved
      [undefined, undefined, true], // the gate that took it over
    ]);
  });

  test('keeps the policy when the file breaks or goes, and says so', async () => {
    const process = await up();
    let said = errorOf(process, 'POLICY_INVALID');
    writeFileSync(workspace.policyFile, 'version: 1\ntools: {');
    expect(await said).toContain('is not in force, the policy before it is');
    expect(await readsBy('src/a.txt')).toContain('source');
    said = errorOf(process, 'POLICY_UNREADABLE');
    rmSync(workspace.policyFile);
    await said;
    expect(await readsBy('src/a.txt')).toContain('source');
    said = errorOf(process, 'what it widens waits');
    writeFileSync(`${workspace.policyFile}.new`, policyOf('docs/'));
    renameSync(`${workspace.policyFile}.new`, workspace.policyFile);
    await said;
    expect(await readsBy('src/a.txt')).toContain('PATH_NOT_ALLOWED');
  });

  test('says that changes wait when it starts again', async () => {
    await (await up()).stop();
    workspace.write({ 'sallyport.yaml': policyOf('src/', 'docs/') });
    const { started } = await up();
    expect(started['approvedDigest']).toMatch(/^[0-9a-f]{64}$/);
    expect(await readsBy('docs/b.txt')).toContain('waits for approval');
  });

  test('--development lets everything in at once, and every record says so', async () => {
    const process = await up('--development');
    expect(process.started).toMatchObject({ development: true });
    const said = errorOf(process, 'unapproved');
    workspace.write({ 'sallyport.yaml': policyOf('docs/') });
    await said;
    expect(await readsBy('docs/b.txt')).toContain('document');
    await process.stop();
    expect((await policyRecords()).map(({ detail }) => detail?.['development'])).toEqual([true, true]);
  });
});

describe('sallyport policy approve', () => {
  test('without a gate that runs: approves, records, and the next start has it', async () => {
    expect((await run('call', 'file_read', '{"path":"src/a.txt"}')).code).toBe(0);
    workspace.write({ 'sallyport.yaml': policyOf('src/', 'docs/') });
    const waits = await run('call', 'file_read', '{"path":"docs/b.txt"}');
    expect([waits.code, waits.out]).toEqual([1, expect.stringContaining('waits for approval')]);
    expect(waits.err).toContain('sallyport policy approve');
    const ran = await approve('--yes', '--json');
    expect([ran.code, JSON.parse(ran.out)]).toMatchObject([
      0,
      {
        approved: true,
        advisory: true,
        by: { operator: 'local' },
        changes: [{ direction: 'widens', after: '"docs/"', line: 3 }],
      },
    ]);
    expect((await run('call', 'file_read', '{"path":"docs/b.txt"}')).code).toBe(0);
    expect((await policyRecords()).some(({ detail }) => detail?.['by'] === 'policy approve')).toBe(true);
    const again = await approve('--yes');
    expect([again.code, again.out]).toEqual([0, 'Nothing waits for approval.\n']);
  });

  test('shows which recorded calls and which cases would pass now, also as JSON', async () => {
    await run('call', 'file_read', '{"path":"src/a.txt"}');
    await run('call', 'file_read', '{"path":"docs/b.txt"}');
    const one = (id: string, path: string, expect: string) =>
      JSON.stringify({ id, tool: 'file_read', call: { path }, expect });
    const cases = [one('docs-01', 'docs/readme.md', 'deny'), one('src-01', 'src/app.ts', 'allow')];
    workspace.write({ 'sallyport.yaml': policyOf('src/', 'docs/'), 'cases.jsonl': `${cases.join('\n')}\n` });
    const ran = await approve('--yes', '--json', '--cases', 'cases.jsonl');
    expect(ran.code).toBe(0);
    expect(ran.err).toMatch(/Recorded calls:\nWIDENS {3}#\d+ {2}file_read {2}deny → allow/);
    expect(ran.err).toMatch(/Cases:\nWIDENS {3}docs-01 {2}file_read {2}deny → allow/);
    expect(JSON.parse(ran.out)['differences']).toMatchObject({
      log: { compared: 2, widens: true, changes: [{ tool: 'file_read', before: 'deny', after: 'allow' }] },
      cases: { compared: 2, widens: true, changes: [{ id: 'docs-01', before: 'deny', after: 'allow' }] },
    });
  });

  test('asks, and approves nothing where nobody can answer', async () => {
    await run('call', 'file_read', '{"path":"src/a.txt"}');
    workspace.write({ 'sallyport.yaml': policyOf('docs/') });
    const ran = await approve();
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('--yes')]);
    expect((await run('call', 'file_read', '{"path":"docs/b.txt"}')).code).toBe(1);
  });

  test('approves no policy that does not load', async () => {
    workspace.write({ 'sallyport.yaml': 'version: 1\nextra: 1\n' });
    expect((await approve('--yes')).err).toContain('POLICY_INVALID');
  });

  test('is refused to what a gate started', async () => {
    const env = { ...process.env, SALLYPORT_INSIDE: '1' };
    const child = spawn(process.execPath, [MAIN, 'policy', 'approve', '--yes', '--state', workspace.state], {
      ...{ cwd: workspace.root, env, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    const [[code], [err]] = await Promise.all([once(child, 'exit'), once(child.stderr ?? child, 'data')]);
    expect([code, String(err)]).toEqual([1, expect.stringContaining('OPERATOR_ONLY')]);
  });
});

test('`policy approve` asks the keeper that the environment names, and no state folder of its own', async () => {
  const { code, out } = await sallyport(['policy', 'approve', '--yes', '--json', '--state', workspace.state], {
    cwd: workspace.root,
    environment: { SALLYPORT_KEEPER: '/nowhere/socket', SALLYPORT_KEEPER_TOKEN_FILE: '/nowhere/token' },
  });
  expect([code, JSON.parse(out)]).toMatchObject([3, { error: { code: 'PEER_REFUSED' } }]);
  expect(existsSync(join(workspace.state, 'policies'))).toBe(false);
});
