import { type CanonicalUrl, classifyAddress, quoteForMessage } from '../core/index.ts';
import type { RuleReference } from './decision.ts';
import { UNUSABLE_KINDS } from './endpoint-entry.ts';
import { deny, type Finding } from './finding.ts';

/** Addresses of one name that are judged; a name with more is denied. */
const MAX_ADDRESSES = 64;

/**
 * Judges every address that a host resolved to (convention E3): all must be public, or the endpoint an internal one. One
 * bad address denies the call, or whoever owns the name could choose by luck. `null`: nothing to object.
 *
 * ATTACKER-CONTROLLED: `addresses`, they come from a name server.
 */
export function judgeAddresses(
  { url, isInternal, rule }: { url: CanonicalUrl; isInternal: boolean; rule: RuleReference },
  addresses: readonly string[],
): Finding | null {
  const host = quoteForMessage(url.host);
  if (addresses.length === 0) return deny('ENDPOINT_UNRESOLVED', `${host} has no address`);
  if (addresses.length > MAX_ADDRESSES)
    return deny('ENDPOINT_ADDRESS', `${host} has more than ${MAX_ADDRESSES} addresses`);
  for (const address of addresses) {
    const reading = classifyAddress(address);
    const quoted = quoteForMessage(address, 60);
    if (reading === null) return deny('ENDPOINT_ADDRESS', `${host} leads to ${quoted}, which is not an address`);
    if (url.hostKind === 'address' && reading.text !== classifyAddress(url.host)?.text) {
      return deny('ENDPOINT_ADDRESS', `${host} is an address and cannot lead to ${quoted}`);
    }
    const isUsable = isInternal ? !UNUSABLE_KINDS.has(reading.kind) : reading.kind === 'public';
    if (!isUsable) {
      const reason = `${host} leads to ${quoted}, which is not public (${reading.kind}: ${reading.reference})`;
      return deny('ENDPOINT_ADDRESS', reason, isInternal ? { rule } : {});
    }
  }
  return null;
}
