import type { IncomingMessage } from 'node:http';
import { type CanonicalUrl, SallyportError } from '../core/index.ts';
import { readBody } from './fetch-body.ts';
import { bytesOf, resolveHead } from './fetch-content.ts';
import { connectToJudged } from './fetch-dial.ts';
import { exchange, headersOf, locationsOf } from './fetch-exchange.ts';
import { nextRequest } from './fetch-redirect.ts';
import {
  DEFAULT_FETCH_LIMITS,
  type FetchLimits,
  type FetchOptions,
  type FetchRequest,
  type FetchResult,
  type HopTarget,
  type MadeHop,
} from './fetch-types.ts';

/** What the hops of one request share. */
interface Chain {
  readonly options: FetchOptions;
  readonly limits: FetchLimits;
  readonly signal: AbortSignal;
  /** Addresses by host: a name is looked up once, so it cannot change between two hops. */
  readonly resolved: Map<string, readonly string[]>;
  readonly hops: MadeHop[];
  readonly send: Send;
}

/** An answer whose body has not been read. */
interface Arrived {
  readonly status: number;
  readonly locations: readonly string[];
  /** Reads the rest of it. */
  finish(): Promise<FetchResult>;
  drop(): void;
}

type Send = (request: FetchRequest, admitted: Admitted, chain: Chain) => Promise<Arrived>;

interface Admitted {
  readonly target: HopTarget;
  readonly addresses: readonly string[];
}

type Denied = Extract<FetchResult, { kind: 'denied' }>;

/**
 * Makes a request and follows its redirects. Each hop is judged like a first request, by name before it is looked up and
 * by every address after; it then connects only to an address that was judged. A redirect never leads to an internal
 * endpoint of another origin, from https to http, or to what needs a confirmation; another origin gets neither body nor
 * credentials nor any other header of the caller's making.
 *
 * @throws SallyportError ENDPOINT_UNREACHABLE, ENDPOINT_UNRESOLVED, RESULT_TOO_LARGE, RESULT_MALFORMED, CONTENT_TOO_LARGE,
 *   SECRET_UNAVAILABLE, TOOL_TIMEOUT, TOOL_CANCELLED
 */
export const performRequest = (request: FetchRequest, options: FetchOptions): Promise<FetchResult> =>
  perform(request, options, send);

/** What each address is taken to answer. */
export type Answers = (url: string) => { readonly status: number; readonly location: string } | null;

/** Follows a request over answers that are given instead of fetched: the same judgements, no connection. */
export const foreseeRequest = (
  request: FetchRequest,
  options: Omit<FetchOptions, 'dial'>,
  answers: Answers,
): Promise<FetchResult> =>
  perform(request, { ...options, dial: refuseToDial }, async (_request, { target }, { hops }) => {
    const given = answers(target.url.text);
    const status = given?.status ?? 200;
    const url = target.url.text;
    const finish = async (): Promise<FetchResult> => ({
      ...{ kind: 'answered', status, headers: [], body: new Uint8Array(), url, hops },
    });
    return { status, locations: given === null ? [] : [given.location], finish, drop: () => undefined };
  });

const refuseToDial = (): Promise<never> =>
  Promise.reject(new SallyportError('INTERNAL', 'a foreseen request connects to nothing'));

