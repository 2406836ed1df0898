import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AuditLog, readRecords } from '../../src/audit/index.ts';
import {
  ALL_OK,
  appendCall,
  filesBelow,
  openLog,
  openRaw,
  statuses,
  temporaryFolder,
  verify,
  writeLog,
} from './log-fixture.ts';

const code = (code: string): unknown => expect.objectContaining({ code });

/** The state folder of a log whose process died with two batches in its write-ahead log: a call and a heartbeat. */
async function crashedLog(): Promise<{ directory: string; segment: string; firstBatch: number }> {
  const directory = temporaryFolder();
  await writeLog(directory, 1);
  const log = await openLog(directory);
  await log.checkpoint();
  await appendCall(log, 1).durable;
  const [name] = filesBelow(path.join(directory, 'log/wal')).filter((file) => file.endsWith('.wal'));
  const segment = path.join(directory, 'log/wal', name!);
  const firstBatch = fs.statSync(segment).size;
  await log.append({ type: 'heartbeat', detail: { open: 0 }, payloads: { note: 'x' } }).durable;
  return { directory, segment, firstBatch };
}

/** A copy of a state folder, as a crash or a thief leaves it. */
function copyOf(directory: string): string {
  const copy = temporaryFolder();
  fs.cpSync(directory, copy, { recursive: true });
  return copy;
}

async function count(directory: string): Promise<number> {
  let records = 0;
  for await (const _ of readRecords(directory)) records += 1;
  return records;
}

const reopen = (directory: string): Promise<AuditLog> => openRaw(directory);

describe('a write-ahead log', () => {
  it('that is cut at any byte of its last batch loses that batch only, and says so', async () => {
    const { directory, segment, firstBatch } = await crashedLog();
    const whole = fs.readFileSync(segment);
    const copy = copyOf(directory);
    const pristine = copyOf(directory);
    for (let size = firstBatch; size < whole.length; size++) {
      fs.rmSync(copy, { recursive: true });
      fs.cpSync(pristine, copy, { recursive: true });
      fs.writeFileSync(path.join(copy, path.relative(directory, segment)), whole.subarray(0, size));
      const log = await reopen(copy);
      expect([log.recovered.tornBytes, log.recovered.replayed, log.size], `${size} bytes`).toEqual([
        size - firstBatch,
        3,
        7,
      ]);
      await log.close();
    }
    expect(statuses(await verify(copy))).toBe(ALL_OK);
  });

  it.each([
    ['zeros that were never filled', (data: Buffer) => Buffer.concat([data, Buffer.alloc(8_192)])],
    ['half a batch that repeats the last', (data: Buffer) => Buffer.concat([data, data.subarray(0, data.length / 3)])],
  ])('that ends in %s is repaired', async (_, damage) => {
    const { directory, segment } = await crashedLog();
    fs.writeFileSync(segment, damage(fs.readFileSync(segment)));
    const log = await reopen(directory);
    expect([log.recovered.replayed, log.recovered.tornBytes > 0]).toEqual([4, true]);
    await log.close();
  });

  it.each([
    ['a flipped bit before a good batch', (data: Buffer) => flip(data, 40)],
    ['its first batch cut out', (data: Buffer, first: number) => data.subarray(first)],
    ['a batch twice', (data: Buffer) => Buffer.concat([data, data])],
    [
      'its batches in another order',
      (data: Buffer, first: number) => Buffer.concat([data.subarray(first), data.subarray(0, first)]),
    ],
  ])('with %s is refused', async (_, damage) => {
    const { directory, segment, firstBatch } = await crashedLog();
    fs.writeFileSync(segment, damage(fs.readFileSync(segment), firstBatch));
    expect((await verify(directory)).integrity.status).toBe('failed');
    await expect(reopen(directory)).rejects.toThrow(code('AUDIT_CORRUPT'));
  });

  it('that is torn although a newer segment follows is refused', async () => {
    const { directory, segment } = await crashedLog();
    fs.truncateSync(segment, fs.statSync(segment).size - 1);
    fs.writeFileSync(path.join(path.dirname(segment), '0000000000000099.wal'), Buffer.alloc(0));
    fs.appendFileSync(path.join(path.dirname(segment), '0000000000000099.wal'), '');
    await expect(reopen(directory)).rejects.toThrow(code('AUDIT_CORRUPT'));
  });
});

