import { isUrlTrouble, readUrl } from '../core/index.ts';
import type { PolicyCase, Redirect } from './case-file.ts';

/** What a name resolves to when a case does not say (TEST-NET addresses would not be public). */
const USUAL_ADDRESSES: readonly string[] = ['93.184.216.66'];

/** The network of one case: tables, no sockets. */
export interface CaseNetwork {
  /** Successive answers of `dnsSequence`, the last one from then on; else `dns`; else one public address. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** What a URL answers; `null`: 200. */
  readonly answers: (url: string) => Redirect | null;
  /** Every address that was handed out. */
  readonly seen: () => readonly string[];
}

export function networkOf({ dns, dnsSequence, redirects }: PolicyCase): CaseNetwork {
  const addresses = lowerCase(dns);
  const sequences = lowerCase(dnsSequence);
  const asked = new Map<string, number>();
  const seen: string[] = [];
  const answerFor = (host: string): readonly string[] => {
    const sequence = sequences.get(host);
    if (sequence === undefined) return addresses.get(host) ?? USUAL_ADDRESSES;
    const turn = asked.get(host) ?? 0;
    asked.set(host, turn + 1);
    return sequence[Math.min(turn, sequence.length - 1)] ?? [];
  };
  const byUrl = new Map([...redirects].map(([url, answer]) => [canonical(url), onTheWire(answer)]));
  return {
    resolve: (host) => {
      const found = answerFor(host);
      seen.push(...found);
      return Promise.resolve(found);
    },
    answers: (url) => byUrl.get(canonical(url)) ?? null,
    seen: () => seen,
  };
}

/** Names as they are looked up. */
const lowerCase = <Entry>(table: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> =>
  new Map([...table].map(([name, entry]) => [name.toLowerCase(), entry]));

/** Two spellings of one URL are one URL. */
function canonical(text: string): string {
  const url = readUrl(text);
  return isUrlTrouble(url) ? text : url.text;
}

/** A location as a header carries it: the bytes of UTF-8, each a character. */
const onTheWire = ({ status, location }: Redirect): Redirect => ({
  status,
  location: Buffer.from(location, 'utf8').toString('latin1'),
});
