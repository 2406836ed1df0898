import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError, type JsonObject, type JsonValue } from '../core/index.ts';
import { readEndpointEntry, readInternalEntry, readMethod, readRequestEntry } from './endpoint-entry.ts';
import { type CompiledEndpoints, compileEndpoints, decideEndpoint } from './endpoints.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  decideRequest,
  meetPolicies,
  type Policy,
  policyFromObject,
  referencesOf,
} from './index.ts';
import type { PolicyEntry } from './policy.ts';

const entries = (texts: readonly string[], key = 'allowedEndpoints'): readonly PolicyEntry[] =>
  texts.map((text, index) => ({
    text,
    rule: { id: `tools.api_call.${key}[${index}]`, file: 'p.yaml', line: index + 1 },
  }));

interface Rules {
  readonly allowed?: readonly string[];
  readonly internal?: readonly string[];
  readonly methods?: readonly string[] | null;
  readonly confirms?: readonly string[];
}
const compile = ({ allowed = [], internal = [], methods = ['GET', 'POST'], confirms = [] }: Rules): CompiledEndpoints =>
  compileEndpoints({
    rule: { id: 'tools.api_call' },
    allowedEndpoints: entries(allowed),
    internalEndpoints: entries(internal, 'internalEndpoints'),
    methods: methods === null ? null : entries(methods, 'methods'),
    confirmRequests: entries(confirms, 'requiresConfirmation.requests'),
    secrets: [],
  });

interface Asked {
  readonly method?: string | null;
  readonly headers?: JsonObject;
  readonly body?: JsonValue;
  readonly addresses?: readonly string[] | null;
}
/** The effect, or the code of a denial. */
function ask(
  compiled: CompiledEndpoints,
  url: string,
  { method = 'GET', headers = {}, body = null, addresses = null }: Asked = {},
): string {
  const verdict = decideEndpoint(compiled, { method, url, headers, body }, addresses);
  return verdict.effect === 'deny' ? verdict.finding.code : verdict.effect;
}

const strict = compile({
  allowed: [
    'api.example.com',
    '*.docs.example.com',
    'https://hooks.example.org:8443/v1/',
    'http://old.example.com',
    'paths.example.com/a/b',
  ],
});

describe('decideEndpoint: entries', () => {
  it.each([
    ['https://api.example.com/x', 'allow'],
    ['https://api.example.com:8443/x', 'ENDPOINT_NOT_ALLOWED'],
    ['http://api.example.com/x', 'ENDPOINT_NOT_ALLOWED'],
    ['https://x.api.example.com/', 'ENDPOINT_NOT_ALLOWED'],
    ['https://a.docs.example.com/', 'allow'],
    ['https://a.b.docs.example.com/', 'allow'],
    ['https://docs.example.com/', 'ENDPOINT_NOT_ALLOWED'],
    ['https://adocs.example.com/', 'ENDPOINT_NOT_ALLOWED'],
    ['https://hooks.example.org:8443/v1', 'allow'],
    ['https://hooks.example.org:8443/v1/x', 'allow'],
    ['https://hooks.example.org:8443/v1x', 'ENDPOINT_NOT_ALLOWED'],
    ['https://hooks.example.org:8443/V1/x', 'ENDPOINT_NOT_ALLOWED'],
    ['https://hooks.example.org:8443//v1/x', 'ENDPOINT_NOT_ALLOWED'],
    ['https://hooks.example.org:8443/v1/../v2', 'ENDPOINT_NOT_ALLOWED'],
    ['https://hooks.example.org:8443/v1/..%2fv2', 'ENDPOINT_MALFORMED'],
    ['https://hooks.example.org:8443/v1%2f..%2fv2', 'ENDPOINT_MALFORMED'],
    ['https://hooks.example.org:8443/v1%2fx', 'ENDPOINT_NOT_ALLOWED'],
    ['https://hooks.example.org:8443/%76%31/x', 'allow'],
    ['http://old.example.com/', 'allow'],
    ['https://old.example.com/', 'ENDPOINT_NOT_ALLOWED'],
    ['https://paths.example.com/a/b/c', 'allow'],
    ['https://paths.example.com/a/bc', 'ENDPOINT_NOT_ALLOWED'],
    ['https://93.184.216.34/', 'ENDPOINT_NOT_ALLOWED'],
    ['https://user@api.example.com/', 'ENDPOINT_MALFORMED'],
  ])('%s: %s', (url, expected) => {
    expect(ask(strict, url)).toBe(expected);
  });

  it('tells the rule, its place, and what would be allowed, with strange text quoted', () => {
    const allowed = decideEndpoint(
      strict,
      { method: 'GET', url: 'https://a.docs.example.com/', headers: {}, body: null },
      null,
    );
    expect(allowed.target?.rule).toEqual({ id: 'tools.api_call.allowedEndpoints[1]', file: 'p.yaml', line: 2 });
    const denied = decideEndpoint(
      compile({ allowed: ['api.example.com'] }),
      { method: 'GET', url: 'https://evil.example/x"y', headers: {}, body: null },
      null,
    );
    expect(denied.finding).toEqual({
      effect: 'deny',
      code: 'ENDPOINT_NOT_ALLOWED',
      rule: { id: 'tools.api_call' },
      reason: 'tools.api_call does not allow "https://evil.example:443/x%22y"',
      instead: 'Endpoints you may use: "api.example.com"',
    });
  });

  it('an empty list allows nothing', () => {
    expect(ask(compile({}), 'https://api.example.com/')).toBe('ENDPOINT_NOT_ALLOWED');
    expect(ask(compile({ allowed: ['api.example.com'], methods: [] }), 'https://api.example.com/')).toBe(
      'ENDPOINT_METHOD',
    );
  });
});

