import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namesSecrets, readSecretReference, readSecretTemplate } from './secret-reference.ts';

describe('readSecretReference', () => {
  it.each([
    ['aws-ssm:/prod/stripe/api-key', { scheme: 'aws-ssm', name: '/prod/stripe/api-key', version: null, field: null }],
    ['aws-ssm:/a/b?version=3', { name: '/a/b', version: '3' }],
    ['aws-ssm:arn:aws:ssm:eu-central-1:123456789012:parameter/a', { scheme: 'aws-ssm' }],
    ['aws-secretsmanager:prod/db?label=AWSPREVIOUS#password', { label: 'AWSPREVIOUS', field: 'password' }],
    ['vault:kv/ci#github', { scheme: 'vault', name: 'kv/ci', field: 'github' }],
    ['vault:team/kv/a/b?version=12#c', { name: 'team/kv/a/b', version: '12' }],
    ['env:STRIPE_KEY', { scheme: 'env', name: 'STRIPE_KEY' }],
    ['file:/run/secrets/key', { scheme: 'file', name: '/run/secrets/key' }],
    ['keystore:stripe/live?version=2', { name: 'stripe/live', version: '2' }],
    ['exec:op/vault/item/field', { scheme: 'exec', name: 'op/vault/item/field' }],
  ])('%s', (text, expected) => {
    expect(readSecretReference(text)).toMatchObject({ ...expected, text });
    expect(Object.isFrozen(readSecretReference(text))).toBe(true);
  });

  it.each([
    ...[
      '',
      'x',
      'STRIPE',
      'aws:/a',
      'vault:',
      'vault:kv',
      'vault:/kv/a',
      'vault:kv//a',
      'vault:kv/../sys/x',
      'vault:kv/a#',
    ],
    ...[
      'vault:kv/a#b#c',
      'env:',
      'env:1A',
      'env:A-B',
      'env:A?version=1',
      'file:a',
      'file:/',
      'file:/a/../b',
      'file:/a//b',
    ],
    ...[
      'aws-ssm:/a?version=1&label=b',
      'aws-ssm:/a?version=1&version=2',
      'aws-ssm:/a?x=1',
      'aws-ssm:/a?',
      'aws-ssm:/a?version=',
    ],
    ...[
      'keystore:',
      'keystore:a b',
      'exec:op',
      'exec:/bin/sh/a',
      'ENV:A',
      ' env:A',
      'env:A\n',
      'env:\u00c4',
      `env:${'A'.repeat(300)}`,
    ],
    ...[`file:/${'a/'.repeat(2_000)}b`],
  ])('refuses %j', (text) => {
    expect(() => readSecretReference(text)).toThrow(expect.objectContaining({ code: 'SECRET_REFERENCE' }));
  });
});

describe('readSecretTemplate', () => {
  it('reads texts and references in order', () => {
    const { parts, references } = readSecretTemplate('Basic ${secret:env:A}:${secret:vault:kv/a#b}!');
    expect(parts.map((part) => (typeof part === 'string' ? part : part.text))).toEqual([
      ...['Basic ', 'env:A', ':', 'vault:kv/a#b', '!'],
    ]);
    expect(references.map(({ text }) => text)).toEqual(['env:A', 'vault:kv/a#b']);
    expect(readSecretTemplate('$ {secret:env:A} ${x}').references).toEqual([]);
  });

  it.each([
    '${secret:env:A',
    '${secret:}',
    '${secret:env:A}'.repeat(17),
    '${secret:${secret:env:A}}',
    'x'.repeat(9_000),
  ])('refuses %j', (text) => {
    expect(() => readSecretTemplate(text)).toThrow(expect.objectContaining({ code: 'SECRET_REFERENCE' }));
  });

  it('gives the text back, whatever it is, or a typed error', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constant('${secret:env:A}'), fc.constant('${secret:'))),
        (pieces) => {
          const text = pieces.join('');
          try {
            const { parts } = readSecretTemplate(text);
            expect(parts.map((part) => (typeof part === 'string' ? part : `\${secret:${part.text}}`)).join('')).toBe(
              text,
            );
            expect(parts.some((part) => typeof part === 'string' && namesSecrets(part))).toBe(false);
          } catch (error) {
            expect(error).toMatchObject({ code: 'SECRET_REFERENCE' });
          }
        },
      ),
    );
  });
});
