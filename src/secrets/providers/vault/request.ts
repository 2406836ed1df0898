import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isJsonObject, type JsonObject, parseStrictJson } from '../../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../../limits.ts';

/** One answer: its status, and its body where that is a JSON object. */
export interface VaultAnswer {
  readonly status: number;
  readonly body: JsonObject | null;
}

export interface VaultCall {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/v1/`, with each segment encoded. */
  readonly path: string;
  readonly token: string | null;
  readonly namespace: string | null;
  readonly body?: JsonObject;
}

export interface VaultTransport {
  /** Certificates to trust instead of the system's, PEM. */
  readonly certificates?: string;
  readonly timeoutMs?: number;
}

/** What happened to the line to the server, as opposed to what it said. */
export class VaultLineError extends Error {
  override readonly name = 'VaultLineError';
}

/**
 * One call. No redirect is followed: it would carry the token to an address that nobody configured. No proxy of the
 * environment is used.
 * @throws VaultLineError; the reason of `signal`
 */
export async function callVault(
  address: URL,
  call: VaultCall,
  options: VaultTransport & { readonly signal: AbortSignal },
): Promise<VaultAnswer> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_SECRET_LIMITS.requestMs;
  const late = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([options.signal, late]);
  const body = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
  try {
    const response = await send(open(address, call, { ...options, signal, length: body?.length ?? 0 }), body);
    return { status: response.statusCode ?? 0, body: await readJson(response) };
  } catch (error) {
    options.signal.throwIfAborted();
    if (late.aborted) throw new VaultLineError(`no answer within ${timeoutMs} ms`);
    if (error instanceof VaultLineError) throw error;
    // Only the code: it names what failed, and nothing that was sent.
    throw new VaultLineError(`the line failed (${(error as NodeJS.ErrnoException).code ?? 'broken'})`);
  } finally {
    body?.fill(0);
  }
}

function open(
  address: URL,
  call: VaultCall,
  options: VaultTransport & { signal: AbortSignal; length: number },
): ClientRequest {
  const url = new URL(`/v1/${call.path}`, address);
  const settings = {
    method: call.method,
    signal: options.signal,
    headers: {
      accept: 'application/json',
      // Proves to the server that no browser was tricked into this request; agents of Vault ask for it.
      'x-vault-request': 'true',
      ...(call.token === null ? {} : { 'x-vault-token': call.token }),
      ...(call.namespace === null ? {} : { 'x-vault-namespace': call.namespace }),
      ...(call.body === undefined ? {} : { 'content-type': 'application/json', 'content-length': options.length }),
    },
  };
  if (url.protocol === 'http:') return requestHttp(url, { ...settings, agent: false });
  const certificates = options.certificates === undefined ? {} : { ca: options.certificates };
  return requestHttps(url, { ...settings, agent: false, minVersion: 'TLSv1.2', ...certificates });
}

function send(request: ClientRequest, body: Buffer | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}

async function readJson(response: IncomingMessage): Promise<JsonObject | null> {
  const { answerBytes, answerDepth } = DEFAULT_SECRET_LIMITS;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > answerBytes) throw new VaultLineError('the answer is too large');
    chunks.push(chunk);
  }
  try {
    const value = parseStrictJson(Buffer.concat(chunks).toString('utf8'), {
      maxBytes: answerBytes,
      maxDepth: answerDepth,
    });
    return isJsonObject(value) ? value : null;
  } catch {
    // Not JSON: a proxy's page, or nothing. The status says enough, and the text may have a secret in it.
    return null;
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}

/** A path for a URL: each segment encoded, slashes kept. */
export const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
