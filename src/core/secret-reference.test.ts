import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { parseReference } from './secret-reference.ts';
import { parseTemplate, readSecretTemplate } from './secret-template.ts';

const none = { version: null, label: null, region: null, namespace: null, field: null };

test.each([
  ['aws-ssm:/prod/stripe/api-key', { scheme: 'aws-ssm', path: '/prod/stripe/api-key' }],
  ['aws-ssm:/prod/db?version=3#password', { scheme: 'aws-ssm', path: '/prod/db', version: '3', field: 'password' }],
  ['aws-ssm:flat?label=live&region=eu-west-1', { path: 'flat', label: 'live', region: 'eu-west-1' }],
  ['aws-ssm:arn:aws:ssm:eu-west-1:123456789012:parameter/prod/x', {}],
  ['aws-secretsmanager:prod/db?label=AWSCURRENT#user', { path: 'prod/db', label: 'AWSCURRENT', field: 'user' }],
  ['vault:kv/ci#github', { scheme: 'vault', path: 'kv/ci', field: 'github' }],
  ['vault:team/kv/app/db?version=2&namespace=a/b#pass', { path: 'team/kv/app/db', version: '2', namespace: 'a/b' }],
  ['env:STRIPE_KEY', { scheme: 'env', path: 'STRIPE_KEY' }],
  ['file:/run/secrets/x#/tls/key', { path: '/run/secrets/x', field: '/tls/key' }],
  ['keystore:stripe/live?version=1', { path: 'stripe/live', version: '1' }],
  ['exec:onepassword/op://ci/stripe/key', { path: 'onepassword/op://ci/stripe/key' }],
  ['exec:pass/my%20key', { path: 'pass/my key' }],
])('parseReference reads %s and prints it again', (text, expected) => {
  const reference = parseReference(text);
  expect(reference).toMatchObject(expected);
  expect(reference.text).toBe(text);
  expect(Object.isFrozen(reference)).toBe(true);
});

test('what is not written stays null', () => {
  expect(parseReference('env:A')).toEqual({ ...none, scheme: 'env', path: 'A', text: 'env:A' });
});

test.each([
  ['an unknown manager (1.1, 6: was None, and the tool ran)', 'gcp:projects/x'],
  ['no manager', 'STRIPE_KEY'],
  ['a leading slash of a Vault path (1.1, 7)', 'vault:/kv/ci#x'],
  ['a Vault secret without its field (1.1, 7: was always "value")', 'vault:kv/ci'],
  ['a Vault path without a mount', 'vault:ci#x'],
  ['a way up', 'vault:kv/../sys/raw#x'],
  ['a way up that is encoded', 'vault:kv/%2E%2E/sys#x'],
  ['an encoded slash', 'vault:kv/a%2Fb#x'],
  ['an empty segment', 'aws-ssm:///prod/x'],
  ['an empty path', 'env:'],
  ['an option that does not exist', 'env:A?version=1'],
  ['an option twice', 'keystore:a?version=1&version=2'],
  ['a version that is none', 'keystore:a?version=0'],
  ['version and label', 'aws-ssm:/a?version=1&label=b'],
  ['an empty option', 'aws-ssm:/a?version='],
  ['an empty query', 'aws-ssm:/a?'],
  ['an empty field', 'aws-ssm:/a#'],
  ['a field of a variable', 'env:A#b'],
  ['a relative file', 'file:secrets/x'],
  ['a file above', 'file:/run/../etc/shadow'],
  ['free text as a command', 'exec:op read op://a/b'],
  ['an argument that is an option', 'exec:onepassword/--account=evil'],
  ['a template inside', 'env:${A}'],
  ['a line break', 'env:A\nB'],
  ['a wide character', 'env:\u00c4'],
  ['a second spelling', 'exec:pass/%61'],
  ['bytes that are no UTF-8', 'exec:pass/%FF'],
  ['what cannot be seen', 'exec:pass/a%E2%80%8Bb'],
  ['what is too long', `aws-ssm:/${'a'.repeat(2_048)}`],
])('parseReference refuses %s', (_, text) => {
  expect(codeOf(() => parseReference(text))).toBe('SECRET_REFERENCE_INVALID');
});

test('a value pasted where a reference belongs is not repeated', () => {
  for (const text of ['sk_live_51H8xyzSECRET', 'env:sk-live-51H8xyzSECRET', 'vault:sk_live_51H8xyzSECRET']) {
    expect(messageOf(() => parseReference(text))).not.toContain('SECRET');
  }
});

test('what parses prints to itself, and parses to the same', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('exec:a/', 'file:/', 'vault:kv/'),
      (tail, head) => {
        const text = `${head}${tail}`;
        if (codeOf(() => parseReference(text)) !== null) return;
        expect(parseReference(text).text).toBe(text);
      },
    ),
  );
});

test('parseTemplate divides text and references', () => {
  const parts = parseTemplate('Bearer ${secret:env:A}, ${secret:vault:kv/ci#b}.');
  expect(parts.map((part) => (part.kind === 'literal' ? part.text : part.reference.text))).toEqual([
    'Bearer ',
    'env:A',
    ', ',
    'vault:kv/ci#b',
    '.',
  ]);
  expect(readSecretTemplate('${secret:env:A}:${secret:env:B}').references).toHaveLength(2);
  expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  expect(parseTemplate('plain $ and } text')).toEqual([{ kind: 'literal', text: 'plain $ and } text' }]);
});

test.each([
  ['a slip in the word (would be sent as it stands)', 'Bearer ${secrets:env:A}'],
  ['another kind of hole', 'Bearer ${API_KEY}'],
  ['no end', 'Bearer ${secret:env:A'],
  ['one inside another', '${secret:env:${secret:env:A}}'],
  ['nothing inside', '${secret:}'],
  ['too many', '${secret:env:A}'.repeat(9)],
  ['the character 0', 'a\0${secret:env:A}'],
  ['a lone surrogate', 'a\ud800${secret:env:A}'],
])('parseTemplate refuses %s', (_, text) => {
  expect(codeOf(() => parseTemplate(text))).toBe('SECRET_REFERENCE_INVALID');
});

function codeOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return error.code;
  }
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  throw new Error('expected an error');
}
