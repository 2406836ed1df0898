import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ALL_OK,
  appendCall,
  filesBelow,
  openLog,
  openRaw,
  quickFiles,
  statuses,
  temporaryFolder,
  verify,
  writeLog,
} from '../../test/faults/log-fixture.ts';
import { systemClock } from '../core/index.ts';
import { recoveryDrafts } from './log-end.ts';
import type { LogFiles } from './log-files.ts';
import { readPayloads, readRecords } from './read-log.ts';
import type { LogRecord } from './record.ts';

const code = (code: string): unknown => expect.objectContaining({ code });

async function records(directory: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(directory)) found.push(record);
  return found;
}

describe('AuditLog', () => {
  it('numbers records in the order of the calls and gives them back after a restart', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 100);
    await writeLog(directory, 100);
    const found = await records(directory);
    expect(found.map(({ seq }) => seq)).toEqual(Array.from({ length: 602 }, (_, seq) => seq));
    expect(new Set(found.map(({ boot }) => boot)).size).toBe(2);
    expect(await readPayloads(directory, 2)).toEqual({ result: { text: 'content of 0' } });
    expect(await readPayloads(directory, 301)).toEqual({ arguments: { path: 'src/0.ts' } });
    expect(statuses(await verify(directory))).toBe(ALL_OK);
  });

  it('makes all that waits durable with one write', async () => {
    const log = await openLog(temporaryFolder());
    const order: number[] = [];
    const all = Array.from({ length: 500 }, (_, call) => appendCall(log, call, false));
    await Promise.all(all.map(({ seq, durable }) => durable.then(() => order.push(seq))));
    expect(order).toEqual(all.map(({ seq }) => seq));
    await log.close();
  });

  it('gives an outcome no flush of its own while calls follow, and one soon when none does', async () => {
    let syncs = 0;
    const counting: LogFiles = {
      ...quickFiles,
      open: async (file, mode) => {
        const opened = await quickFiles.open(file, mode);
        const sync = (): Promise<void> => {
          syncs += 1;
          return opened.sync();
        };
        return file.endsWith('.wal') ? { ...opened, sync } : opened;
      },
    };
    const log = await openLog(temporaryFolder(), { files: counting });
    const before = syncs;
    let outcome = Promise.resolve();
    for (let call = 0; call < 3; call++) {
      const intent = log.append({
        type: 'intent',
        session: 'ses_1',
        tool: 'echo',
        decision: 'allow',
        rule: 'tools.echo',
      });
      const admitted = log.append({ type: 'admitted', session: 'ses_1', tool: 'echo', intentSeq: intent.seq });
      await admitted.durable;
      const links = { intentSeq: intent.seq, admittedSeq: admitted.seq };
      outcome = log.append({ type: 'outcome', session: 'ses_1', tool: 'echo', ...links, outcome: 'delivered' }).durable;
    }
    expect(syncs - before).toBe(3);
    await outcome;
    expect(syncs - before).toBe(4);
    await log.close();
  });

  it('keeps files to their owner and leaves nothing but the log when closed', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    expect(filesBelow(directory)).toEqual([
      'checkpoint',
      'keys/log.key',
      'keys/log.vkey',
      'log/blobs/000',
      'log/checkpoint',
      'log/reserve',
      'log/tile/0/000.p/4',
      'log/tile/entries/000.p/4',
      'log/wal/owner',
    ]);
    for (const file of filesBelow(directory))
      expect(fs.statSync(path.join(directory, file)).mode & 0o777, file).toBe(0o600);
    for (const folder of ['log', 'keys', 'log/wal', 'log/blobs', 'log/tile', 'log/tile/entries']) {
      expect(fs.statSync(path.join(directory, folder)).mode & 0o777, folder).toBe(0o700);
    }
  });

  it('removes partial tiles that fuller ones replace', async () => {
    const directory = temporaryFolder();
    for (const calls of [1, 84, 1, 200]) await writeLog(directory, calls);
    expect(filesBelow(path.join(directory, 'log/tile'))).toEqual([
      '0/000',
      '0/001',
      '0/002',
      '0/003.p/94',
      '1/000.p/3',
      'entries/000',
      'entries/001',
      'entries/002',
      'entries/003.p/94',
    ]);
    expect(statuses(await verify(directory))).toBe(ALL_OK);
  });

  it('signs a checkpoint by itself while records arrive', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory, { checkpointMs: 1 });
    appendCall(log, 0);
    while (log.checkpointed.size < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(fs.readFileSync(path.join(directory, 'checkpoint'), 'utf8')).toBe(log.checkpointed.note);
    await log.close();
  });

  it('says when it was never closed, and which calls were open', async () => {
    const directory = temporaryFolder();
    const first = await openLog(directory);
    appendCall(first, 0);
    const intent = first.append({ type: 'intent', tool: 'file_write', session: 's', decision: 'allow' });
    const admitted = first.append({ type: 'admitted', tool: 'file_write', session: 's', intentSeq: intent.seq });
    await admitted.durable;

    const second = await openRaw(directory, { writer: 'test:2' });
    const { openAdmissions, ...rest } = second.recovered;
    expect(rest).toEqual({ tornBytes: 0, replayed: 5, unclean: true });
    expect(openAdmissions.map(({ seq, tool }) => [seq, tool])).toEqual([[4, 'file_write']]);
    expect(() => second.append({ type: 'intent' })).toThrow(code('INTERNAL'));
    for (const draft of recoveryDrafts(second.recovered)) second.append(draft);
    second.append({ type: 'shutdown' });
    await second.close();
    expect((await records(directory)).slice(5)).toMatchObject([
      {
        type: 'outcome',
        outcome: 'unknown',
        error: 'unknown',
        intentSeq: 3,
        admittedSeq: 4,
        session: 's',
        tool: 'file_write',
      },
      { type: 'recovery', detail: { replayed: 5, openAdmissions: 1 } },
      { type: 'shutdown' },
    ]);
    expect(statuses(await verify(directory))).toBe(ALL_OK);
    await expect(first.close()).rejects.toThrow(code('AUDIT_WRITE_FAILED'));
  });

  it('finds the open calls of a boot that died while it recovered', async () => {
    const directory = temporaryFolder();
    const first = await openLog(directory);
    for (const call of [0, 1]) {
      const { seq } = first.append({ type: 'intent', tool: `t${call}`, decision: 'allow' });
      first.append({ type: 'admitted', tool: `t${call}`, intentSeq: seq });
    }
    await first.flush();
    const second = await openRaw(directory, { writer: 'test:2' });
    const [outcome] = recoveryDrafts(second.recovered);
    await second.append(outcome!).durable;
    const third = await openRaw(directory, { writer: 'test:3' });
    expect(third.recovered.openAdmissions.map(({ seq }) => seq)).toEqual([3]);
    for (const draft of recoveryDrafts(third.recovered)) third.append(draft);
    await third.close();
    expect((await verify(directory)).completeness.status).toBe('ok');
  });

  it('finds the calls that earlier recoveries left open, however many boots ago', async () => {
    const directory = temporaryFolder();
    const first = await openLog(directory);
    for (const call of [0, 1, 2, 3]) {
      const { seq } = first.append({ type: 'intent', tool: `t${call}`, decision: 'allow' });
      first.append({ type: 'admitted', tool: `t${call}`, intentSeq: seq });
    }
    first.append({ type: 'outcome', admittedSeq: 1 });
    await first.flush();
    const staysOpen = ({ tool }: { tool?: string }): boolean => tool !== 't1';
    const second = await openRaw(directory, { writer: 'test:2' });
    for (const draft of recoveryDrafts(second.recovered, staysOpen)) second.append(draft);
    second.append({ type: 'adopted', admittedSeq: 7 });
    await second.append({ type: 'outcome', outcome: 'delivered', admittedSeq: 7 }).durable;
    const third = await openRaw(directory, { writer: 'test:3' });
    expect(third.recovered.openAdmissions.map(({ seq }) => seq)).toEqual([5]);
    for (const draft of recoveryDrafts(third.recovered, staysOpen)) third.append(draft);
    await third.flush();
    const fourth = await openRaw(directory, { writer: 'test:4' });
    expect(fourth.recovered.openAdmissions.map(({ seq }) => seq)).toEqual([5]);
    for (const draft of recoveryDrafts(fourth.recovered)) fourth.append(draft);
    await fourth.append({ type: 'shutdown' }).durable;
    await fourth.close();
    const report = await verify(directory);
    expect([report.completeness.status, report.openAdmissions]).toEqual(['ok', []]);
  });

  it('refuses a record that breaks the order of a call, and uses up no number', async () => {
    const log = await openLog(temporaryFolder());
    expect(() => log.append({ type: 'admitted', intentSeq: 0 })).toThrow(code('INTERNAL'));
    const { seq } = log.append({ type: 'intent', decision: 'allow' });
    const admitted = log.append({ type: 'admitted', intentSeq: seq });
    expect(() => log.append({ type: 'shutdown' })).toThrow(code('INTERNAL'));
    expect(log.openAdmissions).toEqual([admitted.seq]);
    expect(log.size).toBe(2);
    await log.close();
    expect(() => log.append({ type: 'heartbeat' })).toThrow(code('AUDIT_WRITE_FAILED'));
    await log.close();
  });

  it('goes on when the clock jumps back', async () => {
    const directory = temporaryFolder();
    let now = Date.parse('2026-11-24T18:00:00Z');
    const log = await openLog(directory, { clock: { now: () => now, mono: systemClock.mono } });
    log.append({ type: 'heartbeat' });
    now -= 86_400_000;
    log.append({ type: 'heartbeat' });
    await log.close();
    expect((await records(directory)).map(({ time }) => time)).toEqual([
      '2026-11-24T18:00:00.000Z',
      '2026-11-23T18:00:00.000Z',
    ]);
    expect(statuses(await verify(directory, now))).toBe(ALL_OK);
  });

  it('stops the first of two writers before it acknowledges anything more', async () => {
    const directory = temporaryFolder();
    const first = await openLog(directory);
    await appendCall(first, 0).durable;
    const second = await openLog(directory);
    await expect(appendCall(first, 1).durable).rejects.toThrow(code('AUDIT_WRITE_FAILED'));
    expect(() => appendCall(first, 2)).toThrow(code('AUDIT_WRITE_FAILED'));
    await expect(first.checkpoint()).rejects.toThrow(code('AUDIT_WRITE_FAILED'));
    await appendCall(second, 3).durable;
    second.append({ type: 'shutdown' });
    await second.close();
    expect((await records(directory)).map(({ type }) => type).join(' ')).toBe(
      'intent admitted outcome recovery intent admitted outcome shutdown',
    );
    expect(statuses(await verify(directory))).toBe(ALL_OK);
  });

  it('stops when something else writes to its write-ahead log, or replaces its checkpoint', async () => {
    const directory = temporaryFolder();
    const first = await openLog(directory);
    const [segment] = filesBelow(path.join(directory, 'log/wal')).filter((name) => name.endsWith('.wal'));
    fs.appendFileSync(path.join(directory, 'log/wal', segment!), 'x');
    await expect(first.append({ type: 'heartbeat' }).durable).rejects.toThrow(code('AUDIT_WRITE_FAILED'));

    const other = temporaryFolder();
    const log = await openLog(other);
    const old = fs.readFileSync(path.join(other, 'log/checkpoint'));
    await log.append({ type: 'heartbeat' }).durable;
    await log.checkpoint();
    fs.writeFileSync(path.join(other, 'log/checkpoint'), old);
    await log.append({ type: 'heartbeat' }).durable;
    await expect(log.checkpoint()).rejects.toThrow(code('AUDIT_WRITE_FAILED'));
    expect(log.failure?.code).toBe('AUDIT_WRITE_FAILED');
  });

  it('can be read and verified while it is written', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory, { checkpointMs: 1 });
    let written = 0;
    let reads = 0;
    const writer = (async () => {
      for (; reads < 5; written += 3) await appendCall(log, written).durable;
    })();
    for (; reads < 5; reads++) {
      const before = written;
      const found = await records(directory);
      expect(found.length).toBeGreaterThanOrEqual(before);
      expect(found.at(-1)?.seq ?? -1).toBe(found.length - 1);
      const report = await verify(directory);
      expect(report.findings).toEqual([]);
      expect(report.size + report.unsigned).toBeGreaterThanOrEqual(before);
    }
    await writer;
    expect(written).toBeGreaterThan(0);
    await log.close();
  });
});