describe('decideEndpoint: addresses', () => {
  const at = (addresses: readonly string[]): string => ask(strict, 'https://api.example.com/', { addresses });
  it.each([
    [['140.82.121.6', '2600:1f14::1'], 'allow'],
    [['64:ff9b::140.82.121.6'], 'allow'],
    [[], 'ENDPOINT_UNRESOLVED'],
    [['140.82.121.6', '10.0.0.1'], 'ENDPOINT_ADDRESS'],
    [['127.0.0.1'], 'ENDPOINT_ADDRESS'],
    [['64:ff9b::10.0.0.1'], 'ENDPOINT_ADDRESS'],
    [['203.0.113.5'], 'ENDPOINT_ADDRESS'],
    [['localhost'], 'ENDPOINT_ADDRESS'],
    [['fe80::1%eth0'], 'ENDPOINT_ADDRESS'],
    [['140.82.121.6 '], 'ENDPOINT_ADDRESS'],
    [new Array<string>(65).fill('140.82.121.6'), 'ENDPOINT_ADDRESS'],
  ])('%j: %s', (addresses, expected) => {
    expect(at(addresses)).toBe(expected);
  });

  const inside = compile({
    internal: ['http://127.0.0.1:8080', 'http://db.internal:5000', 'http://[fd00::1]:80'],
    allowed: ['http://db.internal:5000/v1', 'x.example.com'],
  });
  it.each([
    ['http://127.0.0.1:8080/x', ['127.0.0.1'], 'allow'],
    ['http://127.0.0.1:8080/x', ['10.0.0.1'], 'ENDPOINT_ADDRESS'],
    ['http://127.0.0.1:8081/x', ['127.0.0.1'], 'ENDPOINT_NOT_ALLOWED'],
    ['https://127.0.0.1:8080/x', ['127.0.0.1'], 'ENDPOINT_NOT_ALLOWED'],
    ['http://localhost:8080/x', ['127.0.0.1'], 'ENDPOINT_NOT_ALLOWED'],
    ['http://127.0.0.2:8080/x', ['127.0.0.2'], 'ENDPOINT_NOT_ALLOWED'],
    ['http://[fd00::1]/', ['fd00::1'], 'allow'],
    ['http://db.internal:5000/v1/x', ['10.0.0.1'], 'allow'],
    ['http://db.internal:5000/v2', ['10.0.0.1'], 'ENDPOINT_NOT_ALLOWED'],
    ['http://db.internal:5000/v1', ['169.254.169.254'], 'ENDPOINT_ADDRESS'],
    ['http://db.internal:5000/v1', ['0.0.0.0'], 'ENDPOINT_ADDRESS'],
    ['https://x.example.com/', ['10.0.0.1'], 'ENDPOINT_ADDRESS'],
  ])('internal: %s at %j: %s', (url, addresses, expected) => {
    expect(ask(inside, url, { addresses })).toBe(expected);
  });
});

