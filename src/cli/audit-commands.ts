import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  exitCodeOfReport,
  FRESH_MS,
  type LogRecord,
  readRecords,
  readSession,
  renderRecordLine,
  renderReport,
  renderSession,
  renderSessions,
  sessions,
  verifyLog,
} from '../audit/index.ts';
import { type JsonValue, SallyportError } from '../core/index.ts';
import { defaultStateFolder } from '../keeper/index.ts';
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
    maxAgeMs: flags.maxAge === undefined ? FRESH_MS : milliseconds(flags.maxAge),
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

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function milliseconds(text: string): number {
  const [, count, unit] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  const factor = UNITS[unit ?? ''];
  if (count === undefined || factor === undefined)
    throw new SallyportError('USAGE', 'a duration is a number and s, m, h or d');
  return Number(count) * factor;
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
    terminal.out(terminal.json ? JSON.stringify(record) : renderRecordLine(record));
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
