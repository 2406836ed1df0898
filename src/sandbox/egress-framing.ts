import type { IncomingMessage } from 'node:http';
import { type Header, misleadingHeader, valuesOf } from './egress-headers.ts';
import type { EgressLimits } from './egress-limits.ts';
import { type EgressRefusal, refuse } from './egress-refusal.ts';
import type { RequestTarget } from './egress-target.ts';

const malformed = (reason: string): EgressRefusal => refuse('EGRESS_MALFORMED', reason);

/**
 * What two readers of one request could disagree about is refused, though the request is written anew before it leaves:
 * `Host` must agree with the target (RFC 9112 3.2), the length of the body must be said in one way (RFC 9112 6.3).
 *
 * ATTACKER-CONTROLLED: `request`.
 */
export function troubleInRequest(
  request: IncomingMessage,
  headers: readonly Header[],
  { target, limits }: { readonly target: RequestTarget; readonly limits: EgressLimits },
): EgressRefusal | null {
  if (!isHttp1(request)) return malformed('it is not HTTP/1.1');
  if (headers.length > limits.headers) return malformed(`a request has at most ${limits.headers} headers`);
  return troubleInHost(request, headers, target) ?? troubleInLength(headers) ?? troubleInMeaning(headers);
}

/** The parser also takes a request line without a version, with headers behind it. */
const isHttp1 = ({ httpVersion }: IncomingMessage): boolean => httpVersion === '1.1' || httpVersion === '1.0';

/** The same for CONNECT, whose `Host` may leave its port out. */
export function troubleInConnect(
  request: IncomingMessage,
  headers: readonly Header[],
  limits: EgressLimits,
): EgressRefusal | null {
  if (!isHttp1(request)) return malformed('it is not HTTP/1.1');
  if (headers.length > limits.headers) return malformed(`a request has at most ${limits.headers} headers`);
  const authority = (request.url ?? '').toLowerCase();
  const hosts = valuesOf(headers, 'host').map((host) => host.toLowerCase());
  const agrees = hosts.every((host) => host === authority || host === authority.replace(/:[0-9]+$/, ''));
  return hosts.length <= 1 && agrees ? null : malformed('its Host differs from its target');
}

function troubleInHost(
  { httpVersion }: IncomingMessage,
  headers: readonly Header[],
  { authority, scheme, port }: RequestTarget,
): EgressRefusal | null {
  const hosts = valuesOf(headers, 'host');
  if (hosts.length === 0 && httpVersion === '1.0') return null;
  if (hosts.length !== 1) return malformed('a request has one Host');
  const written = (hosts[0] ?? '').toLowerCase();
  const ownPort = port === (scheme === 'https' ? 443 : 80);
  const isSame = written === authority || (ownPort && written === `${authority}:${port}`);
  return isSame ? null : malformed('its Host differs from its target');
}

function troubleInLength(headers: readonly Header[]): EgressRefusal | null {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  if (lengths.length + codings.length > 1) return malformed('it says the length of its body twice');
  if (codings.some((coding) => coding.toLowerCase() !== 'chunked'))
    return malformed('its transfer coding is not chunked');
  return lengths.every((length) => /^[0-9]{1,15}$/.test(length)) ? null : malformed('its Content-Length is no number');
}

function troubleInMeaning(headers: readonly Header[]): EgressRefusal | null {
  const upgrades = valuesOf(headers, 'upgrade').flatMap((value) => value.split(','));
  // A client offers HTTP/2 that way and goes on in HTTP/1.1 when nobody takes the offer (RFC 9110 7.8).
  if (upgrades.some((upgrade) => upgrade.trim().toLowerCase() !== 'h2c')) {
    return refuse('EGRESS_UPGRADE', 'the request wants to change the protocol');
  }
  const misleading = misleadingHeader(headers);
  return misleading === null ? null : malformed(`the header ${misleading} changes what was judged`);
}
