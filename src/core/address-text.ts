/** An IP address as 4 or 16 bytes. */
export type AddressBytes = readonly number[];

/** Longest text of an address: eight groups of four digits, the last two as IPv4. */
const MAX_TEXT = 45;

/**
 * Reads an IP address: IPv4 as four decimal numbers without leading zeros (RFC 3986 `IPv4address`), IPv6 as in RFC 4291
 * 2.2. Everything else (octal, hexadecimal, short forms, zones, brackets, white space) is no address: `null`.
 *
 * ATTACKER-CONTROLLED: `text`.
 */
export function readAddressBytes(text: string): AddressBytes | null {
  if (text.length > MAX_TEXT) return null;
  return text.includes(':') ? readIpv6(text) : readIpv4(text);
}

const DECIMAL_BYTE = /^(?:0|[1-9][0-9]{0,2})$/;

function readIpv4(text: string): AddressBytes | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => DECIMAL_BYTE.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function readIpv6(text: string): AddressBytes | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = readGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? readGroups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // RFC 4291 lets `::` stand for one or more groups; without it nothing may be missing.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Bytes of groups between colons; the last may be an IPv4 address where the text ends. */
function readGroups(text: string, isLast: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (isLast && index === groups.length - 1 && group.includes('.')) {
      const embedded = readIpv4(group);
      if (embedded === null) return null;
      bytes.push(...embedded);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** The canonical text: dotted IPv4; IPv6 as RFC 5952 writes it, the embedded forms in hexadecimal. */
export function writeAddress(bytes: AddressBytes): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
  const { start, length } = longestZeros(groups);
  const write = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return write(groups);
  return `${write(groups.slice(0, start))}::${write(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
