/** The tamper-evident log: what happened, and can we prove it? (docs/audit-format.md) */
export { type Appended, AuditLog, CHECKPOINT_MS, HEARTBEAT_MS } from './audit-log.ts';
export { type Recovered, recoveryDrafts, unknownOutcome } from './log-end.ts';
export type { LogFile, LogFiles, OpenMode } from './log-files.ts';
export type { AuditLogOptions } from './log-parts.ts';
export { type RecordWithPayloads, readRecordsAt } from './read-at.ts';
export { type PayloadReading, type ReadRecord, readPayloads, readRecords } from './read-log.ts';
export type { LogRecord, RecordDraft, RecordType } from './record.ts';
export { renderRecordLine, renderReport, renderSession, renderSessions } from './render.ts';
export {
  type CallView,
  type RecordView,
  readSession,
  type SessionSummary,
  type SessionView,
  sessions,
} from './sessions.ts';
export { FRESH_MS, type VerifyOptions, verifyLog } from './verify-log.ts';
export { type Aspect, exitCodeOfReport, type Finding, type Verdict, type VerifyReport } from './verify-report.ts';
