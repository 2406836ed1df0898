import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { httpStatusOf, isSallyportError, SallyportError } from '../core/index.ts';
import { errorResponse, refusal, SERVER_ERROR } from './json-rpc.ts';

/** An HTTP answer as plain data. A `body` is sent as JSON. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Close the connection: what the client still sends is not read. */
  readonly close?: boolean;
}

const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** The answer to a request that was refused before it became a message, or as one. */
export function refusalAnswer(error: unknown): HttpAnswer {
  const known = isSallyportError(error) ? error : new SallyportError('INTERNAL', 'the request could not be handled');
  const status = httpStatusOf(known.code);
  const isInput = known.code.startsWith('INPUT_');
  return {
    status,
    body: isInput ? refusal(known) : errorResponse(SERVER_ERROR, known),
    // No resource_metadata: a client that knows OAuth only must not be sent looking for an authorization server.
    ...(status === 401 ? { headers: { 'www-authenticate': 'Bearer' } } : {}),
    close: true,
  };
}

/** A plain answer without a message of ours: what is not there, what is not allowed here. */
export const plainAnswer = (status: number, message: string, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers,
  body: { jsonrpc: '2.0', id: null, error: { code: SERVER_ERROR, message } },
  close: true,
});

/**
 * The answer to a client that looks for an authorization server although there is none: one plain 404 that says what to do.
 * As an OAuth error (RFC 6749 section 5.2), so that a client that registers itself shows the text; `invalid_request` is
 * no code upon which a client forgets its credentials and starts again.
 */
export const noOAuthAnswer = (): HttpAnswer => ({
  status: 404,
  body: { error: 'invalid_request', error_description: NO_OAUTH },
  close: true,
});

const NO_OAUTH =
  'This gateway has no OAuth: it takes a bearer token. Make one with "sallyport token add NAME" and send the header ' +
  '"Authorization: Bearer TOKEN", or let "sallyport connect" set your client up';

/** Writes an answer. A client that is gone already is no error. */
export function sendAnswer(response: ServerResponse, answer: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const text = answer.body === undefined ? '' : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    ...COMMON_HEADERS,
    ...(answer.body === undefined ? {} : { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
    ...answer.headers,
    ...(answer.close === true ? { connection: 'close' } : {}),
  });
  response.end(text);
}

/** Writes a web-standard response, as fast as the client reads it. */
export async function sendWebResponse(response: ServerResponse, answer: Response): Promise<void> {
  if (response.destroyed) {
    await answer.body?.cancel();
    return;
  }
  response.writeHead(answer.status, { ...COMMON_HEADERS, ...Object.fromEntries(answer.headers) });
  if (answer.body === null) response.end();
  else await pipeline(Readable.fromWeb(answer.body), response);
}
