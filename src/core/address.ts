import { type AddressKind, type AddressRow, IPV4_TABLE, IPV6_TABLE } from './address-table.ts';
import { type AddressBytes, readAddressBytes, writeAddress } from './address-text.ts';
import { SallyportError } from './errors.ts';

/** An IP address and what it leads to. */
export interface AddressReading {
  /** Canonical (IPv6: RFC 5952): two texts of one address read as the same. */
  readonly text: string;
  readonly family: 4 | 6;
  readonly kind: AddressKind;
  /** Where the kind is written: an RFC or the cloud that serves there. */
  readonly reference: string;
}

/** A row of a table as numbers. */
interface Block {
  readonly bytes: AddressBytes;
  readonly bits: number;
  readonly kind: AddressRow[1];
  readonly reference: string;
}

/** INVARIANT: the longest prefix comes first, so that the first match is the most specific one. */
const compileTable = (rows: readonly AddressRow[]): readonly Block[] =>
  rows.map(compileRow).sort((first, second) => second.bits - first.bits);

function compileRow([prefix, kind, reference]: AddressRow): Block {
  const [text = '', bits = ''] = prefix.split('/');
  const bytes = readAddressBytes(text);
  if (bytes === null) throw new SallyportError('INTERNAL', `the address table has the prefix ${prefix}`);
  return { bytes, bits: Number(bits), kind, reference };
}

const IPV4_BLOCKS = compileTable(IPV4_TABLE);
const IPV6_BLOCKS = compileTable(IPV6_TABLE);

/**
 * Reads an IP address and says what it leads to, by the most specific block of the IANA special-purpose registries. An
 * address that embeds an IPv4 address (mapped, NAT64, 6to4) is judged by that. `null`: the text is no address (see
 * `readAddressBytes`), which is never public.
 *
 * ATTACKER-CONTROLLED: `text`, it comes from a name server.
 * @example
 * classifyAddress('::ffff:169.254.169.254')?.kind; // 'metadata'
 */
export function classifyAddress(text: string): AddressReading | null {
  const bytes = readAddressBytes(text);
  if (bytes === null) return null;
  const family = bytes.length === 4 ? 4 : 6;
  return Object.freeze({ text: writeAddress(bytes), family, ...classifyBytes(bytes) });
}

function classifyBytes(bytes: AddressBytes): { readonly kind: AddressKind; readonly reference: string } {
  const blocks = bytes.length === 4 ? IPV4_BLOCKS : IPV6_BLOCKS;
  const block = blocks.find((candidate) => isInside(bytes, candidate));
  if (block === undefined) return { kind: 'public', reference: 'no special-purpose block' };
  if (block.kind !== 'embeds') {
    const isTunnel = block.kind === 'public' && bytes.length === 16 && isIsatap(bytes);
    return isTunnel
      ? { kind: 'reserved', reference: 'RFC 5214 (ISATAP)' }
      : { kind: block.kind, reference: block.reference };
  }
  const inner = classifyBytes(block.bits === 16 ? bytes.slice(2, 6) : bytes.slice(12));
  return { kind: inner.kind, reference: `${block.reference}, ${inner.reference}` };
}

function isInside(bytes: AddressBytes, { bytes: prefix, bits }: Block): boolean {
  const whole = bits >> 3;
  for (let index = 0; index < whole; index++) if (bytes[index] !== prefix[index]) return false;
  const mask = (0xff << (8 - (bits & 7))) & 0xff;
  return (bits & 7) === 0 || ((bytes[whole] ?? 0) & mask) === ((prefix[whole] ?? 0) & mask);
}

/** Any prefix can carry an ISATAP interface identifier, which tunnels to the IPv4 address in its last four bytes. */
const isIsatap = (bytes: AddressBytes): boolean =>
  (bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
