import { isIP, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyAddress } from './address.ts';
import { type AddressKind, IPV4_TABLE, IPV6_TABLE } from './address-table.ts';

const KINDS: readonly (readonly [string, AddressKind])[] = [
  ['8.8.8.8', 'public'],
  ['140.82.121.6', 'public'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['10.255.255.255', 'private'],
  ['11.0.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.64.0.0', 'shared'],
  ['100.127.255.255', 'shared'],
  ['100.128.0.0', 'public'],
  ['100.100.100.200', 'metadata'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['168.63.129.16', 'metadata'],
  ['169.254.169.254', 'metadata'],
  ['169.254.170.2', 'metadata'],
  ['169.254.1.1', 'link-local'],
  ['172.15.255.255', 'public'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'public'],
  ['192.0.0.1', 'reserved'],
  ['192.0.0.192', 'metadata'],
  ['192.0.2.1', 'documentation'],
  ['192.88.99.1', 'reserved'],
  ['192.168.1.1', 'private'],
  ['198.18.0.1', 'benchmarking'],
  ['198.19.255.255', 'benchmarking'],
  ['198.20.0.0', 'public'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.1', 'documentation'],
  ['223.255.255.255', 'public'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['2600:1f14::1', 'public'],
  ['2606:4700:4700::1111', 'public'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::2', 'reserved'],
  ['::127.0.0.1', 'reserved'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:a9fe:a9fe', 'metadata'],
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:0:127.0.0.1', 'reserved'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['64:ff9b:1::8.8.8.8', 'private'],
  ['100::1', 'reserved'],
  ['2001::1', 'reserved'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'reserved'],
  ['2001:2::1', 'benchmarking'],
  ['2001:20::1', 'reserved'],
  ['2001:db8::1', 'documentation'],
  ['2001:4860:4860::8888', 'public'],
  ['2002:7f00:1::', 'loopback'],
  ['2002:a00:1::1', 'private'],
  ['2002:808:808::1', 'public'],
  ['3fff::1', 'documentation'],
  ['3ffe::1', 'reserved'],
  ['4000::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['fc00::1', 'private'],
  ['fd12::1', 'private'],
  ['fd00:ec2::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'private'],
  ['ff02::1', 'multicast'],
  ['2600:1f14::5efe:7f00:1', 'reserved'],
];

describe('classifyAddress', () => {
  it.each(KINDS)('%s is %s', (text, kind) => {
    expect(classifyAddress(text)?.kind).toBe(kind);
  });

  it.each([
    ...[
      '',
      '1',
      '127.1',
      '127.0.1',
      '0177.0.0.1',
      '0x7f.0.0.1',
      '2130706433',
      '1.2.3.4.5',
      '1.2.3.256',
      '1.2.3.04',
      ' 1.2.3.4',
    ],
    ...[
      '1.2.3.4 ',
      '1.2.3.',
      '１.2.3.4',
      'fe80::1%eth0',
      '[::1]',
      ':',
      ':::',
      '::1::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
    ],
    ...[
      '1:2:3:4:5:6:7::8',
      'g::',
      '12345::',
      '::1.2.3',
      '::1.2.3.4:5',
      '1.2.3.4::',
      ':1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:',
      'localhost',
      '::ffff:0x7f.0.0.1',
    ],
  ])('%j is no address', (text) => {
    expect(classifyAddress(text)).toBeNull();
  });

  it('agrees with Node.js about what an address is, and writes it so that it reads the same', () => {
    const group = fc.oneof(
      fc.constant('0'),
      fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16)),
    );
    const piece = fc.oneof(group, fc.constantFrom('', ':', '::', '.', '0', '00', '1.2.3.4', '256', 'ffff', '%1', '01'));
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
      fc.array(piece, { maxLength: 10 }).map((parts) => parts.join(':')),
      fc.array(piece, { maxLength: 5 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (written) => {
        const reading = classifyAddress(written);
        const isZoned = written.includes('%');
        expect(reading?.family ?? 0).toBe(isZoned ? 0 : isIP(written));
        if (reading === null) return;
        expect(isIP(reading.text)).toBe(reading.family);
        expect(classifyAddress(reading.text)).toEqual(reading);
        if (reading.family === 6) expect(`[${reading.text}]`).toBe(new URL(`http://[${written}]/`).hostname);
      }),
      { numRuns: 3_000 },
    );
  });

  it('judges an address that embeds another by that', () => {
    fc.assert(
      fc.property(fc.ipV4(), (inner) => {
        const [a = 0, b = 0, c = 0, d = 0] = inner.split('.').map(Number);
        const sixToFour = `2002:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}::1`;
        for (const outer of [`::ffff:${inner}`, `64:ff9b::${inner}`, sixToFour]) {
          expect(classifyAddress(outer)?.kind).toBe(classifyAddress(inner)?.kind);
        }
      }),
    );
  });

  it('has only rows with a reference, for prefixes without bits behind them', () => {
    for (const [prefix, , reference] of [...IPV4_TABLE, ...IPV6_TABLE]) {
      const [text = '', bits = ''] = prefix.split('/');
      expect(isIPv4(text) ? 32 : 128).toBeGreaterThanOrEqual(Number(bits));
      expect(classifyAddress(text)?.text).toBe(text);
      expect(reference.length).toBeGreaterThan(5);
    }
  });
});
