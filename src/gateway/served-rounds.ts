import { ProtocolError } from '@modelcontextprotocol/server';
import { isJsonObject, isSallyportError, type JsonObject, type JsonValue } from '../core/index.ts';
import type { Asked, CallExchange, CallResult, Denied, Failed } from '../gate/index.ts';
import { actionName } from '../policy/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import { sessionHolder } from './caller.ts';
import { argumentsDigest, type Binding, MAX_ROUNDS } from './envelope.ts';
import type { ClientAnswer, ClientRequest, Question } from './exchange.ts';
import { checkAsked, MAX_QUESTIONS_A_ROUND, readAnswer, readQuestion } from './question-forms.ts';
import { INVALID_PARAMS, localAction, type ServedContext, tellingAction } from './served-context.ts';
import { tellInOrder } from './served-tellings.ts';
import { holderOf } from './server-caller.ts';

/** A request that a server may answer with questions. */
export interface RoundsRequest {
  readonly request: ClientRequest;
  readonly server: ApprovedServer;
  /** What is sent, and must be the same in every round. */
  readonly params: JsonObject;
  readonly run: (exchange: CallExchange) => Promise<CallResult | Asked>;
}

/** What came of one round. */
export type Round =
  | { readonly kind: 'ended'; readonly result: CallResult }
  | Extract<ClientAnswer, { kind: 'questions' }>;

/**
 * One round of a request: the answers of the round before are judged, the request is decided and sent again, and what the
 * server asks is judged before the client sees it. State travels through the client sealed; see `envelope.ts`.
 *
 * @throws ProtocolError for state that is not ours, or not for this request
 */
export async function playRound(context: ServedContext, rounds: RoundsRequest): Promise<Round> {
  const binding = bindingOf(context, rounds);
  const before = openState(context, binding, rounds.request.state);
  try {
    return await goOn(context, rounds, { binding, before });
  } catch (error) {
    abandonCall(context, rounds.server, before?.state ?? null); // it asked too often, or the gate is closed
    throw error;
  }
}

async function goOn(
  context: ServedContext,
  rounds: RoundsRequest,
  { binding, before }: { readonly binding: Binding; readonly before: (SavedRound & { readonly round: number }) | null },
): Promise<Round> {
  const { request, server } = rounds;
  const answers = before === null ? null : await takeAnswers(context, server, before, request.answers);
  if (answers !== null && 'kind' in answers) {
    abandonCall(context, server, before?.state ?? null);
    return { kind: 'ended', result: answers };
  }
  if (before !== null && answers === null) return ask(context, binding, { ...before, isAgain: true }, before.round + 1);
  const tellings = tellInOrder(context, server, request);
  const result = await rounds.run({
    ...{
      abilities: { ...request.abilities, elicitation: { ...request.abilities.elicitation } },
      answers: answers?.given ?? null,
    },
    ...{
      state: before?.state ?? null,
      task: null,
      wantsProgress: request.progress !== null,
      logLevel: wantsLogs(context, rounds) ? 'debug' : null,
    },
    tell: tellings.tell,
  });
  await tellings.settled();
  if (result.kind !== 'asked') {
    if (result.kind !== 'delivered') abandonCall(context, server, before?.state ?? null);
    return { kind: 'ended', result };
  }
  const judged = await judgeQuestions(context, rounds, result);
  if (judged.kind !== 'questions') {
    abandonCall(context, server, result.state);
    return { kind: 'ended', result: judged };
  }
  const next = ask(context, binding, { state: result.state, questions: judged.questions }, (before?.round ?? 0) + 1);
  return hasAnswers(request, judged.questions)
    ? playRound(context, { ...rounds, request: { ...request, state: next.state } })
    : next;
}

/** A server that may not log is not asked for log messages either. */
const wantsLogs = ({ session }: ServedContext, { request, server }: RoundsRequest): boolean =>
  request.log !== null && session.mayBeAllowed(actionName(server.rule.name, 'notifications/message'));

/** Ends the request that a server holds open behind the state of a round, if there is one: nobody will go on with it. */
const abandonCall = ({ caller, session }: ServedContext, server: ApprovedServer, state: JsonValue): void =>
  caller.abandon(holderOf(session.principal, server), state);

/** A client may know what it will be asked, and answer in its first request (MCP 2026-07-28, multi round-trip requests). */
const hasAnswers = ({ state, answers }: ClientRequest, questions: SavedRound['questions']): boolean =>
  state === null && answers !== null && Object.keys(questions).every((key) => Object.hasOwn(answers, key));

interface SavedRound {
  readonly state: JsonValue;
  readonly questions: Readonly<Record<string, Question>>;
  /** These questions were asked before, and an answer did not fit. */
  readonly isAgain?: boolean;
}

/** Ends the request behind sealed state: its client will not come back. ATTACKER-CONTROLLED: `text`. */
export function abandonRound({ envelope, caller, session }: ServedContext, text: string): void {
  const saved = envelope.abandon(sealedFor(session), text);
  if (isJsonObject(saved)) caller.abandon(sessionHolder(session.principal), saved['state'] ?? null);
}

