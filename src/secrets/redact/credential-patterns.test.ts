import { createHash, generateKeyPairSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCredentials } from './index.ts';

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const WORD = DIGITS + LOWER.toUpperCase() + LOWER;
const HEX = '0123456789abcdef';

/** Characters of an alphabet that nobody chose, the same in each run. */
function made(seed: string, length: number, alphabet = WORD): string {
  let out = '';
  for (let round = 0; out.length < length; round++)
    for (const byte of createHash('sha512').update(`${seed} ${round}`).digest())
      out += alphabet[byte % alphabet.length];
  return out.slice(0, length);
}

/** Parts are joined here, so that no file of this project holds what looks like a credential. */
const join = (...parts: readonly string[]) => parts.join('');

function withChecksum(prefix: string, seed: string): string {
  const body = made(seed, 30);
  let rest = crc32(body);
  let check = '';
  for (let at = 0; at < 6; at++, rest = Math.floor(rest / 62)) check = (WORD[rest % 62] ?? '') + check;
  return join(prefix, body, check);
}

const base64 = (bytes: number, seed: string) =>
  createHash('sha512').update(seed).digest().subarray(0, bytes).toString('base64');
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs1',
  format: 'pem',
}) as string;

const CREDENTIALS: readonly (readonly [kind: string, text: string])[] = [
  ['aws-access-key', join('AK', 'IA', made('aws', 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))],
  ['aws-access-key', join('AS', 'IA', made('aws2', 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))],
  ['github', withChecksum(join('gh', 'p_'), 'gh')],
  ['github', withChecksum(join('gh', 's_'), 'ghs')],
  ['github', join('gh', 's_', made('long', 120))],
  // An old token that its owner published, and GitHub revoked: its checksum is not ours.
  ['github', join('gh', 'p_', 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ', '0mLq17')],
  ['github', join('github_', 'pat_', made('fine', 22), '_', made('grained', 59))],
  ['gitlab', join('gl', 'pat-', made('gitlab', 20))],
  ['slack', join('xo', 'xb-', made('s1', 12, DIGITS), '-', made('s2', 12, DIGITS), '-', made('s3', 24))],
  ['slack-webhook', join('hooks.slack', '.com/services/T', made('t', 10), '/B', made('b', 10), '/', made('w', 24))],
  ['stripe', join('sk_', 'live_', made('stripe', 24))],
  ['stripe', join('rk_', 'live_', made('stripe2', 99))],
  ['google', join('AI', 'za', made('google', 35))],
  ['npm', withChecksum(join('np', 'm_'), 'npm')],
  ['pypi', join('py', 'pi-', 'AgEIcHlwaS5vcmc', made('pypi', 150))],
  ['openai', join('sk', '-proj-', made('openai', 120))],
  ['openai', join('sk', '-', made('o1', 20), 'T3Blbk', 'FJ', made('o2', 20))],
  ['anthropic', join('sk', '-ant-', 'api03-', made('anthropic', 93), '-', made('an', 6), 'AA')],
  ['azure-storage', join('AccountKey', '=', base64(64, 'azure')).replace(/^AccountKey=/, '')],
  ['sendgrid', join('S', 'G.', made('sg', 22), '.', made('sg2', 43))],
  ['twilio', join('S', 'K', made('twilio', 32, HEX))],
  ['telegram', join(made('tg', 9, '123456789'), ':', 'AA', made('tg2', 33))],
  [
    'discord',
    join(Buffer.from(`1${made('dc', 17, DIGITS)}`).toString('base64url'), '.', made('dc2', 6), '.', made('dc3', 38)),
  ],
  ['discord-webhook', join('discord', '.com/api/webhooks/', made('dw', 18, DIGITS), '/', made('dw2', 68))],
  ['jwt', join(part({ alg: 'HS256', typ: 'JWT' }), '.', part({ sub: '4711', iat: 1 }), '.', made('jwt', 43))],
  ['age', join('AGE-SECRET', '-KEY-1', made('age', 58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'))],
  ['vault', join('hv', 's.', made('vault', 90))],
  ['doppler', join('dp', '.pt.', made('doppler', 43))],
  ['digitalocean', join('dop', '_v1_', made('do', 64, HEX))],
  ['databricks', join('da', 'pi', made('db', 32, HEX))],
  ['hugging-face', join('h', 'f_', made('hf', 34, LOWER + LOWER.toUpperCase()))],
  ['mailgun', join('ke', 'y-', made('mg', 32, HEX))],
  ['shopify', join('shp', 'at_', made('sh', 32, HEX))],
  ['square', join('sq0', 'csp-', made('sq', 43))],
  ['square', join('EA', 'AA', made('sq2', 60))],
  ['private-key', pem.trim()],
  ['private-key', rsa.trim()],
  ['private-key', JSON.stringify(pem.trim()).slice(1, -1)],
];

const inText = (kind: string, text: string) => (kind === 'azure-storage' ? join('AccountKey', '=', text) : text);
const kindsIn = (text: string) => findCredentials(text).map(({ kind }) => kind);

test.each(CREDENTIALS)('findCredentials: %s, exactly where it is', (kind, text) => {
  for (const [before, after] of [
    ['', ''],
    ['export KEY="', '";\n'],
    ['Authorization: Bearer ', '\r\n'],
    ['é語', ' 😀'],
    ['(', ').'],
  ] as const) {
    const whole = before + inText(kind, text) + after;
    expect(findCredentials(whole)).toEqual([{ kind, start: whole.indexOf(text), length: text.length }]);
  }
});

test('findCredentials: the secret half of a key of AWS by its name, or beside its key', () => {
  const half = base64(30, 'aws-secret');
  const id = CREDENTIALS[0]?.[1] ?? '';
  expect(half).toHaveLength(40);
  for (const text of [
    `aws_secret_access_key = ${half}`,
    `"SecretAccessKey": "${half}",`,
    `aws_secret_access_key: '${half}'`,
  ])
    expect(findCredentials(text)).toEqual([{ kind: 'aws-secret-key', start: text.indexOf(half), length: 40 }]);
  expect(kindsIn(`${id},${half}`)).toEqual(['aws-access-key', 'aws-secret-key']);
  expect(kindsIn(`sha: ${half}`)).toEqual([]);
});

test('findCredentials: the password in a URL, and no template of one', () => {
  const password = made('url', 12);
  const text = join('postgres', '://app:', password, '@db.internal/x');
  expect(findCredentials(text)).toEqual([{ kind: 'password-in-url', start: text.indexOf(password), length: 12 }]);
  for (const none of ['password', '${PASSWORD}', '<password>', '****', '$PW', '{pw}'])
    expect(kindsIn(join('https', '://user:', none, '@host/'))).toEqual([]);
  expect(kindsIn('see https://host:8080/a@b and http://host/@scope')).toEqual([]);
});

test.each([
  ['the key of the documentation of AWS', join('AK', 'IA', 'IOSFODNN7', 'EXAMPLE')],
  ['its secret half', join('aws_secret_access_key=', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCY', 'EXAMPLEKEY')],
  ['a test key of Stripe', join('sk_', 'test_', made('st', 24))],
  ['a placeholder', join('sk_', 'live_', 'x'.repeat(24))],
  ['a token that does not fit its checksum', join('gh', 'p_', made('wrong', 36))],
  ['one of npm', join('np', 'm_', made('wrong', 36))],
  ['a token inside a word', join('a', withChecksum(join('gh', 'p_'), 'gh'))],
  ['a name in camel case', 'this.someMethodNameOfTwentyFour s.methodNamesOfTwentyFourCh'],
  ['a token without signature', join(part({ alg: 'none' }), '.', part({ sub: '1' }), '.')],
  ['three parts that are no token', join('eyJ', made('no', 20), '.eyJ', made('no2', 20), '.', made('no3', 43))],
  [
    'the first line of a key in a sentence',
    'A file that begins with -----BEGIN PRIVATE KEY----- is a key, and ends with -----END PRIVATE KEY-----.',
  ],
  ['a certificate', pem.replaceAll('PRIVATE KEY', 'CERTIFICATE')],
  ['a hash', `sha512-${base64(64, 'integrity')} ${made('git', 40, HEX)}`],
  ['a UUID', '123e4567-e89b-42d3-a456-426614174000'],
])('findCredentials: %s is none', (_, text) => {
  expect(findCredentials(text)).toEqual([]);
});

test('property: never throws, gives places in order that do not overlap, and finds what stands between anything', () => {
  const token = withChecksum(join('gh', 'p_'), 'gh');
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...CREDENTIALS.map(([, text]) => text))), {
        maxLength: 8,
      }),
      (parts) => {
        const text = parts.join('\n');
        let last = 0;
        for (const { start, length } of findCredentials(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          last = start + length;
        }
        expect(last).toBeLessThanOrEqual(text.length);
        expect(kindsIn(`${token}\n${text}`)[0]).toBe('github');
      },
    ),
  );
});

/** A search that reads to the end of the text for each beginning would not come to an end within the time of a test. */
test.each([
  'eyJ',
  '-eyJ',
  '.eyJ',
  '-----BEGIN PRIVATE KEY-----',
  '-ghs_',
  '-xoxb-',
  '://a:',
  'M.',
  '1234567890:AA',
  join('-AK', 'IAQWERTZUIOPASDFGH'),
  'aws_secret_access_key=',
  's.',
])('findCredentials: comes to an end on four megabytes of %s', (piece) => {
  expect(findCredentials(piece.repeat(Math.ceil(4_194_304 / piece.length))).length).toBeLessThan(1_000_000);
});
