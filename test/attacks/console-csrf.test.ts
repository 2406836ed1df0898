import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TOKEN_HEADER } from '../../src/console/index.ts';
import { asker, askFor } from '../support/approvals.ts';
import { TestConsole } from '../support/console.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
let site: TestConsole;
let id: string;
beforeEach(async () => {
  stand = new Stand();
  const keeper = await stand.open();
  id = await askFor(keeper, (await asker(keeper))());
  site = await TestConsole.open(stand.state);
});
afterEach(async () => {
  await site.close();
  await stand.end();
});

const DENY = { answer: { kind: 'deny', reason: 'no' }, proof: { class: 'local' } };
const answerPath = (): string => `/v1/requests/${id}/answer`;
const waits = async (): Promise<number> => (await site.keeper.approvals()).length;

/** A request with exactly these headers, as no browser and no `fetch` would send it. */
function raw(path: string, method: string, headers: Record<string, string>, body = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = { 'content-length': String(Buffer.byteLength(body)), ...headers };
    const asked = httpRequest(
      { host: '127.0.0.1', port: site.console.port, path, method, headers: sent },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}

describe('[T5.4] a page of another origin', () => {
  test.each<[string, Record<string, string | undefined>]>([
    ['its own origin', { origin: 'http://evil.example' }],
    ['no origin', { origin: undefined }],
    ['the origin null', { origin: 'null' }],
    ['our origin with another scheme', { origin: 'https://localhost:7333' }],
    ['our other name as origin', { origin: 'http://127.0.0.1:7333' }],
    ['our origin, from another site', { 'sec-fetch-site': 'cross-site' }],
    ['our origin, from another port', { 'sec-fetch-site': 'same-site' }],
  ])('that knows the token and sends %s changes nothing', async (_, headers) => {
    expect(await site.refusal(answerPath(), DENY, headers)).toBe('ORIGIN_REFUSED');
    expect(await waits()).toBe(1);
  });

  test('cannot send what a form or a simple request sends', async () => {
    const body = JSON.stringify(DENY);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      expect(await site.refusal(answerPath(), body, { 'content-type': type })).toBe('CONSOLE_CONTENT');
    }
    const noToken = { [TOKEN_HEADER]: undefined, cookie: `token=${site.token.text}` };
    expect(await site.refusal(answerPath(), DENY, noToken)).toBe('CONSOLE_TOKEN');
    expect(await waits()).toBe(1);
  });

  test('is let in by no preflight, and reads nothing', async () => {
    const asks = { origin: 'http://evil.example', 'access-control-request-headers': TOKEN_HEADER };
    const response = await fetch(site.origin + answerPath(), {
      ...{ method: 'OPTIONS', headers: { ...asks, 'access-control-request-method': 'POST' } },
    });
    expect(response.status).toBe(405);
    const read = await site.ask('/v1/requests', undefined, { origin: 'http://evil.example' });
    expect(read.status).toBe(403);
    for (const { headers } of [response, read]) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('that answers to a name of its own (DNS rebinding) is no address of the console', async () => {
    const token = { [TOKEN_HEADER]: site.token.text, 'content-type': 'application/json' };
    for (const host of [
      'evil.example',
      `evil.example:${site.console.port}`,
      'localhost',
      `LOCALHOST:${site.console.port}`,
    ]) {
      const headers = { ...token, host, origin: `http://${host}` };
      expect([host, await raw(answerPath(), 'POST', headers, JSON.stringify(DENY))]).toEqual([host, 403]);
      expect([host, await raw('/v1/requests', 'GET', headers)]).toEqual([host, 403]);
    }
    expect(await waits()).toBe(1);
    // The same request is good by the name of the console.
    const host = `localhost:${site.console.port}`;
    expect(await raw(answerPath(), 'POST', { ...token, host, origin: `http://${host}` }, JSON.stringify(DENY))).toBe(
      200,
    );
    expect(await waits()).toBe(0);
  });
});

test('[T5.4] a GET changes nothing, whatever its path and its body say', async () => {
  const token = { [TOKEN_HEADER]: site.token.text, host: `localhost:${site.console.port}` };
  const changing = [
    '/v1/operators/x/remove',
    '/v1/registrations',
    '/v1/stops/resume',
    '/v1/webhook/answers',
    answerPath(),
  ];
  for (const path of changing) {
    expect([path, await raw(path, 'GET', token, JSON.stringify(DENY))]).toEqual([path, 405]);
    expect([path, await raw(path, 'HEAD', token)]).toEqual([path, 405]);
  }
  expect(await raw(`${answerPath()}?kind=deny`, 'GET', token)).toBe(404);
  for (const path of ['/v1/requests', `/v1/requests/${id}`, `/v1/requests/${id}/whole`, '/v1/operators', '/v1/stops']) {
    expect([path, await raw(path, 'GET', token)]).toEqual([path, 200]);
  }
  expect([await waits(), (await site.keeper.operators()).length, (await site.keeper.stops()).length]).toEqual([
    1, 0, 0,
  ]);
});

test('[T5.4] a signed answer is taken from no browser', async () => {
  for (const headers of [
    {},
    { origin: undefined, 'sec-fetch-site': 'same-origin' },
    { origin: undefined, cookie: 'a=b' },
  ]) {
    expect(await site.refusal('/v1/webhook/answers', {}, headers)).toBe('ORIGIN_REFUSED');
  }
});
