import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EgressAsk } from './contract.ts';
import { admit, type EgressAdmission } from './egress-admit.ts';
import { answerRefusal } from './egress-answer.ts';
import { dialJudged } from './egress-dial.ts';
import { troubleInRequest } from './egress-framing.ts';
import { type Header, headersOf } from './egress-headers.ts';
import { type EgressRefusal, isRefusal, refusalOf, refuse } from './egress-refusal.ts';
import { sendRequest } from './egress-send.ts';
import { type EgressContext, refusedEvent } from './egress-session.ts';
import {
  type EgressTarget,
  type RequestTarget,
  readRequestTarget,
  requestAsk,
  unreadableAsk,
} from './egress-target.ts';
import { hasToken } from './egress-token.ts';

/** What the requests of a connection are for: any target (by absolute URL), or the one that its tunnel was opened to. */
export type Requests =
  | { readonly kind: 'proxy' }
  | { readonly kind: 'inside'; readonly scheme: 'http' | 'https'; readonly target: EgressTarget };

/** A request with its answer. */
export interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

interface ReadRequest {
  readonly ask: EgressAsk;
  readonly target: RequestTarget;
  readonly headers: readonly Header[];
}

/** What a connection without the token of this session gets. */
export const noToken = (): EgressRefusal => refuse('EGRESS_TOKEN', 'the token of this session is missing or wrong');

/** Serves one request: read, judged, sent, answered, recorded once. Never rejects. */
export async function serveRequest(context: EgressContext, requests: Requests, arrived: Arrived): Promise<void> {
  const { request, response } = arrived;
  const read = readRequest(context, requests, request);
  if (isRefusal(read)) {
    context.record(refusedEvent(unreadableAsk(schemeOf(requests), request.url), read));
    return answerRefusal(response, read);
  }
  const abandoned = new AbortController();
  const leave = (): void => abandoned.abort();
  const gone = whenClosed(request, response, leave);
  const signal = AbortSignal.any([context.signal, abandoned.signal]);
  const refusal = await judgeAndSend(context, { read, arrived, signal });
  if (refusal !== null) answerRefusal(response, refusal);
  await gone;
}

/** Resolves when the answer has left, or its connection is gone: an answer that waits for its turn is not told of that. */
function whenClosed({ socket }: IncomingMessage, response: ServerResponse, onClose: () => void): Promise<void> {
  return new Promise((done) => {
    const close = (): void => {
      socket.off('close', close);
      response.off('close', close);
      onClose();
      done();
    };
    socket.once('close', close);
    response.once('close', close);
    if (socket.destroyed || response.destroyed) close();
  });
}

const schemeOf = (requests: Requests): 'http' | 'https' => (requests.kind === 'proxy' ? 'http' : requests.scheme);

/** ATTACKER-CONTROLLED: `request`. */
function readRequest(
  { token, limits }: EgressContext,
  requests: Requests,
  request: IncomingMessage,
): ReadRequest | EgressRefusal {
  const headers = headersOf(request.rawHeaders);
  if (requests.kind === 'proxy' && !hasToken(headers, token)) return noToken();
  const url = absoluteUrl(requests, request.url ?? '');
  if (url === null) return refuse('EGRESS_MALFORMED', 'the target of the request has not the form that belongs here');
  const target = readRequestTarget(url, schemeOf(requests));
  if ('trouble' in target) return refuse('EGRESS_MALFORMED', `the URL cannot be used: ${target.detail}`);
  const trouble = troubleInRequest(request, headers, { target, limits });
  return trouble ?? { ask: requestAsk(target, request.method ?? ''), target, headers };
}

/** Through a proxy a target is an absolute URL, within a tunnel a path (RFC 9112 3.2.1, 3.2.2). */
function absoluteUrl(requests: Requests, written: string): string | null {
  if (requests.kind === 'proxy') return written.startsWith('/') || written === '*' ? null : written;
  if (!written.startsWith('/')) return null;
  const { scheme, target } = requests;
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${scheme}://${host}:${target.port}${written}`;
}

interface Judging {
  readonly read: ReadRequest;
  readonly arrived: Arrived;
  readonly signal: AbortSignal;
}

/** A refusal that has not been told to the client; null: it has its answer. */
async function judgeAndSend(context: EgressContext, judging: Judging): Promise<EgressRefusal | null> {
  const { read, signal } = judging;
  const admission = await admit(context, { ask: read.ask, target: read.target, signal });
  if (!isRefusal(admission)) return send(context, admission, judging);
  context.record(refusedEvent(read.ask, admission));
  return admission;
}

async function send(
  context: EgressContext,
  { answer, addresses }: EgressAdmission,
  { read: { ask, target, headers }, arrived, signal }: Judging,
): Promise<EgressRefusal | null> {
  const event = { ask, allowed: true, rule: answer.rule, address: null, sentBytes: 0, receivedBytes: 0, status: null };
  const tls = target.scheme === 'https';
  let dialled: Awaited<ReturnType<typeof dialJudged>> | null = null;
  const traffic = (): object => ({
    ...(dialled === null ? {} : { address: dialled.address }),
    sentBytes: dialled?.raw.bytesWritten ?? 0,
    receivedBytes: dialled?.raw.bytesRead ?? 0,
  });
  try {
    dialled = await dialJudged(context, { target, addresses, tls, signal });
    if (arrived.expectsContinue) arrived.response.writeContinue();
    const { request: incoming, response } = arrived;
    const admitCredentials = answer.credentials === true;
    const sent = await sendRequest(context, {
      ...{ incoming, response, headers, target, dialled, admitCredentials, signal },
    });
    context.record({ ...event, ...traffic(), ...sent });
    return null;
  } catch (error) {
    const refusal = refusalOf(error, 'ENDPOINT_UNREACHABLE');
    context.record({ ...event, ...traffic(), error: refusal.error });
    return refusal;
  } finally {
    dialled?.raw.destroy();
  }
}
