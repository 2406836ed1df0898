import type { ServerResponse } from 'node:http';
import { httpStatusOf, isSallyportError, type JsonValue, SallyportError } from '../core/index.ts';

/** An answer as plain data. */
export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Close the connection: what the client still sends is not read. */
  readonly close?: boolean;
}

/**
 * Headers of every answer. INVARIANT: no page frames the console, reads its answers from another origin, or runs a script in it
 * that did not come from it; there is no header that lets another origin in (CORS).
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self)',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
});

export const jsonAnswer = (value: JsonValue, status = 200): HttpAnswer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});

/** What went wrong, as JSON: code, message, and what to do next. What is no error of ours says nothing of itself. */
export function errorAnswer(error: unknown, status?: number): HttpAnswer {
  const known = isSallyportError(error) ? error : new SallyportError('INTERNAL', 'the request could not be handled');
  const { code, message, remedy } = known;
  return { ...jsonAnswer({ error: { code, message, remedy } }, status ?? httpStatusOf(code)), close: true };
}

/** Writes an answer. A client that is gone already is no error. */
export function sendAnswer(response: ServerResponse, { status, type, body, headers, close }: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...headers,
    ...(close === true ? { connection: 'close' } : {}),
  });
  response.end(body);
}