describe('decideEndpoint: methods and headers', () => {
  const url = 'https://api.example.com/x';
  it.each([
    ['get', 'allow'],
    ['GET ', 'ENDPOINT_METHOD'],
    ['DELETE', 'ENDPOINT_METHOD'],
    ['CONNECT', 'ENDPOINT_METHOD'],
    ['PO\u017fT', 'ENDPOINT_METHOD'],
    ['GET\r\nX: y', 'ENDPOINT_METHOD'],
    ['', 'ENDPOINT_METHOD'],
  ])('method %j: %s', (method, expected) => {
    expect(ask(strict, url, { method })).toBe(expected);
  });

  it('allows GET and HEAD where a rule names no methods', () => {
    const compiled = compile({ allowed: ['api.example.com'], methods: null });
    expect(['GET', 'HEAD', 'POST', 'OPTIONS'].map((method) => ask(compiled, url, { method }))).toEqual([
      'allow',
      'allow',
      'ENDPOINT_METHOD',
      'ENDPOINT_METHOD',
    ]);
  });

  it.each([
    [{ 'X-HTTP-Method-Override': 'DELETE' }],
    [{ x_http_method_override: 'DELETE' }],
    [{ 'X-Method-Override': ' delete ' }],
    [{ 'X-HTTP-Method': 'GET, DELETE' }],
    [{ 'X-HTTP-Method-Override': { $secret: 'x' } }],
  ])('header %j names a method that is not allowed', (headers) => {
    expect(ask(strict, url, { method: 'POST', headers })).toBe('ENDPOINT_METHOD');
  });

  it('judges an override as the method that it names', () => {
    expect(ask(strict, url, { method: 'POST', headers: { 'X-HTTP-Method-Override': 'get' } })).toBe('allow');
    expect(ask(strict, `${url}?_method=DELETE`, { method: 'POST' })).toBe('ENDPOINT_METHOD');
    expect(ask(strict, `${url}?a=1&%5Fmethod=delete`, { method: 'POST' })).toBe('ENDPOINT_METHOD');
    expect(ask(strict, `${url}?method=flickr.photos&a_method=x`, { method: 'POST' })).toBe('allow');
    for (const body of [
      '_method=DELETE&x=1',
      'x=1&%5fmethod=put',
      '{"_method":"DELETE"}',
      ' {"\\u005fmethod":"DELETE"}',
      { _method: 'PUT' },
      { _method: {} },
    ]) {
      expect([body, ask(strict, url, { method: 'POST', body })]).toEqual([body, 'ENDPOINT_METHOD']);
    }
    const parts = '--x\r\nContent-Disposition: form-data; name="_method"\r\n\r\nDELETE\r\n--x--';
    expect(ask(strict, url, { method: 'POST', body: parts })).toBe('ENDPOINT_METHOD');
    expect(ask(strict, url, { method: 'POST', body: 'we use _method in Rails' })).toBe('allow');
    expect(ask(strict, url, { method: 'POST', body: { nested: { _method: 'DELETE' } } })).toBe('allow');
  });

  it.each([
    ...[
      'Host',
      'Connection',
      'Transfer-Encoding',
      'TE',
      'Upgrade',
      'Expect',
      'Proxy-Authorization',
      'Proxy-Connection',
      'Keep-Alive',
      'Trailer',
    ],
    ...[
      'X-Forwarded-Host',
      'x_forwarded_for',
      'Forwarded',
      'X-Original-URL',
      'X_Rewrite_Url',
      'X-Real-IP',
      ':authority',
      'a b',
      'a\r\nb',
      'é',
      '',
    ],
  ])('refuses the header %j', (name) => {
    expect(ask(strict, url, { headers: { [name]: 'x' } })).toBe('ENDPOINT_HEADER');
  });

  it.each([
    'a\r\nb',
    'a\nb',
    'a\u0000b',
    'a\u0100',
    'a\u007f',
    1,
    null,
    ['a'],
    { a: 1 },
    { $secret: 1 },
    { $secret: 'a\r\n' },
    { $secret: 'x', prefix: 'a\nb' },
    { $secret: 'x', more: 1 },
  ])('refuses the header value %j', (value) => {
    expect(ask(strict, url, { headers: { 'X-Note': value } })).toBe('ENDPOINT_HEADER');
  });

  it('takes ordinary headers, references, and a length that is right', () => {
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'text/plain; charset=utf-8',
      Authorization: { $secret: 'k', prefix: 'Bearer ' },
      'If-None-Match': '"x"',
      'X-Note': 'é\tb',
      'Content-Length': '2',
    };
    expect(ask(strict, url, { method: 'POST', headers, body: 'é' })).toBe('allow');
    expect(ask(strict, url, { method: 'POST', headers: { 'Content-Length': '3' }, body: 'é' })).toBe('ENDPOINT_HEADER');
    expect(ask(strict, url, { headers: { accept: 'a', Accept: 'b' } })).toBe('ENDPOINT_HEADER');
    expect(ask(strict, url, { headers: { 'X-A': 'a', X_A: 'b' } })).toBe('ENDPOINT_HEADER');
    expect(
      ask(strict, url, { headers: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`x-${at}`, ''])) }),
    ).toBe('ENDPOINT_HEADER');
    expect(ask(strict, url, { headers: { 'x-long': 'a'.repeat(33_000) } })).toBe('ENDPOINT_HEADER');
  });
});

