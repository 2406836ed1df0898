import {
  copyJson,
  type ErrorCode,
  escapeForTerminal,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type Limits,
  SallyportError,
} from '../core/index.ts';
import type { Guard, Verdict } from '../guard/index.ts';
import type { CallRequest } from './call.ts';
import { checkOutput } from './check-output.ts';
import { cutOutput } from './cut.ts';
import type { Executed } from './execute.ts';
import { guardResult, guardText, guardValue } from './guard-result.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';
import { parseOutput } from './output.ts';
import type { CallExchange, NeedsAnswers, Questions, ToolOutput } from './tool.ts';

/** What may be released, or why nothing is. */
export type Inbound = InboundDelivered | InboundAsked | InboundFailed;

/** The tool waits for answers, or goes on as a task: its questions and the task, copied and bounded. */
export interface InboundAsked {
  readonly kind: 'asked';
  readonly outcome: 'input-required' | 'task';
  readonly questions: Questions;
  readonly state: JsonValue;
  readonly task: JsonObject | null;
  readonly recorded: JsonValue;
}

export interface InboundDelivered extends ToolOutput {
  readonly kind: 'delivered';
  readonly outcome: 'delivered' | 'tool-error';
  readonly isError: boolean;
  readonly text: string;
  /** What is kept of the result beside the log. */
  readonly recorded: JsonValue;
  readonly verdict: Verdict;
  /** What the guard saw, for the record. */
  readonly findings: readonly JsonObject[];
}

export interface InboundFailed {
  readonly kind: 'failed';
  readonly outcome: 'failed' | 'timeout' | 'cancelled';
  readonly code: ErrorCode;
  readonly reason: string;
  /** Of a result that the guard withheld: its verdict, what it saw, and the result, which goes beside the record only. */
  readonly verdict?: Verdict;
  readonly findings?: readonly JsonObject[];
  readonly held?: JsonValue;
}

/** Characters of a tool's own error message that are passed on. */
const ERROR_CHARACTERS = 1_000;

/**
 * Steps 11 to 13 of the second door, after known secrets were taken out (10, `redact.ts`). The result is copied and
 * bounded, cleaned and inspected (11, 12), checked against the declared schema and cut to the length that the policy allows (13).
 * `isReleased`: an operator has read what the guard withholds of it, and lets it through.
 * INVARIANT: every text that a tool or a server wrote has passed the guard: content, structure, questions, its errors.
 */
export function inbound(
  house: House,
  { exchange }: Pick<CallRequest, 'exchange'>,
  { parsed, decision }: Judgement,
  executed: Executed,
  isReleased = false,
): Inbound {
  const { guard, limits } = house;
  if (executed.kind === 'failed') return failedSaying(guard, executed.code, executed.message);
  try {
    if (executed.kind === 'asked') return guardQuestions(guard, asked(executed.asked, exchange, limits));
    const raw = executed.parsed ?? parseOutput(executed.output, limits);
    const { onInjection, maxLength, audit } = decision.obligations;
    const { verdict, output, findings } = guardResult(guard, raw, isReleased ? 'pass' : onInjection);
    if (output === null) return withheld(raw, { verdict, findings });
    const schema = parsed.registered?.output ?? null;
    if (output.isError !== true) checkOutput(output, schema, decision.obligations);
    return { ...delivered(cutOutput(output, maxLength), audit), verdict, findings };
  } catch (error) {
    if (error instanceof SallyportError) return failedSaying(guard, error.code, error.message);
    throw error;
  }
}

/** A failure in words that may be a stranger's: what was found in them stands in the record. */
export function failedSaying(guard: Guard, code: ErrorCode, message: string): InboundFailed {
  const { text, told } = guardText(guard, message);
  return { ...failed(code, text), ...told };
}

/** What is told of a result that gives instructions to the model: nothing of it. It stands beside the record, for the operator. */
function withheld(
  raw: ToolOutput,
  { verdict, findings }: Pick<InboundDelivered, 'verdict' | 'findings'>,
): InboundFailed {
  const reason =
    'the tool ran; what it returned seems to give instructions to the model, or is not what it says, and is withheld';
  // With all of it: what an operator releases is what came, to the byte.
  const held = recordedForm(raw, raw.isError === true, true);
  return { ...failed('RESULT_QUARANTINED', reason), verdict, findings, held };
}

