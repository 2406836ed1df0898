import { parse as parseLegacy } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { performRequest } from '../../src/gate/fetch-request.ts';
import type { FetchRequest, FetchResult, Resolve } from '../../src/gate/fetch-types.ts';
import { compileEndpoints, decideEndpoint } from '../../src/policy/endpoints.ts';
import type { PolicyEntry } from '../../src/policy/policy.ts';
import { openWorld, type World } from './endpoints-world.ts';

const entries = (texts: readonly string[]): readonly PolicyEntry[] =>
  texts.map((text) => ({ text, rule: { id: text } }));
const endpoints = compileEndpoints({
  rule: { id: 'tools.api_call' },
  allowedEndpoints: entries(['api.example.com', 'other.example.com', 'http://plain.example.com']),
  internalEndpoints: entries(['https://vault.internal:443', 'http://127.0.0.1:8080']),
  methods: entries(['GET', 'POST']),
  confirmRequests: entries(['POST https://other.example.com/pay', 'GET https://other.example.com/secret-page']),
  secrets: [],
});

let world: World;
let answers: Readonly<Record<string, readonly [status: number, location: string]>> = {};
beforeAll(async () => {
  world = await openWorld(['api.example.com', 'other.example.com', 'vault.internal'], (_, response) => {
    const [status, location] = answers[world.arrived.at(-1)?.url ?? ''] ?? [200, ''];
    response.writeHead(status, location === '' ? {} : { location }).end('end');
  });
});
afterAll(() => world.close());

const PUBLIC = '93.184.216.34';
const resolvePublic: Resolve = async (host) => [host === 'vault.internal' ? '10.0.0.7' : PUBLIC];

function perform(request: Partial<FetchRequest>, resolve: Resolve = resolvePublic): Promise<FetchResult> {
  world.dialled.length = 0;
  world.arrived.length = 0;
  return performRequest(
    { method: 'GET', url: 'https://api.example.com/', headers: {}, body: null, ...request },
    {
      judge: (hop) => decideEndpoint(endpoints, hop.request, hop.addresses),
      resolve,
      dial: world.dial,
      certificates: [world.certificate],
    },
  );
}
const dialled = (): string[] => world.dialled.map(({ address }) => address);

describe('attack: DNS rebinding', () => {
  it('a name that answers differently at the second look-up is not looked up twice', async () => {
    const answersOfName = [[PUBLIC], ['169.254.169.254'], ['127.0.0.1']];
    let asked = 0;
    answers = { 'https://api.example.com/': [302, '/next'], 'https://api.example.com/next': [302, '/last'] };
    const result = await perform({}, async () => answersOfName[asked++] ?? []);
    expect([result.kind, asked, dialled()]).toEqual(['answered', 1, [PUBLIC, PUBLIC, PUBLIC]]);
  });

  it.each([[['127.0.0.1']], [[PUBLIC, '::ffff:10.0.0.1']], [['64:ff9b::a9fe:a9fe']], [['::1', PUBLIC]], [[]]])(
    'a name that leads to %j is not connected to',
    async (addresses) => {
      expect((await perform({}, async () => addresses)).kind).toBe('denied');
      expect(dialled()).toEqual([]);
    },
  );

  it('the second host of a redirect is judged by its own addresses', async () => {
    answers = { 'https://api.example.com/': [307, 'https://other.example.com/'] };
    const result = await perform({}, async (host) => [host === 'other.example.com' ? '10.0.0.1' : PUBLIC]);
    expect(result).toMatchObject({ kind: 'denied', code: 'ENDPOINT_REDIRECT' });
    expect(dialled()).toEqual([PUBLIC]);
  });
});

