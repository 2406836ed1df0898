import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { onTestFinished } from 'vitest';
import { AuditLog, type AuditLogOptions, recoveryDrafts, type VerifyReport, verifyLog } from '../../src/audit/index.ts';
import { type LogFiles, realFiles } from '../../src/audit/log-files.ts';

/** A folder of its own for one test, removed after it. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-log-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Real files without waiting for the disk, for tests that are not about power cuts. */
export const quickFiles: LogFiles = {
  ...realFiles,
  open: async (file, mode) => ({ ...(await realFiles.open(file, mode)), sync: () => Promise.resolve() }),
  syncFolder: () => Promise.resolve(),
};

/** Opens a log. A test may abandon it, as a crash does: its files are closed after the test. */
export async function openRaw(directory: string, options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  const log = await AuditLog.open({
    directory,
    origin: 'example.com/log',
    writer: 'test:1',
    files: quickFiles,
    ...options,
  });
  onTestFinished(async () => {
    await log.close().catch(() => log.failure);
  });
  return log;
}

/** Opens a log as the keeper does: what a crash left is recovered first. */
export async function openLog(directory: string, options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  const log = await openRaw(directory, options);
  for (const draft of recoveryDrafts(log.recovered)) log.append(draft);
  await log.flush();
  return log;
}

/** Appends a call of three records, with payloads unless told otherwise; returns the number of its outcome. */
export function appendCall(log: AuditLog, call: number, payloads = true): { seq: number; durable: Promise<void> } {
  const fields = { session: 'ses_1', tool: 'file_read', surface: 'library' };
  const args = payloads ? { payloads: { arguments: { path: `src/${call}.ts` } } } : {};
  const result = payloads ? { payloads: { result: { text: `content of ${call}` } } } : {};
  const intent = log.append({ type: 'intent', ...fields, decision: 'allow', rule: 'tools.file_read', ...args });
  const admitted = log.append({ type: 'admitted', ...fields, intentSeq: intent.seq });
  const links = { intentSeq: intent.seq, admittedSeq: admitted.seq };
  return log.append({ type: 'outcome', ...fields, ...links, outcome: 'delivered', durationMs: 3, ...result });
}

/** Writes a log of `calls` calls, ended by a shutdown, and returns its public key. */
export async function writeLog(directory: string, calls: number, payloads = true): Promise<string> {
  const log = await openLog(directory);
  for (let call = 0; call < calls; call++) appendCall(log, call, payloads);
  log.append({ type: 'shutdown' });
  await log.close();
  return log.verifierKey;
}

/** Verifies with the key that lies beside the log. */
export function verify(directory: string, now: number = Date.now()): Promise<VerifyReport> {
  const verifierKey = fs.readFileSync(path.join(directory, 'keys/log.vkey'), 'utf8').trim();
  return verifyLog({ directory, verifierKey, now });
}

/** The statuses of a report, for one comparison. */
export const statuses = (report: VerifyReport): string =>
  [report.authenticity, report.integrity, report.completeness, report.freshness].map(({ status }) => status).join(' ');

export const ALL_OK = 'ok ok ok ok';

/** Every file below a folder, relative, sorted. */
export function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Flips one bit of a file; flipping it again restores it. */
export function flipBit(file: string, bit: number): void {
  const data = fs.readFileSync(file);
  const at = Math.floor(bit / 8);
  data[at] = (data[at] ?? 0) ^ (1 << (bit % 8));
  fs.writeFileSync(file, data);
}
