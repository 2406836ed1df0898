import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  exitCodeOfReport,
  FRESH_MS,
  type LogRecord,
  readRecords,
  readRecordsAt,
  readSession,
  renderRecordLine,
  renderReport,
  renderSession,
  renderSessions,
  sessions,
  verifyLog,
} from '../audit/index.ts';
import { type JsonValue, jsonForTerminal, SallyportError } from '../core/index.ts';
import { defaultStateFolder, UnknownCalls } from '../keeper/index.ts';
import { readDuration } from './duration.ts';
import { receiptJson, receiptText, withActingOperator } from './operator-act.ts';
import type { OperatorFlags } from './operator-key.ts';
import { answer, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

/** How often `audit tail --follow` looks, in milliseconds. */
const FOLLOW_MS = 500;

const stateOf = (flags: CommonFlags): string => resolve(flags.state ?? defaultStateFolder());

/** What the log's readers return is plain data. */
const asJson = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue;

/** `audit verify`: exits 0, or 10 integrity, 11 completeness, 12 freshness, 13 authenticity. */
export async function auditVerify(
  terminal: Terminal,
  flags: CommonFlags & { readonly maxAge?: string; readonly key?: string },
): Promise<number> {
  const directory = stateOf(flags);
  const report = await verifyLog({
    directory,
    verifierKey: flags.key ?? keyBeside(directory),
    now: Date.now(),
    maxAgeMs: flags.maxAge === undefined ? FRESH_MS : readDuration(flags.maxAge),
  });
  answer(terminal, asJson(report), renderReport(report));
  return exitCodeOfReport(report);
}

/** Good against accidents; against whoever can write the state folder, bring the key from elsewhere (`--key`). */
function keyBeside(directory: string): string {
  try {
    return readFileSync(join(directory, 'keys', 'log.vkey'), 'utf8').trim();
  } catch (cause) {
    throw new SallyportError('AUDIT_NOT_FOUND', `there is no log in ${directory}`, { cause });
  }
}

/** `audit show SESSION`: one session as a page. */
export async function auditShow(terminal: Terminal, session: string, flags: CommonFlags): Promise<number> {
  const view = await readSession(stateOf(flags), session);
  answer(terminal, asJson(view), renderSession(view));
  return 0;
}

/** `audit sessions`: who was here. */
export async function auditSessions(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const list = await sessions(stateOf(flags));
  answer(terminal, asJson(list), renderSessions(list));
  return 0;
}

/** `audit tail`: the last records, one a line (one JSON value a line with `--json`); with `--follow` until it is stopped. */
export async function auditTail(
  terminal: Terminal,
  flags: CommonFlags & { readonly lines: string; readonly follow?: boolean },
): Promise<number> {
  if (!/^[0-9]{1,6}$/.test(flags.lines)) throw new SallyportError('USAGE', 'the number of lines is 0 to 999999');
  const directory = stateOf(flags);
  const print = (record: LogRecord): void =>
    terminal.out(terminal.json ? jsonForTerminal(record) : renderRecordLine(record));
  let next = 0;
  const last: LogRecord[] = [];
  for await (const { seq, record } of readRecords(directory)) {
    last.push(record);
    if (last.length > Number(flags.lines)) last.shift();
    next = seq + 1;
  }
  last.forEach(print);
  while (flags.follow === true) {
    await sleep(FOLLOW_MS);
    for await (const { seq, record } of readRecords(directory, { from: next })) {
      print(record);
      next = seq + 1;
    }
  }
  return 0;
}

/**
 * `audit unknown`: the calls of which nobody knows how they ended; with `--settle N` a person who found out takes one off
 * the list, so that the same call can be made again.
 */
export async function auditUnknown(
  terminal: Terminal,
  flags: CommonFlags & OperatorFlags & { readonly settle?: string },
): Promise<number> {
  const state = stateOf(flags);
  if (flags.settle !== undefined) return settleUnknown(terminal, flags, flags.settle);
  const calls = new UnknownCalls(state).list();
  const lines: string[] = [];
  const byIntent = new Map(calls.map((call) => [call.intentSeq, call]));
  for await (const { seq, record } of readRecordsAt(state, byIntent.keys())) {
    const call = byIntent.get(seq);
    if (call !== undefined) lines.push(`${call.admittedSeq}  ${renderRecordLine(record)}${STANDS_FOR[call.scope]}`);
  }
  answer(terminal, asJson(calls), lines.join('\n') || 'None: of every call it is known how it ended.');
  return calls.length === 0 ? 0 : 1;
}

/** Said of the entry that is on the list in place of those that did not fit. */
const STANDS_FOR = {
  call: '',
  principal: '  and, as too many are unknown, every call of this agent',
  everyone: '  and, as too many are unknown, every call of everyone',
} as const;

function settleUnknown(terminal: Terminal, flags: CommonFlags & OperatorFlags, number: string): Promise<number> {
  if (!/^[0-9]{1,15}$/.test(number))
    throw new SallyportError('USAGE', 'a record has a number: sallyport audit unknown');
  return withActingOperator(terminal, flags, async ({ perform }) => {
    const receipt = await perform({ act: 'unknown-settle', record: Number(number) });
    const text = `Settled ${number}: the same call can be made again.${receiptText(receipt)}`;
    answer(terminal, { settled: Number(number), ...receiptJson(receipt) }, text);
    return 0;
  });
}
