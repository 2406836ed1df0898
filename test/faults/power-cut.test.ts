import { describe, expect, it } from 'vitest';
import { AuditLog, readRecords } from '../../src/audit/index.ts';
import type { LogFiles } from '../../src/audit/log-files.ts';
import { openLog, quickFiles, temporaryFolder, verify } from './log-fixture.ts';
import { type Fault, PowerCutFiles, type SystemCall } from './power-cut-files.ts';

interface Run {
  readonly directory: string;
  readonly files: PowerCutFiles;
  /** Text of each acknowledged record, by number. */
  readonly acknowledged: ReadonlyMap<number, string>;
}

/**
 * A log that is born, grows over the edge of its first bundle, signs three checkpoints and is closed; until the fault. Only
 * records whose promise settled count as acknowledged.
 */
async function run(fault: Fault): Promise<Run> {
  const directory = temporaryFolder();
  const files = new PowerCutFiles(directory, temporaryFolder(), fault);
  const acknowledged = new Map<number, string>();
  try {
    const log = await AuditLog.open({ directory, writer: 'test:1', files, checkpointMs: 1e9 });
    try {
      const append = async (count: number): Promise<void> => {
        const waiting = Array.from({ length: count }, (_, at) => {
          const reason = `record ${log.size} of ${count}, ${at}`;
          const { seq, durable } = log.append({ type: 'heartbeat', reason, payloads: { note: reason } });
          return durable.then(() => acknowledged.set(seq, reason));
        });
        await Promise.all(waiting);
      };
      await append(3);
      await log.checkpoint();
      await append(250);
      await append(2);
      await log.checkpoint();
      await append(20);
      log.append({ type: 'shutdown' });
    } finally {
      await log.close();
    }
  } catch (error) {
    expect(error).toMatchObject({ code: 'AUDIT_WRITE_FAILED' });
    expect(files.off).toBe(true);
  }
  return { directory, files, acknowledged };
}

/** INVARIANT under test: whatever was acknowledged is there, and what a power cut leaves is never called tampering. */
async function expectWhole({ directory, acknowledged }: Run): Promise<void> {
  const log = await openLog(directory);
  await log.append({ type: 'heartbeat' }).durable;
  log.append({ type: 'shutdown' });
  await log.close();
  const found = new Map<number, string | undefined>();
  for await (const { seq, record } of readRecords(directory)) found.set(seq, record.reason);
  for (const [seq, reason] of acknowledged) expect(found.get(seq), `record ${seq}`).toBe(reason);
  const report = await verify(directory);
  expect(report.findings).toEqual([]);
  expect(report.size).toBe(found.size);
}

/** A disk that takes one byte less than it is given, as a full one does. */
const shortWrites = (): LogFiles => ({
  ...quickFiles,
  open: async (file, mode) => {
    const opened = await quickFiles.open(file, mode);
    return file.endsWith('.wal') ? { ...opened, write: (data) => opened.write(data.subarray(1)) } : opened;
  },
});

const nth = (wanted: (call: SystemCall) => boolean, occurrence: number): Fault['hits'] => {
  let seen = 0;
  return (call) => wanted(call) && ++seen === occurrence;
};

const matches =
  (call: SystemCall['call'], target: RegExp): ((made: SystemCall) => boolean) =>
  (made) =>
    made.call === call && target.test(made.target);

const STEPS: readonly [step: string, wanted: (call: SystemCall) => boolean][] = [
  ['write-ahead log: open a segment', matches('open', /wal\/\d+\.wal$/)],
  ['write-ahead log: write', matches('write', /\.wal$/)],
  ['write-ahead log: fdatasync', matches('sync', /\.wal$/)],
  ['write-ahead log: folder fsync', matches('syncFolder', /^log\/wal$/)],
  ['write-ahead log: drop a segment', matches('remove', /\.wal$/)],
  ['entry bundle: write', matches('write', /tile\/entries/)],
  ['entry bundle: fdatasync', matches('sync', /tile\/entries/)],
  ['entry bundle: open', matches('open', /tile\/entries/)],
  ['tile: write', matches('write', /tile\/\d/)],
  ['tile: fdatasync', matches('sync', /tile\/\d/)],
  ['tile: open', matches('open', /tile\/\d/)],
  ['payload bundle: write', matches('write', /^log\/blobs/)],
  ['payload bundle: fdatasync', matches('sync', /^log\/blobs/)],
  ['folder fsync', matches('syncFolder', /^log\/tile/)],
  ['checkpoint: write', matches('write', /^log\/checkpoint/)],
  ['checkpoint: fdatasync', matches('sync', /^log\/checkpoint/)],
  ['checkpoint: rename', matches('rename', /^log\/checkpoint/)],
  ['checkpoint: folder fsync', matches('syncFolder', /^log$/)],
  ['second copy: write', matches('write', /^checkpoint/)],
  ['second copy: rename', matches('rename', /^checkpoint/)],
  ['second copy: folder fsync', matches('syncFolder', /^$/)],
  ['partial tile: remove', matches('remove', /tile\//)],
  ['key: write', matches('write', /keys\/log\.key/)],
  ['key: rename', matches('rename', /keys\/log\.key/)],
];

describe('[T7.1] a fault of the disk loses no acknowledged record and is survived', () => {
  const cases = STEPS.flatMap(([step, wanted]) =>
    (['lost', 'kept'] as const).flatMap((effect) => [1, 2].map((occurrence) => ({ step, wanted, effect, occurrence }))),
  );

  it.each(cases)('$step, time $occurrence, failed and $effect', async ({ wanted, effect, occurrence }) => {
    const result = await run({ hits: nth(wanted, occurrence), effect });
    if (occurrence === 1) expect(result.files.off).toBe(true);
    await expectWhole(result);
  });

  it.each(['lost', 'kept'] as const)('at every system call, %s', { timeout: 300_000 }, async (effect) => {
    const whole = await run({ hits: () => false, effect });
    expect(whole.acknowledged.size).toBe(275);
    await expectWhole(whole);
    const step = process.env['SLOW'] === undefined ? 3 : 1;
    for (let number = 1; number <= whole.files.calls.length; number += step) {
      await expectWhole(await run({ hits: (_, at) => at === number, effect }));
    }
  });

  it('a short write seals the log, and leaves no half of a batch', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory, { files: shortWrites() });
    await expect(log.append({ type: 'heartbeat' }).durable).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(() => log.append({ type: 'heartbeat' })).toThrow(expect.objectContaining({ code: 'DISK_FULL' }));
    await expect(log.flush()).rejects.toMatchObject({ code: 'DISK_FULL' });
    const again = await openLog(directory);
    expect(again.recovered.tornBytes).toBe(0);
    expect(again.recovered.replayed).toBe(0);
  });
});
