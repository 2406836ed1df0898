import { classifyAddress, isUrlTrouble, readUrl, type UrlTrouble } from '../core/index.ts';
import type { EgressAsk } from './contract.ts';

/** Where something wants to go, in canonical form. */
export interface EgressTarget {
  readonly host: string;
  readonly port: number;
  readonly hostKind: 'name' | 'address';
}

/** A request's target: the URL that is judged is the one that is sent. */
export interface RequestTarget extends EgressTarget {
  readonly scheme: 'http' | 'https';
  readonly url: string;
  /** Path and query. */
  readonly pathAndQuery: string;
  /** As it stands in `Host`: the port only if it is not the scheme's own. */
  readonly authority: string;
}

const AUTHORITY = /^([^/?#@\\\s]{1,255}):([0-9]{1,5})$/;

/**
 * Reads the target of CONNECT (RFC 9112 3.2.3): a host in canonical form and a port, both written out.
 *
 * ATTACKER-CONTROLLED: `text`.
 */
export function readAuthority(text: string): EgressTarget | UrlTrouble {
  const match = AUTHORITY.exec(text);
  if (match === null) return { trouble: 'host', detail: 'it is not written as HOST:PORT' };
  const url = readUrl(`https://${text}/`);
  return isUrlTrouble(url) ? url : { host: url.host, port: url.port, hostKind: url.hostKind };
}

/**
 * Reads the host of a SOCKS request (RFC 1928): the text of an address counts as that address.
 *
 * ATTACKER-CONTROLLED: `host`.
 */
export function readSocksTarget(host: string, port: number): EgressTarget | UrlTrouble {
  const address = classifyAddress(host);
  const written = address?.family === 6 ? `[${address.text}]` : host;
  return readAuthority(`${written}:${port}`);
}

/**
 * Reads the URL of a request; its scheme must be the one of the connection.
 *
 * ATTACKER-CONTROLLED: `text`.
 */
export function readRequestTarget(text: string, scheme: 'http' | 'https'): RequestTarget | UrlTrouble {
  const url = readUrl(text);
  if (isUrlTrouble(url)) return url;
  if (url.scheme !== scheme) return { trouble: 'scheme', detail: 'https goes through CONNECT' };
  const start = scheme.length + 3;
  const authority = url.text.slice(start, url.text.indexOf('/', start));
  return {
    ...{ host: url.host, port: url.port, hostKind: url.hostKind, scheme, authority },
    ...{ url: url.text, pathAndQuery: `${url.path}${url.query}` },
  };
}

/** Characters of a text of the client that stand in a record. */
const MAX_RECORDED = 256;

const NOWHERE = { host: '', port: 0, method: null, url: null } as const;

/** What is asked when the question itself cannot be read: the start of what was written, for the record only. */
export const unreadableAsk = (scheme: EgressAsk['scheme'], written = ''): EgressAsk => ({
  ...NOWHERE,
  scheme,
  host: written.slice(0, MAX_RECORDED),
});

/** What is asked for a tunnel. */
export const tunnelAsk = ({ host, port }: EgressTarget, scheme: 'tcp' | 'https' = 'tcp'): EgressAsk => ({
  ...{ scheme, host, port },
  method: null,
  url: null,
});

/** What is asked for a request. */
export const requestAsk = ({ scheme, host, port, url }: RequestTarget, method: string): EgressAsk => ({
  ...{ scheme, host, port, method, url },
});
