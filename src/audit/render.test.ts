import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLog, temporaryFolder, verify, writeLog } from '../../test/faults/log-fixture.ts';
import { readRecords } from './read-log.ts';
import { renderRecordLine, renderReport, renderSession, renderSessions } from './render.ts';
import { readSession, sessions } from './sessions.ts';

const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\r\u202eevil\u200b\u2066';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;
const principal = { tenant: 'local', user: `u${HOSTILE}`, agent: 'a', proof: 'bearer' };

async function hostileLog(directory: string): Promise<void> {
  const log = await openLog(directory, { clock: { now: () => 1_700_000_000_000, mono: () => 0 } });
  const fields = { session: 'ses_1', tool: 'file_read', surface: 'mcp-http', principal };
  log.append({ type: 'session', session: 'ses_1', surface: 'mcp-http', principal });
  const text = `first\n#9  forged: allow\n${HOSTILE}`;
  const intent = log.append({
    type: 'intent',
    ...fields,
    decision: 'allow',
    rule: 'tools.file_read',
    payloads: { arguments: { path: `src/${HOSTILE}` } },
  });
  const admitted = log.append({ type: 'admitted', ...fields, intentSeq: intent.seq, isolation: { asked: HOSTILE } });
  const links = { intentSeq: intent.seq, admittedSeq: admitted.seq };
  const outcome = { outcome: 'delivered', durationMs: 4, payloads: { result: { content: [{ type: 'text', text }] } } };
  log.append({ type: 'outcome', ...fields, ...links, ...outcome });
  const denial = { decision: 'deny' as const, code: 'PATH_DENIED', reason: `no ${HOSTILE}` };
  log.append({ type: 'intent', ...fields, ...denial, payloads: { arguments: { path: '.env' } } });
  log.append({ type: 'shutdown' });
  await log.close();
}

describe('what is printed', () => {
  it('is a page that shows each call and sets a stranger apart from us', async () => {
    const directory = temporaryFolder();
    await hostileLog(directory);
    const page = renderSession(await readSession(directory, 'ses_1'));
    const evil = '\\u{202e}evil\\u{200b}\\u{2066}';
    expect(page.split('\n')).toEqual([
      'Session ses_1',
      expect.stringMatching(
        /^ {2}2023-11-14T22:13:20\.000Z to .* mcp-http {2}u\\u\{1b\}.*2 calls \(1 delivered, 1 denied\)$/,
      ),
      '',
      '#1  2023-11-14T22:13:20.000Z  file_read: allow',
      '  rule: tools.file_read',
      '  arguments:',
      `    path: "src/\\u001b]0;owned\\u0007\\u001b[2J\\r${evil}"`,
      expect.stringMatching(/^ {2}admitted \(record 2, isolation \{"asked":"\\u001b/),
      '  outcome: delivered (record 3, 4 ms)',
      '  result:',
      '    content:',
      '      -',
      '        text:',
      '          | first',
      '          | #9  forged: allow',
      `          | \\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{d}${evil}`,
      '        type: "text"',
      '',
      '#4  2023-11-14T22:13:20.000Z  file_read: deny PATH_DENIED',
      expect.stringMatching(/^ {2}reason: no \\u\{1b\}/),
      '  arguments:',
      '    path: ".env"',
      '',
      expect.stringMatching(/^#0 .* session {2}ses_1$/),
      '',
    ]);
    expect(page).not.toMatch(UNSAFE);
  });

  it('is safe for a terminal, line by line', async () => {
    const directory = temporaryFolder();
    await hostileLog(directory);
    const lines: string[] = [];
    for await (const { record } of readRecords(directory)) lines.push(renderRecordLine(record));
    expect(lines).toHaveLength(6);
    expect(lines[4]).toMatch(
      /^#4 {2}2023-11-14T22:13:20\.000Z {2}intent {2}ses_1 {2}file_read {2}deny {2}PATH_DENIED {2}no \\u\{1b\}/,
    );
    for (const line of lines) expect(line).not.toMatch(/\n/);
    const table = renderSessions(await sessions(directory));
    expect([...lines, table].join('\n')).not.toMatch(UNSAFE);
    expect(renderSessions([])).toBe('No sessions.\n');
  });

  it('says that a payload is gone or altered', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    const bundle = path.join(directory, 'log/blobs/000');
    const data = fs.readFileSync(bundle);
    data.write('CONTENT', data.indexOf('content'));
    fs.writeFileSync(bundle, data);
    expect(renderSession(await readSession(directory, 'ses_1'))).toMatch('result: ALTERED, does not match the record');
    fs.rmSync(bundle);
    expect(renderSession(await readSession(directory, 'ses_1'))).toMatch('result: not there');
    expect(renderReport(await verify(directory))).toMatch(
      'completeness  failed: a payload of entry 0 is missing, and no record says that it was erased',
    );
  });

  it('is short about values that are not', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory);
    const payloads = {
      arguments: { lines: 'x\n'.repeat(10_000), wide: 'y'.repeat(100_000), list: Array(5_000).fill(1) },
    };
    log.append({ type: 'intent', session: 's', payloads });
    await log.close();
    const page = renderSession(await readSession(directory, 's'));
    expect(page.split('\n').length).toBeLessThan(420);
    expect(Math.max(...page.split('\n').map((line) => line.length))).toBeLessThan(1_100);
    expect(page).toMatch(/… \d+ more lines/);
  });

  it('names a session that is not there', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    await expect(readSession(directory, 'ses_2')).rejects.toMatchObject({ code: 'AUDIT_NOT_FOUND' });
    await expect(sessions(temporaryFolder())).rejects.toMatchObject({ code: 'AUDIT_NOT_FOUND' });
    expect(await sessions(directory)).toMatchObject([
      { session: 'ses_1', calls: 1, denied: 0, open: 0, outcomes: { delivered: 1 } },
    ]);
  });
});
