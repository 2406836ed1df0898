import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUrlTrouble, readUrl } from './url.ts';

const textOf = (raw: string): string => {
  const reading = readUrl(raw);
  return isUrlTrouble(reading) ? `trouble: ${reading.trouble}` : reading.text;
};

describe('readUrl', () => {
  it.each([
    ['https://api.github.com', 'https://api.github.com/'],
    ['HTTPS://API.GitHub.com:443/user', 'https://api.github.com/user'],
    ['http://a.b:80', 'http://a.b/'],
    ['http://a.b:443/', 'http://a.b:443/'],
    ['https://a.b/c#d@e', 'https://a.b/c'],
    ['https://a.b?x=1', 'https://a.b/?x=1'],
    ['https://a.b/a/../b/./c', 'https://a.b/b/c'],
    ['https://a.b/a/%2e%2E/b', 'https://a.b/b'],
    ['https://a.b/%61%7e%2f%3a', 'https://a.b/a~%2F%3A'],
    ['https://a.b/users/octo@cat', 'https://a.b/users/octo@cat'],
    ['https://a.b/compare/v1.0...v1.1', 'https://a.b/compare/v1.0...v1.1'],
    ['https://a.b/?q=http://localhost:3000&x=%0a', 'https://a.b/?q=http://localhost:3000&x=%0a'],
    ['https://a.b/?x=✓', 'https://a.b/?x=%E2%9C%93'],
    ['https://a.b/é', 'https://a.b/%C3%A9'],
    ['https://a.b/?x=👨‍👩‍👧', 'https://a.b/?x=%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7'],
    ['https://a.b//x', 'https://a.b//x'],
    ['https://a.b/100%', 'https://a.b/100%'],
    ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8080/x'],
    ['http://[::1]:8080/x', 'http://[::1]:8080/x'],
    ['https://xn--bcher-kva.example/', 'https://xn--bcher-kva.example/'],
  ])('%s is %s', (raw, text) => {
    expect(textOf(raw)).toBe(text);
  });

  it.each([
    ...[
      '',
      ' https://a.b',
      'https://a.b ',
      'https://a.b\t/',
      'https://a\n.b/',
      'https://a.b/\r\nHost: c',
      'https://a.b\u0000/',
    ],
    ...[
      'https://a.b\\@c.d/',
      'https:\\\\a.b',
      'https://a.b/\u202ex',
      'https://a.b/\u00a0',
      'https://a.b/\ufeff',
      'https://a.b/\ud800',
    ],
    ...[
      'a.b/c',
      '//a.b',
      '/c',
      'https:a.b',
      'https:///a.b',
      'https:/a.b',
      'ftp://a.b',
      'file:///x',
      'data:,x',
      'javascript:x',
      'ws://a.b',
    ],
    ...[
      'https://u@a.b',
      'https://u:p@a.b',
      'https://@a.b',
      'https://a.b@c.d',
      'https://a%40b.c',
      'https://a%2eb',
      'https://%61.b',
    ],
    ...[
      'https://a.b:',
      'https://a.b:0',
      'https://a.b:0443',
      'https://a.b:99999',
      'https://a.b:+443',
      'https://a.b:４43',
      'https://a.b:1:2',
    ],
    ...[
      'https://a.b.',
      'https://.a.b',
      'https://a..b',
      'https://',
      'https://?',
      'https://-a.b',
      'https://a-.b',
      'https://*.b',
      'https://a,b',
    ],
    ...[
      'https://ａ.b',
      'https://а.b',
      'https://a。b',
      'https://ß.b',
      'https://\u212a.b',
      'https://xn--a.b',
      `https://${'a'.repeat(64)}.b`,
    ],
    ...[
      'http://2130706433',
      'http://0x7f000001',
      'http://0177.0.0.1',
      'http://127.1',
      'http://0',
      'http://1.2.3.4.5',
      'http://1.2.3',
      'http://a.1',
    ],
    ...[
      'http://[::ffff:127.0.0.1]',
      'http://[0:0:0:0:0:0:0:1]',
      'http://[::1',
      'http://[fe80::1%25eth0]',
      'http://[::1]x',
      'http://::1',
      'http://[v1.x]',
    ],
    ...[
      'https://a.b/%2e%2e%2fx',
      'https://a.b/v1/..%2fx',
      'https://a.b/v1/..%5cx',
      'https://a.b/v1/%252e%252e/x',
      'https://a.b/..;/x',
    ],
    ...[
      'https://a.b/v1/..%3bx',
      'https://a.b/v1/%c0%ae%c0%ae/x',
      'https://a.b/%e0%80%af',
      'https://a.b/%u002e',
      'https://a.b/%00',
      'https://a.b/%0d%0a',
    ],
    ...[
      'https://a.b/v1/．．/x',
      'https://a.b/v1/‥/x',
      'https://a.b/v1/..%20/x',
      `https://a.b/${'%25'.repeat(1)}${'25'.repeat(9)}2e`,
    ],
    `https://a.b/${'x'.repeat(8_200)}`,
  ])('refuses %j', (raw) => {
    expect(textOf(raw)).toMatch(/^trouble: /);
  });

  it('reads its own text as the same, and as the URL standard does', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '.',
      '..',
      '/',
      '//',
      '%2e',
      '%2F',
      '%25',
      '%C3%A9',
      '%0',
      ';',
      '?',
      '#',
      '@',
      ':',
      '&',
      'é',
      '✓',
      '[',
      ']',
      '|',
      "'",
      '+',
    );
    const raw = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc
        .tuple(fc.constantFrom('https://a.b/', 'http://a.b:8080/', 'https://a.b'), fc.array(piece, { maxLength: 12 }))
        .map(([start, rest]) => start + rest.join('')),
      fc.string({ unit: 'binary' }).map((rest) => `https://${rest}`),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(raw, (written) => {
        const reading = readUrl(written);
        if (isUrlTrouble(reading)) return;
        expect(readUrl(reading.text)).toEqual(reading);
        const standard = new URL(reading.text);
        expect([standard.href, standard.username, standard.hash]).toEqual([reading.text, '', '']);
        expect(new URL(written).host).toBe(standard.host);
        expect(reading.path).not.toMatch(/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i);
      }),
      { numRuns: 5_000 },
    );
  });
});