/** Whom sealed state is given to. */
const sealedFor = ({ principal: { user, agent, session } }: ServedContext['session']): string =>
  JSON.stringify([user, agent, session]);

const bindingOf = ({ session }: ServedContext, { request, server, params }: RoundsRequest): Binding => ({
  holder: sealedFor(session),
  server: server.rule.name,
  method: request.method,
  arguments: argumentsDigest(params),
});

function ask(
  { envelope }: ServedContext,
  binding: Binding,
  saved: SavedRound,
  round: number,
): Extract<Round, { readonly kind: 'questions' }> {
  if (round > MAX_ROUNDS)
    throw new ProtocolError(INVALID_PARAMS, `the server asked ${MAX_ROUNDS} times: it is not asked again`);
  const questions = Object.fromEntries(
    Object.entries(saved.questions).map(([key, { method, params }]) => [key, { method, params }]),
  );
  const sealed = { state: saved.state, questions, isAgain: saved.isAgain === true };
  return { kind: 'questions', questions, state: envelope.seal(binding, sealed, round) };
}

function openState(
  { envelope }: ServedContext,
  binding: Binding,
  text: string | null,
): (SavedRound & { round: number }) | null {
  if (text === null) return null;
  const opened = envelope.open(binding, text);
  const saved = opened?.state;
  if (opened === null || !isJsonObject(saved) || !isJsonObject(saved['questions'])) {
    throw new ProtocolError(INVALID_PARAMS, 'Invalid or expired requestState', { reason: 'invalid_request_state' });
  }
  return {
    state: saved['state'] ?? null,
    questions: saved['questions'] as unknown as SavedRound['questions'],
    isAgain: saved['isAgain'] === true,
    round: opened.round,
  };
}

/**
 * The answers as they go to the server; null when one is missing or does not fit, so that the client is asked again. It is
 * asked once more and not for ever: the second time ends the call.
 */
async function takeAnswers(
  context: ServedContext,
  server: ApprovedServer,
  { questions, isAgain }: SavedRound,
  answers: JsonObject | null,
): Promise<{ readonly given: JsonObject } | Denied | Failed | null> {
  const given: Record<string, JsonValue> = Object.create(null);
  for (const [key, question] of Object.entries(questions)) {
    const offered = answers !== null && Object.hasOwn(answers, key) ? answers[key] : undefined;
    const answer = fitting(question, offered);
    if (answer === null && isAgain !== true) return null;
    // An answer leaves through the gate: it is judged and recorded like the arguments of a call. One that does not fit fails there.
    const leaving = localAction(server, question.method, { answer: answer ?? offered ?? null }, async () => {
      readAnswer(question, offered);
    });
    const sent = await context.session.act(leaving);
    if (sent.kind !== 'delivered') return sent;
    given[key] = answer;
  }
  return { given };
}

function fitting(question: Question, answer: JsonValue | undefined): JsonObject | null {
  try {
    return readAnswer(question, answer);
  } catch (error) {
    if (isSallyportError(error, 'INPUT_SCHEMA_MISMATCH')) return null;
    throw error;
  }
}

/** Largest questions and state of one round, in bytes of JSON: what is sealed has to come back through a client. */
const MAX_ROUND_BYTES = 131_072;

const isLarge = (round: Pick<Asked, 'questions' | 'state'>): boolean =>
  Buffer.byteLength(JSON.stringify(round)) > MAX_ROUND_BYTES;

/** ATTACKER-CONTROLLED: `key`; as a member of an object it has to be one like every other. */
const isKey = (key: string): boolean => key.length <= 256 && key !== '__proto__';

/** Each question of a server crosses the gate before a client sees it; one that is denied ends the call. */
async function judgeQuestions(
  context: ServedContext,
  { server, request: { abilities } }: Pick<RoundsRequest, 'server' | 'request'>,
  { questions, state, rule, record }: Asked,
): Promise<{ readonly kind: 'questions'; readonly questions: SavedRound['questions'] } | CallResult> {
  const entries = Object.entries(questions);
  const read: Record<string, Question> = Object.create(null);
  try {
    if (
      entries.length > MAX_QUESTIONS_A_ROUND ||
      !entries.every(([key]) => isKey(key)) ||
      isLarge({ questions, state })
    )
      throw new RangeError();
    for (const [key, question] of entries) read[key] = readQuestion(server.rule, question);
  } catch (error) {
    if (!isSallyportError(error) && !(error instanceof RangeError)) throw error;
    const reason = isSallyportError(error) ? error.message : 'the server asks too much at once';
    const text = `Failed: what ${server.rule.name} asks (RESULT_MALFORMED)\nReason: ${reason}`;
    return { kind: 'failed', code: 'RESULT_MALFORMED', reason, text, rule, record };
  }
  for (const [key, { method, params }] of Object.entries(read)) {
    const check = async (clean: JsonObject): Promise<void> => {
      checkAsked(abilities, { method, params: clean });
      read[key] = { method, params: clean };
    };
    const passed = await context.session.act(tellingAction(server, method, params, check));
    if (passed.kind !== 'delivered') return passed;
  }
  return { kind: 'questions', questions: read };
}
