export type { LogRecord, RecordDraft, RecordType } from './record.ts';
