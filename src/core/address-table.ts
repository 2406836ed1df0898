/** What an address leads to. Only `public` is the open Internet. */
export type AddressKind =
  | 'public'
  | 'private'
  | 'loopback'
  | 'link-local'
  | 'metadata'
  | 'shared'
  | 'multicast'
  | 'unspecified'
  | 'documentation'
  | 'benchmarking'
  | 'reserved';

/** A block of addresses: prefix, what it leads to, where that is written. `embeds`: judged by the IPv4 address inside. */
export type AddressRow = readonly [prefix: string, kind: AddressKind | 'embeds', reference: string];

/**
 * IPv4 blocks that are not the open Internet: the IANA IPv4 Special-Purpose Address Registry (read 2026-11), and addresses
 * at which clouds serve credentials. What the registry calls globally reachable but serves infrastructure (AS112, anycast
 * relays) counts as reserved: no API lives there. Everything else is public.
 */
export const IPV4_TABLE: readonly AddressRow[] = [
  ['0.0.0.0/8', 'unspecified', 'RFC 791 3.2, RFC 6890'],
  ['10.0.0.0/8', 'private', 'RFC 1918'],
  ['100.64.0.0/10', 'shared', 'RFC 6598'],
  ['100.100.100.200/32', 'metadata', 'Alibaba Cloud ECS instance metadata'],
  ['127.0.0.0/8', 'loopback', 'RFC 1122 3.2.1.3'],
  ['168.63.129.16/32', 'metadata', 'Azure WireServer'],
  ['169.254.0.0/16', 'link-local', 'RFC 3927'],
  ['169.254.169.0/24', 'metadata', 'AWS, Azure, Google Cloud, Oracle and others: instance metadata, DNS and time'],
  ['169.254.170.0/24', 'metadata', 'AWS ECS task and EKS pod credentials'],
  ['169.254.0.23/32', 'metadata', 'Tencent Cloud instance metadata'],
  ['169.254.42.42/32', 'metadata', 'Scaleway instance metadata'],
  ['172.16.0.0/12', 'private', 'RFC 1918'],
  ['192.0.0.0/24', 'reserved', 'RFC 6890 (with DS-Lite, PCP and TURN anycast: RFC 6333, 7723, 8155)'],
  ['192.0.0.192/32', 'metadata', 'Oracle Cloud Classic instance metadata'],
  ['192.0.2.0/24', 'documentation', 'RFC 5737'],
  ['192.31.196.0/24', 'reserved', 'RFC 7535 (AS112)'],
  ['192.52.193.0/24', 'reserved', 'RFC 7450 (AMT)'],
  ['192.88.99.0/24', 'reserved', 'RFC 7526 (deprecated 6to4 relays)'],
  ['192.168.0.0/16', 'private', 'RFC 1918'],
  ['192.175.48.0/24', 'reserved', 'RFC 7534 (AS112)'],
  ['198.18.0.0/15', 'benchmarking', 'RFC 2544'],
  ['198.51.100.0/24', 'documentation', 'RFC 5737'],
  ['203.0.113.0/24', 'documentation', 'RFC 5737'],
  ['224.0.0.0/4', 'multicast', 'RFC 5771'],
  ['240.0.0.0/4', 'reserved', 'RFC 1112 4'],
  ['255.255.255.255/32', 'reserved', 'RFC 8190 (limited broadcast)'],
];

/**
 * IPv6: the IANA IPv6 Special-Purpose Address Registry (read 2026-11). Outside 2000::/3 nothing is public but what embeds
 * a public IPv4 address; inside, the blocks below are not.
 */
export const IPV6_TABLE: readonly AddressRow[] = [
  ['::/0', 'reserved', 'RFC 4291 2.4: only 2000::/3 is global unicast'],
  ['2000::/3', 'public', 'RFC 4291 2.4, IANA Global Unicast Address Assignments'],
  ['::/128', 'unspecified', 'RFC 4291 2.5.2'],
  ['::1/128', 'loopback', 'RFC 4291 2.5.3'],
  ['::ffff:0:0/96', 'embeds', 'RFC 4291 2.5.5.2 (IPv4-mapped)'],
  ['64:ff9b::/96', 'embeds', 'RFC 6052 (NAT64)'],
  ['64:ff9b:1::/48', 'private', 'RFC 8215 (local-use NAT64)'],
  ['100::/64', 'reserved', 'RFC 6666 (discard)'],
  ['100:0:0:1::/64', 'reserved', 'RFC 9780 (dummy prefix)'],
  ['2001::/23', 'reserved', 'RFC 2928 (IETF protocol assignments, with ORCHID and DRIP: RFC 7343, 9374)'],
  ['2001::/32', 'reserved', 'RFC 4380 (Teredo)'],
  ['2001:2::/48', 'benchmarking', 'RFC 5180'],
  ['2001:db8::/32', 'documentation', 'RFC 3849'],
  ['2002::/16', 'embeds', 'RFC 3056 (6to4)'],
  ['2620:4f:8000::/48', 'reserved', 'RFC 7534 (AS112)'],
  ['3ffe::/16', 'reserved', 'RFC 3701 (returned 6bone)'],
  ['3fff::/20', 'documentation', 'RFC 9637'],
  ['5f00::/16', 'reserved', 'RFC 9602 (SRv6 SIDs)'],
  ['fc00::/7', 'private', 'RFC 4193'],
  ['fd00:ec2::/32', 'metadata', 'AWS instance metadata, DNS and time over IPv6'],
  ['fd00:c1::a9fe:a9fe/128', 'metadata', 'Oracle Cloud instance metadata over IPv6'],
  ['fd20:ce::254/128', 'metadata', 'Google Cloud instance metadata over IPv6'],
  ['fd00:42::42/128', 'metadata', 'Scaleway instance metadata over IPv6'],
  ['fe80::/10', 'link-local', 'RFC 4291 2.5.6'],
  ['fe80::a9fe:a9fe/128', 'metadata', 'OpenStack instance metadata over IPv6'],
  ['fec0::/10', 'private', 'RFC 3879 (deprecated site-local)'],
  ['ff00::/8', 'multicast', 'RFC 4291 2.7'],
];
