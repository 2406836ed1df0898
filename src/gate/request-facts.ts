import { isSallyportError } from '../core/index.ts';
import { type CallFacts, decideRequest, type RequestFacts, requestsOf } from '../policy/index.ts';
import type { House } from './house.ts';
import type { ParsedCall } from './parse.ts';

/** The part of a house that reading requests takes. */
export type RequestReader = Pick<House, 'compiled' | 'resolve' | 'limits'>;

type Requests = NonNullable<CallFacts['requests']>;

const NONE: Requests = Object.freeze({});

/** The requests of a call with the addresses behind them. INVARIANT: only names that a rule allows are looked up. */
export async function readRequests(reader: RequestReader, parsed: ParsedCall): Promise<Requests> {
  if (parsed.trouble !== null) return NONE;
  const found = Object.entries(requestsOf(reader.compiled(), parsed.name, parsed.arguments));
  if (found.length === 0) return NONE;
  const known = new Map<string, Promise<readonly string[]>>();
  const read = await Promise.all(
    found.map(
      async ([pointer, request]) => [pointer, await withAddresses(reader, parsed.name, request, known)] as const,
    ),
  );
  return Object.freeze(Object.fromEntries(read));
}

async function withAddresses(
  reader: RequestReader,
  tool: string,
  request: RequestFacts,
  known: Map<string, Promise<readonly string[]>>,
): Promise<RequestFacts> {
  const { url } = request;
  if ('trouble' in url || decideRequest(reader.compiled(), tool, request).effect === 'deny') return request;
  if (url.hostKind === 'address') return Object.freeze({ ...request, addresses: [url.host] });
  const looking = known.get(url.host) ?? lookUp(reader, url.host);
  known.set(url.host, looking);
  return Object.freeze({ ...request, addresses: await looking });
}

/** A name that cannot be looked up has no address, which is a denial. */
async function lookUp({ resolve, limits }: RequestReader, host: string): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(limits.lookUpMs);
  const late = new Promise<readonly string[]>((done) => {
    signal.addEventListener('abort', () => done([]), { once: true });
  });
  try {
    return Object.freeze([...(await Promise.race([resolve(host, signal), late]))]);
  } catch (error) {
    if (isSallyportError(error)) return Object.freeze([]);
    throw error;
  }
}
