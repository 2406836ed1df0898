import { type CanonicalUrl, quoteForMessage } from '../core/index.ts';
import type { CompiledPolicy, CompiledTool } from './compiled.ts';
import type { CallFacts, RequestFacts } from './facts.ts';
import { deny, type Finding, stronger, type Trace, traced } from './finding.ts';
import { decideRequest, REQUEST_TOOL } from './requests.ts';

/** Judges every request and URL of a call by the endpoints of its rule, with all addresses behind them. */
export function judgeRequests(
  { name, endpoints }: CompiledTool,
  facts: CallFacts,
  compiled: CompiledPolicy,
  trace: Trace,
): Finding | null {
  if (endpoints === null) return null;
  const requests = Object.entries(facts.requests ?? {});
  let found: Finding | null = null;
  for (const [pointer, request] of requests) {
    const finding = judgeRequest(compiled, name, request);
    const subject = 'trouble' in request.url ? quoteForMessage(pointer) : describe(request, request.url);
    found = stronger(found, traced(trace, 'request', subject, finding, addressesOf(request)));
    if (found?.effect === 'deny' && trace === null) return found;
  }
  if (name !== REQUEST_TOOL || facts.requests?.['url'] !== undefined) return found;
  return traced(trace, 'request', quoteForMessage(name), deny('ENDPOINT_MALFORMED', 'the call holds no request'), '');
}

/** INVARIANT: a request whose addresses nobody knows is not allowed. */
function judgeRequest(compiled: CompiledPolicy, tool: string, request: RequestFacts): Finding | null {
  const { effect, finding } = decideRequest(compiled, tool, request);
  if (effect === 'deny' || request.addresses !== null) return finding;
  return deny('ENDPOINT_UNRESOLVED', 'the name of the host was not looked up');
}

const describe = ({ method }: RequestFacts, url: CanonicalUrl): string =>
  quoteForMessage(`${method === null ? '' : `${method} `}${url.origin}${url.path}`, 200);

const addressesOf = ({ addresses }: RequestFacts): string => `leads to ${addresses?.join(', ') ?? 'nowhere known'}`;
