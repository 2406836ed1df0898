import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noticeSignature } from '../../src/approvals/index.ts';
import { type Notices, openNotices } from '../../src/console/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import { asker, askFor } from '../support/approvals.ts';
import { misfit } from '../support/console.ts';
import { Stand } from './approvals-stand.ts';

interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

let stand: Stand;
let server: Server;
let notices: Notices | null = null;
let heard: Heard[] = [];
/** Statuses that the other side answers with, one after the other; then 204. */
let statuses: number[] = [];
let onHeard: () => void = () => undefined;
const secret = randomBytes(32).toString('base64url');

beforeEach(async () => {
  stand = new Stand();
  [heard, statuses] = [[], []];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    heard.push({ headers: request.headers, body, path: request.url ?? '' });
    response.writeHead(statuses.shift() ?? 204, { location: '/elsewhere' }).end();
    onHeard();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  await notices?.close();
  server.close();
  server.closeAllConnections();
  await stand.end();
});

const target = (): string => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook`;
};
const until = (count: number): Promise<void> =>
  new Promise((resolve) => {
    onHeard = () => heard.length >= count && resolve();
    onHeard();
  });

test('[T5.4] a notice is signed, and has a yes only where the whole screen stands beside it', async () => {
  const keeper = await stand.open();
  const ask = await asker(keeper);
  const short = await askFor(keeper, ask());
  const shared = { keeper, url: target(), secret, console: null, onProblem: () => undefined };
  notices = openNotices(shared);
  await until(1);
  const long = await askFor(keeper, ask({ arguments: { text: `${'<b>'.repeat(3_000)} tail` } }));
  await until(2);
  const [first, second] = heard.map(({ body }) => JSON.parse(body) as JsonObject);
  expect([first?.['request'], second?.['request']]).toEqual([short, long]);
  for (const { headers, body } of heard) {
    const [timestamp, nonce] = [Number(headers['x-sallyport-time']), String(headers['x-sallyport-nonce'])];
    expect(headers['x-sallyport-signature']).toBe(noticeSignature(secret, { timestamp, nonce, body }));
    expect(misfit('Notice', JSON.parse(body))).toBeNull();
  }
  expect(first).toMatchObject({ complete: true, approve: { answer: { kind: 'approve', scope: { kind: 'once' } } } });
  expect(second).toMatchObject({ complete: false, approve: null, deny: { answer: { kind: 'deny' } } });
  expect(second?.['screen']).not.toMatch(/[<>`*]|tail/);
});

test('a notice that is not taken is sent again, a bounded number of times, with another nonce, and follows no redirect', async () => {
  const keeper = await stand.open();
  const problems: string[] = [];
  statuses = [500, 302, 500, 500];
  const onProblem = (line: string): void => void problems.push(line);
  notices = openNotices({ keeper, url: target(), secret, console: null, onProblem, pausesMs: [1, 1, 1] });
  const ask = await asker(keeper);
  await askFor(keeper, ask());
  await until(4);
  await askFor(keeper, ask({ arguments: { amount: 2 } }));
  await until(5);
  expect(heard.map(({ path }) => path)).toEqual(Array(5).fill('/hook'));
  expect(new Set(heard.map(({ headers }) => headers['x-sallyport-nonce'])).size).toBe(5);
  expect(problems).toHaveLength(4);
});

test.each([
  'http://chat.example/',
  'ftp://127.0.0.1/',
  'https://user:pass@chat.example/',
  'http://127.0.0.1.evil.example/',
  'x',
])('notices do not go to %s', async (url) => {
  const keeper = await stand.open();
  const open = (): Notices => openNotices({ keeper, url, secret, console: null, onProblem: () => undefined });
  expect(open).toThrow(expect.objectContaining({ code: 'NOTICE_INVALID' }));
});
