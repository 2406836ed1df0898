import { resolve } from 'node:path';
import { type LogRecord, readRecords, readRecordsAt } from '../audit/index.ts';
import {
  escapeForTerminal,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonForTerminal,
  SallyportError,
} from '../core/index.ts';
import { defaultStateFolder } from '../keeper/index.ts';
import { receiptJson, receiptText, withActingOperator } from './operator-act.ts';
import type { OperatorFlags } from './operator-key.ts';
import { refuseInside } from './operator-only.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

/** Withheld results that are listed: the newest. */
const MAX_LISTED = 1_000;
/** Characters of each text of a result that are shown without `--json`. */
const MAX_SHOWN = 20_000;

const stateOf = (flags: CommonFlags): string => resolve(flags.state ?? defaultStateFolder());

/** `guard held`: the results that the guard withheld, the newest last. Exit code 1 when one of them was not released. */
export async function guardHeld(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const held: LogRecord[] = [];
  const released = new Set<unknown>();
  for await (const { record } of readRecords(stateOf(flags))) {
    if (record.type === 'operator' && record.detail?.['act'] === 'result-release')
      released.add(record.detail['record']);
    if (record.commitments?.['held'] === undefined) continue;
    held.push(record);
    if (held.length > MAX_LISTED) held.shift();
  }
  const value = held.map(({ seq, time, session, tool, verdict, findings }) => ({
    ...{ record: seq, time, session: session ?? null, tool: tool ?? null, verdict: verdict ?? null },
    findings: (findings ?? []) as JsonValue,
    released: released.has(seq),
  }));
  const lines = held.map((record) =>
    safeLines(
      `#${record.seq}  ${record.time}  ${record.tool ?? '?'}  ${released.has(record.seq) ? '(released) ' : ''}${why(record)}`,
    ),
  );
  answer(terminal, value, lines.join('\n') || 'None: no result was withheld.');
  const waiting = held.filter(({ seq }) => !released.has(seq));
  if (waiting.length > 0)
    terminal.err('Read one: sallyport guard show RECORD. Let it through: sallyport guard release RECORD');
  return waiting.length === 0 ? 0 : 1;
}

/**
 * `guard show RECORD`: a result that was withheld, made harmless for a terminal. Read it as what it is: words of a stranger.
 * @throws SallyportError OPERATOR_ONLY, AUDIT_NOT_FOUND, USAGE
 */
export async function guardShow(terminal: Terminal, record: string, flags: CommonFlags): Promise<number> {
  refuseInside(); // a tool of the agent would show it to the model
  const { found, held } = await heldOf(stateOf(flags), numberOf(record));
  const findings = (found.findings ?? []).filter((one) => isJsonObject(one));
  const lines = [
    `#${found.seq}  ${found.tool ?? '?'}  ${found.verdict ?? '?'}`,
    ...findings.map(
      (one) => `  ${String(one['start'])}-${String(one['end'])}  ${String(one['id'])}: ${String(one['why'])}`,
    ),
    ...textsOf(held).map((text) => `  | ${escapeForTerminal(text.slice(0, MAX_SHOWN))}`),
  ];
  const value = { record: found.seq, tool: found.tool ?? null, verdict: found.verdict ?? null, findings, held };
  answer(terminal, value, lines.map(safeLines).join('\n'));
  return 0;
}

/**
 * `guard release RECORD`: lets exactly this result through when the tool returns it again, for the same agent and user, for
 * 24 hours.
 * @throws SallyportError OPERATOR_ONLY, APPROVER_REFUSED, AUDIT_NOT_FOUND, USAGE
 */
export function guardRelease(terminal: Terminal, record: string, flags: CommonFlags & OperatorFlags): Promise<number> {
  const number = numberOf(record);
  return withActingOperator(terminal, flags, async ({ perform }) => {
    const receipt = await perform({ act: 'result-release', record: number });
    const text = `Released the result of record ${number}: when its tool returns it again for the same agent, within 24 hours, it is delivered.${receiptText(receipt)}`;
    answer(terminal, { released: number, ...receiptJson(receipt) }, text);
    return 0;
  });
}

function numberOf(text: string): number {
  if (/^#?[0-9]{1,15}$/.test(text)) return Number(text.replace('#', ''));
  throw new SallyportError('USAGE', 'a withheld result has the number of its record: sallyport guard held');
}

async function heldOf(state: string, number: number): Promise<{ readonly found: LogRecord; readonly held: JsonValue }> {
  for await (const { record, payloads } of readRecordsAt(state, [number])) {
    const { held } = await payloads();
    if (held !== undefined) return { found: record, held };
  }
  throw new SallyportError('AUDIT_NOT_FOUND', `record ${number} withholds no result: sallyport guard held`);
}

/** What was found first, in words of ours. */
function why({ findings }: LogRecord): string {
  const [first] = findings ?? [];
  return isJsonObject(first) && typeof first['why'] === 'string'
    ? first['why']
    : 'it asks the person something suspicious';
}

/** ATTACKER-CONTROLLED: the texts of a result, as a person may read them; structure as JSON, and not its bulk. */
function textsOf(held: JsonValue): readonly string[] {
  if (!isJsonObject(held) || !Array.isArray(held['content'])) return [jsonForTerminal(held)];
  const { content, structuredContent } = held;
  const pieces = (content as readonly JsonValue[]).map((piece) => {
    const text = isJsonObject(piece) ? piece['text'] : undefined;
    return typeof text === 'string' ? text : jsonForTerminal(isJsonObject(piece) ? withoutData(piece) : piece);
  });
  return [...pieces, ...(structuredContent === undefined ? [] : [jsonForTerminal(structuredContent)])];
}

const withoutData = (piece: JsonObject): JsonObject =>
  typeof piece['data'] === 'string' ? { ...piece, data: `[${piece['data'].length} characters of base64]` } : piece;