describe('decideEndpoint: confirmations', () => {
  const compiled = compile({
    allowed: ['api.example.com'],
    methods: ['GET', 'POST', 'DELETE'],
    confirms: ['POST https://api.example.com/v1/refunds', '* api.example.com/admin/'],
  });
  it.each([
    ...[
      '/v1/refunds',
      '/v1/refunds/',
      '/v1/refunds/re_1',
      '/v1/refunds?x=1',
      '/v1/%72efunds',
      '/V1/Refunds',
      '//v1//refunds',
      '/v1/x/../refunds',
    ],
    ...[
      '/v1/refunds;a=b',
      '/v1%2frefunds',
      '/v1/refunds%2f',
      '/v1/%2572efunds',
      '/v1/refunds.json',
      '/v1/ｒefunds',
      '/v1/refunds%3fx',
      '/v1/refunds%20',
    ],
  ])('POST %s is asked about', (path) => {
    expect(ask(compiled, `https://api.example.com${path}`, { method: 'POST' })).toBe('confirm');
  });

  it.each([
    ['GET', '/v1/refunds', 'allow'],
    ['POST', '/v1/refundsx', 'allow'],
    ['POST', '/v1', 'allow'],
    ['POST', '/x/v1/refunds', 'allow'],
    ['POST', '/v1/search?q=/v1/refunds', 'allow'],
    ['DELETE', '/admin/users', 'confirm'],
    ['GET', '/ADMIN', 'confirm'],
    [null, '/v1/refunds', 'confirm'],
  ] as const)('%s %s: %s', (method, path, expected) => {
    expect(ask(compiled, `https://api.example.com${path}`, { method })).toBe(expected);
  });

  it('asks when an override names the method', () => {
    const headers = { 'X-HTTP-Method-Override': 'POST' };
    expect(ask(compiled, 'https://api.example.com/v1/refunds', { headers })).toBe('confirm');
  });
});