/** A question that gives instructions to the model is not asked; what only a machine would read goes out of it. */
function guardQuestions(guard: Guard, asking: InboundAsked | InboundFailed): InboundAsked | InboundFailed {
  if (asking.kind === 'failed') return asking;
  const { questions, task } = asking;
  const given: JsonObject = { questions: { ...questions }, task };
  const clean = guardValue(guard, given);
  if (clean === given) return asking;
  if (clean !== null) return { ...asking, ...(clean as unknown as Pick<InboundAsked, 'questions' | 'task'>) };
  const reason = 'the tool asks something that seems to give instructions to the model: it is withheld';
  return { ...failed('RESULT_QUARANTINED', reason), verdict: 'quarantined', held: asking.recorded };
}

/** ATTACKER-CONTROLLED: the questions, which a server wrote. The surface judges each before a client sees it. */
function asked(asking: NeedsAnswers, exchange: CallExchange | null, limits: Limits): InboundAsked | InboundFailed {
  const { questions, state } = asking;
  if (asking.task !== null && (exchange?.task ?? null) === null)
    return failed('RESULT_MALFORMED', 'the tool goes on as a task, and nobody asked for one');
  if (exchange === null) return failed('RESULT_MALFORMED', 'the tool asks for input, and nobody can be asked here');
  const bounds = { maxBytes: limits.resultTextBytes, maxDepth: limits.argumentDepth };
  const copied = copyJson(questions, bounds);
  const parsed: Record<string, { method: string; params: JsonObject }> = Object.create(null);
  for (const [key, question] of Object.entries(isJsonObject(copied) ? copied : {})) {
    const { method, params = {} } = isJsonObject(question) ? question : {};
    if (typeof method !== 'string' || !isJsonObject(params))
      return failed('RESULT_MALFORMED', 'the tool asks no question');
    parsed[key] = Object.freeze({ method, params });
  }
  const task = asking.task === null ? null : copyJson(asking.task, bounds);
  const isTask = isJsonObject(task);
  return {
    kind: 'asked',
    outcome: isTask ? 'task' : 'input-required',
    questions: Object.freeze(parsed),
    state,
    task: isTask ? task : null,
    recorded: isTask ? { task } : { questions: copied },
  };
}

/** What is told instead of a result that came when the call had been ended already; null if it had not. */
export const stoppedLate = (stopped: SallyportError | null): InboundFailed | null =>
  stopped === null ? null : failed(stopped.code, stopped.message);

/** Codes of calls that were ended from outside. */
const CANCELS: ReadonlySet<ErrorCode> = new Set(['TOOL_CANCELLED', 'POLICY_CHANGED', 'STOPPED']);

/** A result that is not delivered, and what is told of it. */
function failed(code: ErrorCode, message: string): InboundFailed {
  const outcome = code === 'TOOL_TIMEOUT' ? 'timeout' : CANCELS.has(code) ? 'cancelled' : 'failed';
  return { kind: 'failed', outcome, code, reason: escapeForTerminal(message.slice(0, ERROR_CHARACTERS)) };
}

function delivered(output: ToolOutput, keepAll: boolean): Omit<InboundDelivered, 'verdict' | 'findings'> {
  const isError = output.isError === true;
  const texts = output.content.flatMap((piece) => (piece.type === 'text' ? [piece.text] : []));
  return {
    ...output,
    kind: 'delivered',
    outcome: isError ? 'tool-error' : 'delivered',
    isError,
    text: texts.join('\n'),
    recorded: recordedForm(output, isError, keepAll),
  };
}

/** Text and structure are kept; bulky binary only where the policy says `audit: true`. */
function recordedForm(output: ToolOutput, isError: boolean, keepAll: boolean): JsonObject {
  const content = output.content.map(
    (piece): JsonValue => (keepAll ? piece : withoutBulk(piece as unknown as JsonValue)),
  );
  return {
    content,
    isError,
    ...(output.structuredContent === undefined ? {} : { structuredContent: output.structuredContent }),
  };
}

function withoutBulk(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  const short: Record<string, JsonValue> = {};
  for (const [key, child] of Object.entries(value)) {
    const bulky = (key === 'data' || key === 'blob') && typeof child === 'string';
    short[key] = bulky ? `[${child.length} characters of base64 not kept]` : withoutBulk(child);
  }
  return short;
}
