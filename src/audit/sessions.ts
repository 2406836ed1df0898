import { type JsonObject, SallyportError } from '../core/index.ts';
import { PayloadReader, type PayloadReading, readRecords } from './read-log.ts';
import type { LogRecord } from './record.ts';

/** What a session did, in numbers. */
export interface SessionSummary {
  readonly session: string;
  readonly surface: string | null;
  readonly principal: JsonObject | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Times of the first and the last record, as they state them. */
  readonly began: string;
  readonly last: string;
  readonly calls: number;
  readonly denied: number;
  /** How admitted calls ended: `delivered`, `failed`, `unknown`, … to how many. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Admitted calls without an outcome. */
  readonly open: number;
}

/** A record with what is left of its payloads. */
export interface RecordView {
  readonly record: LogRecord;
  readonly payloads: readonly PayloadReading[];
}

/** A call: its intent, and what followed. */
export interface CallView {
  readonly intent: RecordView;
  readonly admitted: RecordView | null;
  readonly outcome: RecordView | null;
}

/** All that a log holds of a session. */
export interface SessionView {
  readonly summary: SessionSummary;
  readonly calls: readonly CallView[];
  /** Records of the session that belong to no call. */
  readonly others: readonly RecordView[];
}

/**
 * The sessions of a log, in the order in which they began. Reads the whole log.
 * @throws SallyportError AUDIT_NOT_FOUND, AUDIT_CORRUPT
 */
export async function sessions(directory: string): Promise<SessionSummary[]> {
  const found = new Map<string, SummaryBuilder>();
  for await (const { record } of readRecords(directory)) {
    if (record.session === undefined) continue;
    const builder = found.get(record.session) ?? new SummaryBuilder(record.session, record);
    found.set(record.session, builder);
    builder.add(record);
  }
  return [...found.values()].map((builder) => builder.summary());
}

/**
 * Everything about one session: the calls with their arguments, decisions and results. Reads the whole log.
 * @throws SallyportError AUDIT_NOT_FOUND (no log, or no such session), AUDIT_CORRUPT
 */
export async function readSession(directory: string, session: string): Promise<SessionView> {
  const payloads = new PayloadReader(directory);
  const calls = new Map<number, { intent: RecordView; admitted: RecordView | null; outcome: RecordView | null }>();
  const others: RecordView[] = [];
  let builder: SummaryBuilder | null = null;
  for await (const { record } of readRecords(directory)) {
    if (record.session !== session) continue;
    builder ??= new SummaryBuilder(session, record);
    builder.add(record);
    const view: RecordView = { record, payloads: await payloads.read(record) };
    const call = calls.get(record.intentSeq ?? -1);
    if (record.type === 'intent') calls.set(record.seq, { intent: view, admitted: null, outcome: null });
    else if (record.type === 'admitted' && call !== undefined) call.admitted = view;
    else if (record.type === 'outcome' && call !== undefined) call.outcome = view;
    else others.push(view);
  }
  if (builder === null) throw new SallyportError('AUDIT_NOT_FOUND', 'the log knows no such session');
  return { summary: builder.summary(), calls: [...calls.values()], others };
}

class SummaryBuilder {
  readonly #session: string;
  readonly #first: LogRecord;
  readonly #outcomes = new Map<string, number>();
  #last: LogRecord;
  #principal: JsonObject | null = null;
  #surface: string | null = null;
  #calls = 0;
  #denied = 0;
  #open = 0;

  constructor(session: string, first: LogRecord) {
    this.#session = session;
    this.#first = first;
    this.#last = first;
  }

  add(record: LogRecord): void {
    this.#last = record;
    this.#principal ??= record.principal ?? null;
    this.#surface ??= record.surface ?? null;
    if (record.type === 'intent') this.#calls += 1;
    if (record.type === 'intent' && record.decision === 'deny') this.#denied += 1;
    if (record.type === 'admitted') this.#open += 1;
    if (record.type !== 'outcome') return;
    this.#open -= 1;
    const outcome = record.outcome ?? 'unstated';
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  summary(): SessionSummary {
    return {
      session: this.#session,
      surface: this.#surface,
      principal: this.#principal,
      firstSeq: this.#first.seq,
      lastSeq: this.#last.seq,
      began: this.#first.time,
      last: this.#last.time,
      calls: this.#calls,
      denied: this.#denied,
      outcomes: Object.fromEntries(this.#outcomes),
      open: this.#open,
    };
  }
}