async function perform(request: FetchRequest, options: FetchOptions, sending: Send): Promise<FetchResult> {
  const limits = { ...DEFAULT_FETCH_LIMITS, ...options.limits };
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new SallyportError('TOOL_TIMEOUT', 'the request took too long')),
    limits.totalMs,
  );
  const signal = AbortSignal.any([deadline.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  try {
    const resolved = new Map(options.resolved ?? []);
    return await follow(request, { options, limits, signal, resolved, hops: [], send: sending });
  } catch (error) {
    if (options.signal?.aborted === true) throw cancelled(options.signal.reason);
    if (deadline.signal.aborted) throw deadline.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const cancelled = (cause: unknown): SallyportError =>
  new SallyportError('TOOL_CANCELLED', 'the request was cancelled', { cause });

async function follow(request: FetchRequest, chain: Chain): Promise<FetchResult> {
  let current = request;
  let from: CanonicalUrl | null = null;
  for (let index = 0; index <= chain.limits.redirects; index++) {
    const admitted = await admit(current, { index, from, chain });
    if ('kind' in admitted) return admitted;
    const arrived = await chain.send(current, admitted, chain);
    const next = nextRequest(current, admitted.target.url, arrived);
    if (next === null) return await arrived.finish();
    arrived.drop();
    if (typeof next === 'string') return redirectDenied(next, chain);
    from = admitted.target.url;
    current = next;
  }
  return redirectDenied(`there are more than ${chain.limits.redirects} redirects`, chain);
}

const denied = (finding: Pick<Denied, 'code' | 'reason'>, { hops }: Chain): Denied => ({
  kind: 'denied',
  code: finding.code,
  reason: finding.reason,
  hops,
});

const redirectDenied = (why: string, chain: Chain): Denied =>
  denied({ code: 'ENDPOINT_REDIRECT', reason: `a redirect is not followed: ${why}` }, chain);

interface Step {
  readonly index: number;
  readonly from: CanonicalUrl | null;
  readonly chain: Chain;
}

async function admit(request: FetchRequest, step: Step): Promise<Admitted | Denied> {
  const named = judgeHop(request, null, step);
  if ('kind' in named) return named;
  const addresses = await addressesOf(named.url, step.chain);
  const target = judgeHop(request, addresses, step);
  return 'kind' in target ? target : { target, addresses };
}

function judgeHop(
  request: FetchRequest,
  addresses: readonly string[] | null,
  { index, from, chain }: Step,
): HopTarget | Denied {
  const { effect, target, finding } = chain.options.judge({ index, request, addresses });
  const isConfirmed = effect === 'confirm' && index === 0 && chain.options.confirmed === true;
  if (target === null || !(effect === 'allow' || isConfirmed)) {
    const found = finding ?? { code: 'ENDPOINT_NOT_ALLOWED', reason: 'the request is not allowed' };
    return index === 0 ? denied(found, chain) : redirectDenied(`${found.code}: ${found.reason}`, chain);
  }
  if (from !== null && target.isInternal && target.url.origin !== from.origin) {
    return redirectDenied('it leads to an internal endpoint', chain);
  }
  return target;
}

async function addressesOf(url: CanonicalUrl, { options, resolved, signal }: Chain): Promise<readonly string[]> {
  if (url.hostKind === 'address') return [url.host];
  const known = resolved.get(url.host);
  if (known !== undefined) return known;
  signal.throwIfAborted();
  const addresses = Object.freeze([...(await unlessAborted(options.resolve(url.host, signal), signal))]);
  resolved.set(url.host, addresses);
  return addresses;
}

async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function send(request: FetchRequest, { target, addresses }: Admitted, chain: Chain): Promise<Arrived> {
  const { options, limits, signal } = chain;
  const { url } = target;
  const method = target.method ?? request.method;
  const body = bytesOf(request, limits.requestBytes);
  const { headers, query } = await unlessAborted(resolveHead(target, request, options), signal);
  const { dial, certificates = [] } = options;
  const { socket, address } = await connectToJudged({
    url,
    addresses,
    dial,
    certificates,
    signal,
    connectMs: limits.connectMs,
  });
  const host = url.text.slice(url.scheme.length + 3, url.text.indexOf('/', url.scheme.length + 3));
  const { headerBytes } = limits;
  const response = await exchange({
    socket,
    method,
    target: `${url.path}${query}`,
    host,
    headers,
    body,
    headerBytes,
    signal,
  });
  const status = response.statusCode ?? 0;
  chain.hops.push(Object.freeze({ url: url.text, method, status, address }));
  const finish = (): Promise<FetchResult> => answer(response, url, chain);
  return { status, locations: locationsOf(response), finish, drop: () => void response.destroy() };
}

async function answer(
  response: IncomingMessage,
  url: CanonicalUrl,
  { limits, signal, hops }: Chain,
): Promise<FetchResult> {
  const { wireBytes, bodyBytes } = limits;
  try {
    const body = await readBody(response, { wireBytes, bodyBytes, signal });
    return {
      kind: 'answered',
      status: response.statusCode ?? 0,
      headers: headersOf(response),
      body,
      url: url.text,
      hops,
    };
  } finally {
    response.destroy();
  }
}