function flip(data: Buffer, at: number): Buffer {
  data[at] = (data[at] ?? 0) ^ 1;
  return data;
}

describe('[T7.1] a log that is older than its last checkpoint is refused', () => {
  async function twoGenerations(): Promise<{ old: string; directory: string }> {
    const directory = temporaryFolder();
    await writeLog(directory, 100);
    const old = copyOf(directory);
    await writeLog(directory, 100);
    return { old, directory };
  }

  it('when the whole log folder is restored from a backup', async () => {
    const { old, directory } = await twoGenerations();
    fs.rmSync(path.join(directory, 'log'), { recursive: true });
    fs.cpSync(path.join(old, 'log'), path.join(directory, 'log'), { recursive: true });
    const report = await verify(directory);
    expect([report.completeness.status, report.completeness.first?.entry]).toEqual(['failed', 301]);
    await expect(reopen(directory)).rejects.toThrow(code('AUDIT_ROLLBACK'));
  });

  it('when its checkpoint alone is', async () => {
    const { old, directory } = await twoGenerations();
    fs.copyFileSync(path.join(old, 'log/checkpoint'), path.join(directory, 'log/checkpoint'));
    await expect(reopen(directory)).rejects.toThrow(code('AUDIT_ROLLBACK'));
  });

  it.each([
    ['log/checkpoint', 'AUDIT_ROLLBACK'],
    ['checkpoint', 'AUDIT_ROLLBACK'],
    ['log/tile/0/000', 'AUDIT_ROLLBACK'],
    ['log/tile/entries/001', 'AUDIT_ROLLBACK'],
    ['log/tile/0/002.p/90', 'AUDIT_ROLLBACK'],
    ['log/tile/1/000.p/2', 'AUDIT_ROLLBACK'],
    ['log/tile/entries/002.p/90', 'AUDIT_ROLLBACK'],
    ['keys/log.vkey', 'AUDIT_CORRUPT'],
    ['keys/log.key', 'AUDIT_CORRUPT'],
  ])('when %s is gone', async (file, expected) => {
    const { directory } = await twoGenerations();
    fs.rmSync(path.join(directory, file));
    await expect(reopen(directory)).rejects.toThrow(code(expected));
  });

  it('when the log folder is gone but its key is not', async () => {
    const { directory } = await twoGenerations();
    fs.rmSync(path.join(directory, 'log'), { recursive: true });
    fs.rmSync(path.join(directory, 'checkpoint'));
    await expect(reopen(directory)).rejects.toThrow(code('AUDIT_ROLLBACK'));
  });

  it.each([
    ['log/checkpoint', 'AUDIT_FORGED'],
    ['checkpoint', 'AUDIT_FORGED'],
    ['log/tile/0/002.p/90', 'AUDIT_CORRUPT'],
    ['log/tile/entries/002.p/90', 'AUDIT_CORRUPT'],
  ])('when a bit of %s changed', async (file, expected) => {
    const { directory } = await twoGenerations();
    fs.writeFileSync(path.join(directory, file), flip(fs.readFileSync(path.join(directory, file)), 60));
    await expect(reopen(directory)).rejects.toThrow(code(expected));
  });

  it('when it is another log under the same key that does not extend the second copy', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    const fork = copyOf(directory);
    await writeLog(directory, 50);
    await writeLog(fork, 100);
    fs.rmSync(path.join(directory, 'log'), { recursive: true });
    fs.cpSync(path.join(fork, 'log'), path.join(directory, 'log'), { recursive: true });
    expect((await verify(directory)).integrity.status).toBe('failed');
    await expect(reopen(directory)).rejects.toThrow(code('AUDIT_CORRUPT'));
  });

  it('but not when the second copy is the one that a crash left behind', async () => {
    const { old, directory } = await twoGenerations();
    fs.copyFileSync(path.join(old, 'checkpoint'), path.join(directory, 'checkpoint'));
    expect(statuses(await verify(directory))).toBe(ALL_OK);
    const log = await reopen(directory);
    expect(fs.readFileSync(path.join(directory, 'checkpoint'), 'utf8')).toBe(log.checkpointed.note);
    await log.close();
    expect(await count(directory)).toBe(602);
  });

  it('when its key can be read by others', async () => {
    const { directory } = await twoGenerations();
    fs.chmodSync(path.join(directory, 'keys/log.key'), 0o640);
    await expect(reopen(directory)).rejects.toThrow(code('STATE_PERMISSIONS'));
  });
});
