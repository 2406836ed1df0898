import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/index.ts';
import { judgeCredentials } from './credential-literals.ts';

const hex = (length: number): string => '4f9c2d81be7a0356'.repeat(8).slice(0, length);
const word = (length: number): string => 'aB3dE6gH9jK2mN5pQ8rS1tV4wX7yZ0'.repeat(8).slice(0, length);
const jwt = [{ alg: 'HS256', typ: 'JWT' }, { sub: 'x' }].map((part) =>
  Buffer.from(JSON.stringify(part)).toString('base64url'),
);

/** Made up in the issuers' formats; put together here so that no scanner takes this file for a leak. */
const CREDENTIALS: readonly string[] = [
  `AKIA${'ABCDEFGH23456701'}`,
  `ghp_${word(36)}`,
  `github_pat_${word(22)}_${word(59)}`,
  `glpat-${word(20)}`,
  `xoxb-${'123456789012'}-${word(24)}`,
  `https://hooks.slack.com/services/T${'00000001'}/B${'00000002'}/${word(24)}`,
  `sk_live_${word(24)}`,
  `rk_test_${word(24)}`,
  `sk-${word(48)}`,
  `sk-proj-${word(60)}`,
  `sk-ant-api03-${word(60)}`,
  `AIza${word(35)}`,
  `npm_${word(36)}`,
  `pypi-AgEIcHlwaS5vcmc${word(60)}`,
  `hf_${word(34)}`,
  `SG.${word(22)}.${word(43)}`,
  `dop_v1_${hex(64)}`,
  `hvs.${word(40)}`,
  `shpat_${hex(32)}`,
  `${jwt.join('.')}.${word(43)}`,
  `-----BEGIN RSA PRIVATE KEY-----\nMIIEow${word(40)}\n`,
  `-----BEGIN OPENSSH PRIVATE KEY-----\\n${word(40)}`,
  `postgres://app:${word(12)}@db.example.com/app`,
  `Authorization: Bearer ${word(32)}`,
  `Basic ${Buffer.from('app:hunter2!').toString('base64')}`,
  `DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${word(60)}==`,
  `12345678:AA${word(33)}`,
  `{"client_secret":"${word(20)}"}`,
  `client_id=x&client_secret=${word(20)}`,
  `AWS_SECRET_ACCESS_KEY=${word(40)}`,
];

const HARMLESS: readonly string[] = [
  'please rotate the sk_live keys',
  'the prefix ghp_ stands for a personal token, glpat- for GitLab, AKIA for AWS',
  '3f786850e387550fdab836ed7e6dc881de23001b',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  '550e8400-e29b-41d4-a716-446655440000',
  'Bearer <token>',
  'Bearer $GITHUB_TOKEN',
  'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  'AKIAXXXXXXXXXXXXXXXX',
  'sk-proj-your-key-goes-in-here-please',
  'sk_live_...',
  'API_KEY=your-api-key-1',
  'password: must have 8 characters, one digit',
  'postgres://user:password@localhost:5432/app',
  `postgres://app:$${'{DB_PASSWORD}'}@db/app`,
  'apiKey: process.env.API_KEY2',
  'secret: kv/team1/stripe-key',
  'risk-assessment-of-the-third-quarter-2026',
  'task-0123456789abcdef0123456789abcdef',
  'a PEM file starts with -----BEGIN PRIVATE KEY----- and ends the same way',
  '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU',
  '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI',
  'basic authentication is enough for this endpoint',
  'use bearer authentication-headers everywhere',
  'nextPageToken: CAUQAA',
  'https://api.example.com/items?page_token=abcDEF123456&per_page=100',
  'pk_live_is_a_publishable_key',
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk',
  'git commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixes the token bucket',
];

const codeOf = (args: JsonObject): string | undefined => judgeCredentials(args)?.code;

describe('judgeCredentials', () => {
  it.each(CREDENTIALS)('finds %s wherever it stands', (text) => {
    const encoded = encodeURIComponent(text);
    const everywhere: readonly JsonObject[] = [
      { body: text },
      { body: { a: { b: [1, { c: `x ${text} y` }] } } },
      { body: { [text]: 1 } },
      { url: `https://api.example.com/?q=${encoded}` },
      { url: `https://api.example.com/?q=${encodeURIComponent(encoded)}` },
      { headers: { 'X-Note': text } },
      { headers: { 'X-Note': { $secret: 'name', prefix: text } } },
      { note: text.replace(/^(.{3})/s, '$1\u200b') },
      { body: JSON.stringify({ deep: text }) },
    ];
    for (const args of everywhere) expect([args, codeOf(args)]).toEqual([args, 'CREDENTIAL_LITERAL']);
  });

  it.each(HARMLESS)('lets %j pass', (text) => {
    for (const args of [{ body: text }, { body: { note: [text] } }, { headers: { 'X-Note': text } }]) {
      expect([args, judgeCredentials(args)?.reason]).toEqual([args, undefined]);
    }
  });

  it('finds a token in base64, and one that the name of a header or field gives away', () => {
    const token = Buffer.from(`token ghp_${word(36)}`).toString('base64');
    expect(codeOf({ body: `x ${token} y` })).toBe('CREDENTIAL_LITERAL');
    expect(codeOf({ headers: { Authorization: 'token 0a1b2c3d' } })).toBe('CREDENTIAL_LITERAL');
    expect(codeOf({ headers: { X_API_KEY: 'correcthorse' } })).toBe('CREDENTIAL_LITERAL');
    expect(codeOf({ body: { password: 'hunter2hunter2' } })).toBe('CREDENTIAL_LITERAL');
    expect(codeOf({ headers: { Authorization: 'Bearer <token>' } })).toBeUndefined();
  });

  it('takes references as values of headers, and nowhere else', () => {
    expect(codeOf({ headers: { Authorization: { $secret: 'stripe-key', prefix: 'Bearer ' } } })).toBeUndefined();
    for (const args of [
      { url: { $secret: 'x' } },
      { body: { note: { $secret: 'x' } } },
      { body: [{ $secret: 'x' }] },
      { headers: { $secret: 'x', a: { b: { $secret: 'y' } } } },
      { headers: [{ $secret: 'x' }] },
    ]) {
      expect([args, codeOf(args)]).toEqual([args, 'CREDENTIAL_PLACE']);
    }
  });

  it('names place and kind, never the value', () => {
    const finding = judgeCredentials({ body: { a: [`ghp_${word(36)}`] } });
    expect(finding?.reason).toBe('"/body/a/0" holds what looks like a credential (GitHub token)');
  });

  it('answers any JSON, and long texts in time that grows with them', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (args) => {
        const code = codeOf(args as JsonObject);
        expect(code === undefined || code.startsWith('CREDENTIAL_')).toBe(true);
      }),
    );
    for (const part of [
      'sk-ant-',
      'eyJ',
      'eyJ.',
      '://a:',
      'a=',
      '-----BEGIN PRIVATE KEY-----',
      '%25',
      '\\u0061',
      'bearer ',
      'AKIA',
      'password=',
    ]) {
      const text = part.repeat(Math.floor(200_000 / part.length));
      expect([part, codeOf({ body: text }) ?? 'none']).toEqual([
        part,
        expect.stringMatching(/^(?:none|CREDENTIAL_LITERAL)$/),
      ]);
    }
  });
});
