import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type AuditLog, readRecords } from '../../src/audit/index.ts';
import type { LogFiles } from '../../src/audit/log-files.ts';
import { RESERVE_BYTES } from '../../src/audit/reserve.ts';
import { ALL_OK, appendCall, openLog, quickFiles, statuses, temporaryFolder, verify } from './log-fixture.ts';

const noSpace = (syscall: string): Error =>
  Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall });

/** A disk that can be filled: then no file grows and none is made until the reserve is given back, which frees `freed` bytes. */
class FullDisk {
  syncFails = false;
  left = Number.POSITIVE_INFINITY;
  readonly #freed: number;

  constructor(freed = RESERVE_BYTES) {
    this.#freed = freed;
  }

  fill(): void {
    this.left = 0;
  }

  readonly files: LogFiles = {
    ...quickFiles,
    open: async (file, mode) => {
      if (mode === 'create' && this.left <= 0) throw noSpace('open');
      const opened = await quickFiles.open(file, mode);
      return {
        ...opened,
        write: async (data) => {
          const taken = Math.min(data.length, Math.max(0, this.left));
          if (taken === 0) throw noSpace('write');
          this.left -= taken;
          return opened.write(data.subarray(0, taken));
        },
        sync: async () => {
          if (this.syncFails) throw noSpace('fdatasync');
        },
      };
    },
    remove: async (file) => {
      await quickFiles.remove(file);
      if (file.endsWith('reserve')) this.left += this.#freed;
    },
  };
}

const SLOW_CHECKPOINTS = { checkpointMs: 1e9 };
const codeOf = (work: () => Promise<unknown> | unknown): Promise<string> =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'fine',
      (error: { code?: string }) => error.code ?? String(error),
    );

const refusal = {
  type: 'intent',
  decision: 'deny',
  session: 'ses_1',
  tool: 'shell',
  code: 'TOOL_NOT_ALLOWED',
} as const;

async function recordsOf(directory: string): Promise<string[]> {
  const types: string[] = [];
  for await (const { record } of readRecords(directory)) {
    types.push(record.outcome === undefined ? record.type : `${record.type} ${record.outcome}`);
  }
  return types;
}

/** Opens the log again on a disk with space, and ends it; what `verify` says then. */
async function reopened(directory: string): Promise<{ log: AuditLog; report: string }> {
  const log = await openLog(directory);
  log.append({ type: 'shutdown' });
  await log.close();
  return { log, report: statuses(await verify(directory)) };
}

it('[T7.1] holds a reserve back, and makes it anew when it is gone', async () => {
  const directory = temporaryFolder();
  const reserve = join(directory, 'log/reserve');
  await (await openLog(directory)).close();
  expect(statSync(reserve).size).toBe(RESERVE_BYTES);
  const disk = new FullDisk();
  const log = await openLog(directory, { files: disk.files });
  disk.fill();
  expect(await codeOf(() => log.append({ type: 'heartbeat' }).durable)).toBe('DISK_FULL');
  await log.close();
  expect(existsSync(reserve)).toBe(false);
  await reopened(directory);
  expect(statSync(reserve).size).toBe(RESERVE_BYTES);
});

it('[T7.1] a full disk refuses calls, and still records refusals, outcomes and the shutdown', async () => {
  const directory = temporaryFolder();
  const disk = new FullDisk();
  const log = await openLog(directory, { files: disk.files, ...SLOW_CHECKPOINTS });
  await appendCall(log, 1).durable;
  const fields = { session: 'ses_1', tool: 'file_read' };
  const intent = log.append({ type: 'intent', ...fields, decision: 'allow' });
  const running = log.append({ type: 'admitted', ...fields, intentSeq: intent.seq });
  await running.durable;
  disk.fill();

  const late = log.append({ type: 'intent', ...fields, decision: 'allow', payloads: { arguments: { text: 'late' } } });
  const lateAdmission = log.append({ type: 'admitted', ...fields, intentSeq: late.seq });
  expect(await codeOf(() => late.durable)).toBe('DISK_FULL');
  expect(await codeOf(() => lateAdmission.durable)).toBe('DISK_FULL');
  expect(log.sealed?.code).toBe('DISK_FULL');
  expect(log.failure).toBe(null);
  expect(await codeOf(() => log.append({ type: 'intent', ...fields, decision: 'allow' }))).toBe('DISK_FULL');
  expect(await codeOf(() => log.append({ type: 'session', session: 'ses_2' }))).toBe('DISK_FULL');
  expect(await codeOf(() => log.checkpoint())).toBe('DISK_FULL');

  await log.append({ ...refusal, payloads: { arguments: { command: 'x'.repeat(900_000) } } }).durable;
  const links = { intentSeq: intent.seq, admittedSeq: running.seq };
  await log.append({ type: 'outcome', ...fields, ...links, outcome: 'delivered' }).durable;
  await log.append({ type: 'shutdown' }).durable;
  await log.close();

  const { log: again, report } = await reopened(directory);
  expect(again.recovered).toMatchObject({ tornBytes: 0, unclean: false, openAdmissions: [] });
  expect(report).toBe(ALL_OK);
  expect(await recordsOf(directory)).toEqual([
    ...['intent', 'admitted', 'outcome delivered'],
    ...['intent', 'admitted', 'intent', 'outcome delivered', 'shutdown', 'shutdown'],
  ]);
});

