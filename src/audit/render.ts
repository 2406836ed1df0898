import type { JsonObject } from '../core/index.ts';
import type { PayloadReading } from './read-log.ts';
import type { LogRecord } from './record.ts';
import { renderValue, safeText } from './render-value.ts';
import type { CallView, RecordView, SessionSummary, SessionView } from './sessions.ts';
import { ASPECTS, type VerifyReport } from './verify-report.ts';

/** One line for one record: number, time, type, who, what, decision. Safe to print. */
export function renderRecordLine(record: LogRecord): string {
  const parts = [
    `#${record.seq}`,
    record.time,
    record.type,
    record.session,
    record.tool,
    record.decision,
    record.detail?.['mode'] === 'observe' ? 'observe: not enforced' : undefined,
    record.outcome,
    record.code ?? record.error,
    record.rule,
    record.reason,
  ];
  return parts
    .filter((part) => part !== undefined)
    .map((part) => safeText(part, 200))
    .join('  ');
}

/** A table of sessions, one line each. Safe to print. */
export function renderSessions(list: readonly SessionSummary[]): string {
  if (list.length === 0) return 'No sessions.\n';
  return `${list.map((summary) => `${safeText(summary.session, 100)}  ${describe(summary)}`).join('\n')}\n`;
}

/** A session as one readable page: who, when, and each call with arguments, decision and result. Safe to print. */
export function renderSession({ summary, calls, others }: SessionView): string {
  const heading = [`Session ${safeText(summary.session, 100)}`, `  ${describe(summary)}`];
  const blocks = calls.map((call) => renderCall(call).join('\n'));
  const rest = others.map(({ record, payloads }) => [renderRecordLine(record), ...renderPayloads(payloads)].join('\n'));
  return `${[heading.join('\n'), ...blocks, ...rest].join('\n\n')}\n`;
}

function describe(summary: SessionSummary): string {
  const outcomes = Object.entries(summary.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  if (summary.denied > 0) outcomes.push(`${summary.denied} denied`);
  if (summary.open > 0) outcomes.push(`${summary.open} open`);
  const calls = `${summary.calls} ${summary.calls === 1 ? 'call' : 'calls'}`;
  const parts = [
    `${summary.began} to ${summary.last}`,
    summary.surface ?? 'unknown surface',
    describePrincipal(summary.principal),
    outcomes.length === 0 ? calls : `${calls} (${outcomes.join(', ')})`,
  ];
  return parts.map((part) => safeText(part, 300)).join('  ');
}

function describePrincipal(principal: JsonObject | null): string {
  const { user, agent, proof } = principal ?? {};
  const name = (value: unknown): string => (typeof value === 'string' ? value : '?');
  return `${name(user)}/${name(agent)} (${name(proof)})`;
}

function renderCall({ intent, admitted, outcome }: CallView): string[] {
  const { seq, time, tool, decision, rule, code, reason } = intent.record;
  const lines = [
    `#${seq}  ${safeText(time, 40)}  ${safeText(tool ?? '?', 200)}: ${verdictOf(decision, code)}${observedIn(intent.record)}`,
  ];
  if (rule !== undefined) lines.push(`  rule: ${safeText(rule)}`);
  if (reason !== undefined) lines.push(`  reason: ${safeText(reason)}`);
  lines.push(...renderPayloads(intent.payloads));
  if (admitted !== null) lines.push(...renderStep('admitted', admitted));
  if (outcome !== null) lines.push(...renderStep(`outcome: ${outcome.record.outcome ?? 'unstated'}`, outcome));
  else if (admitted !== null) lines.push('  no outcome yet');
  return lines;
}

/** A call that only ran because nothing was enforced says so. */
function observedIn({ detail }: LogRecord): string {
  if (detail?.['mode'] !== 'observe') return '';
  const { decided, code } = detail;
  const would =
    typeof decided === 'string' && typeof code === 'string' ? `: ${safeText(`${decided} ${code}`, 80)}` : '';
  return ` [observe, not enforced${would}]`;
}

const verdictOf = (decision: string | undefined, code: string | undefined): string =>
  [decision ?? 'undecided', code]
    .filter((part) => part !== undefined)
    .map((part) => safeText(part, 100))
    .join(' ');

function renderStep(title: string, { record, payloads }: RecordView): string[] {
  const facts = [`record ${record.seq}`];
  if (record.durationMs !== undefined) facts.push(`${record.durationMs} ms`);
  if (record.error !== undefined) facts.push(`error: ${record.error}`);
  if (record.isolation !== undefined) facts.push(`isolation ${JSON.stringify(record.isolation)}`);
  if (record.verdict !== undefined && record.verdict !== 'pass') facts.push(`guard: ${record.verdict}`);
  const seen = (record.findings ?? []).map(
    ({ id, why }) => `    found ${safeText(String(id), 100)}: ${safeText(String(why))}`,
  );
  return [`  ${safeText(title, 100)} (${safeText(facts.join(', '))})`, ...seen, ...renderPayloads(payloads)];
}

function renderPayloads(payloads: readonly PayloadReading[]): string[] {
  return payloads.flatMap((payload) => {
    const name = `  ${safeText(payload.name, 100)}`;
    if (payload.status === 'intact') return [`${name}:`, ...renderValue(payload.value, '    ')];
    return [payload.status === 'absent' ? `${name}: not there` : `${name}: ALTERED, does not match the record`];
  });
}

/** What `audit verify` prints: one line for each aspect, then the findings. Safe to print. */
export function renderReport(report: VerifyReport): string {
  const lines = [
    `log           ${safeText(report.origin ?? 'unknown', 200)}`,
    `records       ${report.size} signed, ${report.unsigned} not yet signed, ${report.unwitnessed} without a witness`,
    `payloads      ${report.payloads} match their records`,
    `boots         ${report.boots}`,
    ...ASPECTS.map((aspect) => {
      const { status, first, note } = report[aspect];
      return `${aspect.padEnd(13)} ${status}${first === null ? '' : `: ${first.reason}`}${note === '' ? '' : ` (${note})`}`;
    }),
  ];
  if (report.tornBytes > 0) lines.push(`torn tail     ${report.tornBytes} bytes of a write that a crash cut short`);
  if (report.openAdmissions.length > 0) lines.push(`open calls    ${report.openAdmissions.slice(0, 20).join(', ')}`);
  const listed = report.findings.map(({ code, reason }) => `  ${code}: ${reason}`);
  if (listed.length > 0) lines.push(`findings      ${report.findingsTotal}`, ...listed);
  return `${lines.map((line) => safeText(line)).join('\n')}\n`;
}