describe('entries', () => {
  it.each([
    ...[
      '',
      '*',
      '*.com',
      '*.*.example.com',
      'a.*.example.com',
      'api.*',
      'https://',
      'ftp://x.example',
      'api.example.com?x',
      'api.example.com/#a',
    ],
    ...[
      'user@api.example.com',
      'api.example.com.',
      'api..com',
      '127.0.0.1',
      'http://127.0.0.1:8080',
      '[::1]',
      '0x7f.1',
      'api.example.com:0',
      'ａpi.example.com',
    ],
    ...['api.example.com ', 'api.example.com/a/..%2fb', 'https://api.example.com\\x'],
  ])('allowedEndpoints: %j cannot be used', (text) => {
    expect(typeof readEndpointEntry(text)).toBe('string');
    expect(() => compile({ allowed: [text] })).toThrow(/cannot be used/);
  });

  it.each([
    '127.0.0.1:8080',
    'http://127.0.0.1:8080/x',
    'http://169.254.169.254',
    'http://0.0.0.0:80',
    'http://[fd00:ec2::254]',
    'http://*.internal',
    'http://127.1',
    'ftp://x',
  ])('internalEndpoints: %j cannot be used', (text) => {
    expect(typeof readInternalEntry(text)).toBe('string');
  });

  it.each([
    'POST',
    'POST  https://a.b',
    'POST https://a.b x',
    'P@ST https://a.b',
    'CONNECT https://a.b',
    'POST 127.0.0.1',
    '',
  ])('requests: %j cannot be used', (text) => {
    expect(typeof readRequestEntry(text)).toBe('string');
  });

  it('reads methods in any letter case, and none that tunnels or echoes', () => {
    expect(['get', 'M-SEARCH', 'TRACE', 'connect', 'a b', 'GE\u0130'].map(readMethod)).toEqual([
      'GET',
      'M-SEARCH',
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('decideEndpoint: any input', () => {
  const url = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl(),
    fc.constantFrom('https://api.example.com/x', 'https://a.docs.example.com/?_method=x'),
  );
  it('has an answer, and a target exactly when it does not deny', () => {
    fc.assert(
      fc.property(
        url,
        fc.string(),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.jsonValue(),
        fc.option(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()))),
        (target, method, headers, body, addresses) => {
          try {
            const verdict = decideEndpoint(
              strict,
              { method, url: target, headers: headers as JsonObject, body: body as JsonValue },
              addresses,
            );
            expect(verdict.target === null).toBe(verdict.effect === 'deny');
          } catch (error) {
            if (!isSallyportError(error)) throw error;
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('fewer entries never allow more, and their order does not matter', () => {
    const pool = [
      'api.example.com',
      '*.example.com',
      'https://api.example.com/v1',
      'http://api.example.com',
      'api.example.com:8443',
    ];
    const paths = fc.constantFrom('/', '/v1', '/v1/x', '/v2', '/v1/../v2');
    const urls = fc.tuple(
      fc.constantFrom(
        'https://api.example.com',
        'http://api.example.com',
        'https://x.example.com',
        'https://api.example.com:8443',
      ),
      paths,
    );
    fc.assert(
      fc.property(
        fc.shuffledSubarray(pool),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        urls,
        (allowed, keep, parts) => {
          const asked = parts.join('');
          const fewer = allowed.filter((_, index) => keep[index]);
          const all = ask(compile({ allowed }), asked);
          expect(ask(compile({ allowed: [...allowed].reverse() }), asked)).toBe(all);
          if (ask(compile({ allowed: fewer }), asked) === 'allow') expect(all).toBe('allow');
        },
      ),
    );
  });
});

describe('secrets of destinations', () => {
  const policyOf = (secrets: object): Policy =>
    policyFromObject({ version: 1, tools: { api_call: { allowedEndpoints: ['a.example', 'b.example'], secrets } } });
  const carried = (compiled: CompiledPolicy, url: string, headers: JsonObject = {}): unknown => {
    const { target } = decideRequest(compiled, 'api_call', {
      method: 'GET',
      url,
      headers,
      body: null,
      addresses: null,
    });
    return [referencesOf(target?.secrets ?? []), Object.fromEntries(target?.headers ?? [])];
  };
  const compiled = (secrets: object): CompiledPolicy =>
    compilePolicy(policyOf(secrets), { root: '/', tools: ['api_call'] });
  const KEY = { header: 'X-Key', value: '${secret:env:A}' };

  it('go to their destination, and take the place of what a caller writes there', () => {
    const one = compiled({ 'a.example/x': KEY });
    const headers = { authorization: 'mine', 'x-key': 'mine', cookie: 'a', accept: 'b' };
    expect(carried(one, 'https://a.example/x/y', headers)).toEqual([['env:A'], { accept: 'b' }]);
    for (const url of ['https://a.example/xy', 'https://a.example/', 'https://b.example/x', 'https://a.example/X'])
      expect(carried(one, url, { accept: 'b', cookie: 'a' })).toEqual([[], { accept: 'b', cookie: 'a' }]);
  });

  it('of two policies that count are those of both, in the same place', () => {
    const both = (first: object, second: object): unknown =>
      carried(meetPolicies(compiled(first), compiled(second)), 'https://a.example/');
    expect(both({ 'a.example': KEY }, { 'a.example': KEY })).toEqual([['env:A'], {}]);
    expect(both({ 'a.example': KEY }, { 'b.example': KEY })).toEqual([[], {}]);
    expect(both({ 'a.example': KEY }, { 'a.example': { ...KEY, value: '${secret:env:B}' } })).toEqual([[], {}]);
    expect(both({ 'a.example': KEY }, { 'a.example': { query: 'x-key', value: KEY.value } })).toEqual([[], {}]);
  });

  it.each([
    [{ 'a.example': { header: 'X', value: 'plain' } }, 'no secret reference'],
    [{ 'a.example': { header: 'X', value: '${secret:nothing:x}' } }, 'expected one of aws-ssm'],
    [{ 'a.example': { value: '${secret:env:A}' } }, 'one place'],
    [{ 'a.example': { header: 'X', query: 'y', value: '${secret:env:A}' } }, 'one place'],
    [{ 'a.example': { basic: 'a:${secret:env:A}', value: '${secret:env:A}' } }, 'one place'],
    [{ '10.0.0.1': KEY }, 'destination cannot be used'],
    [{}, 'secrets'],
  ])('that mean nothing do not load: %j', (secrets, message) => {
    expect(() => policyOf(secrets)).toThrow(message);
  });
});