it('[T7.1] an outcome that the full disk lost is recorded as unknown', async () => {
  const directory = temporaryFolder();
  const disk = new FullDisk();
  const log = await openLog(directory, { files: disk.files, ...SLOW_CHECKPOINTS });
  const fields = { session: 'ses_1', tool: 'file_read' };
  const intent = log.append({ type: 'intent', ...fields, decision: 'allow' });
  const admitted = log.append({ type: 'admitted', ...fields, intentSeq: intent.seq });
  await admitted.durable;
  disk.fill();
  const links = { intentSeq: intent.seq, admittedSeq: admitted.seq };
  const lost = log.append({ type: 'outcome', ...fields, ...links, outcome: 'delivered' });
  expect(await codeOf(() => lost.durable)).toBe('DISK_FULL');
  expect(log.openAdmissions).toEqual([]);
  await log.append({ type: 'shutdown' }).durable;
  await log.close();
  expect((await reopened(directory)).report).toBe(ALL_OK);
  expect(await recordsOf(directory)).toEqual(['intent', 'admitted', 'outcome unknown', 'shutdown', 'shutdown']);
});

it('[T7.1] refusals cannot use up what the shutdown needs', async () => {
  const directory = temporaryFolder();
  const disk = new FullDisk();
  const log = await openLog(directory, { files: disk.files, ...SLOW_CHECKPOINTS });
  disk.fill();
  expect(await codeOf(() => log.append({ type: 'heartbeat' }).durable)).toBe('DISK_FULL');
  let recorded = 0;
  while ((await codeOf(() => log.append({ ...refusal, reason: 'x'.repeat(1_000) }).durable)) === 'fine') recorded += 1;
  expect(recorded).toBeGreaterThan(300);
  expect(disk.left).toBeGreaterThan(RESERVE_BYTES / 4);
  await log.append({ type: 'shutdown' }).durable;
  await log.close();
  expect((await reopened(directory)).report).toBe(ALL_OK);
});

it('[T7.1] a checkpoint that finds the disk full seals the log, and what is durable stays', async () => {
  const directory = temporaryFolder();
  const disk = new FullDisk();
  const log = await openLog(directory, { files: disk.files, ...SLOW_CHECKPOINTS });
  await appendCall(log, 1).durable;
  disk.fill();
  expect(await codeOf(() => log.checkpoint())).toBe('DISK_FULL');
  await log.append(refusal).durable;
  await log.append({ type: 'shutdown' }).durable;
  await log.close();
  expect((await reopened(directory)).report).toBe(ALL_OK);
  expect((await recordsOf(directory)).slice(3)).toEqual(['intent', 'shutdown', 'shutdown']);
});

it('[T7.1] a full disk that stays full refuses everything, and tears nothing', async () => {
  const directory = temporaryFolder();
  const disk = new FullDisk(0);
  const log = await openLog(directory, { files: disk.files, ...SLOW_CHECKPOINTS });
  await appendCall(log, 1).durable;
  disk.left = 100;
  expect(await codeOf(() => appendCall(log, 2).durable)).toBe('DISK_FULL');
  for (let attempt = 0; attempt < 3; attempt++) {
    expect(await codeOf(() => log.append(refusal).durable)).toBe('DISK_FULL');
  }
  expect(await codeOf(() => log.append({ type: 'shutdown' }).durable)).toBe('DISK_FULL');
  await log.close();
  const { log: again, report } = await reopened(directory);
  expect(again.recovered).toMatchObject({ tornBytes: 0, unclean: true });
  expect(report).toBe(ALL_OK);
});

it('[T7.1] a sync that fails for want of space stops the log for good', async () => {
  const directory = temporaryFolder();
  const disk = new FullDisk();
  const log = await openLog(directory, { files: disk.files, ...SLOW_CHECKPOINTS });
  disk.syncFails = true;
  expect(await codeOf(() => log.append({ type: 'heartbeat' }).durable)).toBe('AUDIT_WRITE_FAILED');
  expect(log.failure?.code).toBe('AUDIT_WRITE_FAILED');
  expect(await codeOf(() => log.append(refusal))).toBe('AUDIT_WRITE_FAILED');
  expect(existsSync(join(directory, 'log/reserve'))).toBe(true);
});

it('[T7.1] a log without space for its reserve does not open', async () => {
  const disk = new FullDisk();
  disk.left = RESERVE_BYTES;
  expect(await codeOf(() => openLog(temporaryFolder(), { files: disk.files }))).toBe('DISK_FULL');
});