describe('attack: an open redirect', () => {
  it.each([
    ['http://169.254.169.254/latest/meta-data/'],
    ['https://169.254.169.254/'],
    ['https://vault.internal/v1/secret'],
    ['https://VAULT.internal:443/'],
    ['http://127.0.0.1:8080/admin'],
    ['http://plain.example.com/'],
    ['https://evil.example/'],
    ['//evil.example/'],
    ['https://api.example.com@evil.example/'],
    ['https://api.example.com:8443/'],
    ['https://other.example.com/secret-page'],
    ['https://other.example.com/Secret-Page/../secret-page?x'],
    ['/v1/..%2f..%2fadmin'],
    ['file:///etc/passwd'],
  ])('to %s ends there', async (location) => {
    answers = { 'https://api.example.com/': [302, location] };
    expect(await perform({})).toMatchObject({ kind: 'denied', code: 'ENDPOINT_REDIRECT' });
    expect(dialled()).toEqual([PUBLIC]);
  });

  it('with 307 does not pay somewhere else without a yes', async () => {
    answers = { 'https://api.example.com/': [307, 'https://other.example.com/pay'] };
    expect(await perform({ method: 'POST', body: 'amount=1' })).toMatchObject({
      kind: 'denied',
      code: 'ENDPOINT_REDIRECT',
    });
    expect(world.arrived.length).toBe(1);
  });

  it('is followed five times and no more', async () => {
    const chain = (length: number): void => {
      const steps = Array.from({ length }, (_, at) => [
        `https://api.example.com/${at === 0 ? '' : at}`,
        [302, `/${at + 1}`],
      ]);
      answers = Object.fromEntries(steps);
    };
    chain(5);
    expect(await perform({})).toMatchObject({ kind: 'answered', url: 'https://api.example.com/5' });
    chain(6);
    expect(await perform({})).toMatchObject({ kind: 'denied', code: 'ENDPOINT_REDIRECT' });
    expect(world.arrived.length).toBe(6);
  });

  it('inside an internal endpoint stays possible', async () => {
    answers = { 'https://vault.internal/': [302, '/v1'] };
    expect(await perform({ url: 'https://vault.internal/' })).toMatchObject({ kind: 'answered' });
    expect(dialled()).toEqual(['10.0.0.7', '10.0.0.7']);
  });
});

describe('attack: parsers that disagree', () => {
  const HOSTS = new Set(['api.example.com', 'other.example.com', 'plain.example.com', 'vault.internal', '127.0.0.1']);
  const piece = fc.constantFrom(
    ...[
      'api.example.com',
      'evil.example',
      '@',
      ':',
      '/',
      '//',
      '\\',
      '?',
      '#',
      '.',
      '..',
      '%2e',
      '%40',
      '%2f',
      '%00',
      '\t',
      '\n',
      ' ',
      '[',
      ']',
    ],
    ...[
      '443',
      '80',
      'https:',
      'http:',
      'x',
      '。',
      '．',
      '＠',
      '／',
      '\u200b',
      '\u00ad',
      ';',
      '&',
      '=',
      '127.0.0.1',
      '0x7f.1',
      '::1',
      'xn--',
    ],
  );
  const tricky = fc
    .tuple(fc.constantFrom('https://', 'http://', 'https:', 'HTTPS://', '//', ''), fc.array(piece, { maxLength: 8 }))
    .map(([scheme, rest]) => scheme + rest.join(''));

  it('every URL that is allowed has its host in the list, whoever parses it', () => {
    let allowed = 0;
    fc.assert(
      fc.property(tricky, (url) => {
        const verdict = decideEndpoint(endpoints, { method: 'GET', url, headers: {}, body: null }, null);
        if (verdict.target === null) return;
        allowed += 1;
        for (const text of [url, verdict.target.url.text]) {
          const { hostname } = new URL(text);
          expect(HOSTS).toContain(hostname);
          expect(parseLegacy(text).hostname).toBe(hostname);
          expect(/^https?:\/\/([^/?#:]+)/i.exec(text)?.[1]?.toLowerCase()).toBe(hostname);
        }
      }),
      { numRuns: process.env['SLOW'] === '1' ? 1_000_000 : 20_000 },
    );
    expect(allowed).toBeGreaterThan(10);
  });
});
