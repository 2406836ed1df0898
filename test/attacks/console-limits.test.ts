import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TOKEN_HEADER } from '../../src/console/index.ts';
import { asker, askFor } from '../support/approvals.ts';
import { misfit, TestConsole } from '../support/console.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
let site: TestConsole;
beforeEach(async () => {
  stand = new Stand();
  await stand.open();
});
afterEach(async () => {
  await site.close();
  await stand.end();
});

const open = async (limits: Parameters<typeof TestConsole.open>[1] = {}): Promise<void> => {
  site = await TestConsole.open(stand.state, limits);
};

test('[T5.4] a flood of wrong tokens leaves the right one alone; one of right ones ends in a 429', async () => {
  await open({ wrongTokens: { burst: 3, perSecond: 0 }, requests: { burst: 4, perSecond: 0 } });
  const wrong = { [TOKEN_HEADER]: 'spc_wrong' };
  const codes = await Promise.all(Array.from({ length: 12 }, () => site.refusal('/v1/requests', undefined, wrong)));
  expect(codes.filter((code) => code === 'CONSOLE_TOKEN')).toHaveLength(3);
  expect(codes.filter((code) => code === 'CONSOLE_BUSY')).toHaveLength(9);
  for (let count = 0; count < 4; count++) expect((await site.ask('/v1/requests')).status).toBe(200);
  expect(await site.refusal('/v1/requests')).toBe('CONSOLE_BUSY');
});

test('[T5.4] a body that is too large, too deep, twice the same key, or no JSON is refused', async () => {
  await open({ bodyBytes: 2_000, bodyDepth: 8 });
  const deep = `${'['.repeat(9)}${']'.repeat(9)}`;
  expect(await site.refusal('/v1/stops', `"${'x'.repeat(2_000)}"`)).toBe('INPUT_TOO_LARGE');
  expect(await site.refusal('/v1/stops', deep)).toBe('INPUT_TOO_DEEP');
  expect(await site.refusal('/v1/stops', '{"flag":{"kind":"all"},"reason":"a","reason":"b"}')).toBe(
    'INPUT_DUPLICATE_KEY',
  );
  expect(await site.refusal('/v1/stops', 'no')).toBe('INPUT_NOT_JSON');
  expect(await site.refusal('/v1/stops', { flag: { kind: 'all' }, reason: 'a', more: 1 })).toBe(
    'INPUT_SCHEMA_MISMATCH',
  );
  expect(await site.keeper.stops()).toEqual([]);
});

/** Sends bytes and waits for the other side to end it; what it said. */
async function speak(bytes: string): Promise<string> {
  const socket = connect(site.console.port, '127.0.0.1');
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return said;
}

const headOf = (path: string, more: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost:${site.console.port}\r\nOrigin: ${site.origin}\r\n${TOKEN_HEADER}: ${site.token.text}\r\nContent-Type: application/json\r\n${more}`;

test('[T5.4] a body without an end, and headers and bodies that do not come, are cut off', async () => {
  await open({ bodyBytes: 2_000, headersMs: 300, requestMs: 600 });
  expect(await speak(`${headOf('/v1/stops', 'Content-Length: 999999999\r\n\r\n')}{`)).toContain('413');
  const chunk = `7d0\r\n${'x'.repeat(2_000)}\r\n`;
  expect(await speak(`${headOf('/v1/stops', 'Transfer-Encoding: chunked\r\n\r\n')}${chunk}${chunk}`)).toContain('413');
  expect(await speak(headOf('/v1/stops', 'Content-Length: 10\r\n\r\n{'))).not.toContain('200 OK');
  expect(await speak(headOf('/v1/stops', ''))).not.toContain('200 OK');
  expect(await site.keeper.stops()).toEqual([]);
  expect((await site.ask('/v1/requests')).status).toBe(200);
});

test('[T5.4] streams are counted, tell what happens without its texts, and end with the console', async () => {
  await open({ streams: 2 });
  const headers = { [TOKEN_HEADER]: site.token.text };
  const streams = [
    await fetch(`${site.origin}/v1/events`, { headers }),
    await fetch(`${site.origin}/v1/events`, { headers }),
  ];
  expect(await site.refusal('/v1/events')).toBe('CONSOLE_BUSY');
  expect((await fetch(`${site.origin}/v1/events`)).status).toBe(401);
  const keeper = site.keeper;
  await keeper.stop({ kind: 'agent', name: 'evil\n\ndata: {"type":"approval"}' }, 'x');
  const reader = streams[0]?.body?.pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  while (!heard.includes('"stop"')) heard += (await reader?.read())?.value ?? '';
  const events = heard
    .trim()
    .split('\n\n')
    .map((line) => JSON.parse(line.replace(/^data: /, '')));
  expect(events.map(({ type }) => type)).toEqual(['open', 'stop']);
  for (const event of events) expect(misfit('Event', event)).toBeNull();
  await reader?.cancel();
  await streams[1]?.body?.cancel();
});

test('[T5.4] signed answers that nobody signed cost no place of others', async () => {
  await open({ webhooks: 1 });
  const keeper = await stand.open();
  const id = await askFor(keeper, (await asker(keeper))());
  const body = { request: id, answer: { kind: 'deny', reason: '' }, challenge: 'x' };
  const headers = {
    ...{
      origin: undefined,
      'x-sallyport-operator': 'chat',
      'x-sallyport-time': '1',
      'x-sallyport-nonce': 'n'.repeat(16),
    },
    'x-sallyport-signature': 'a'.repeat(64),
  };
  const codes = await Promise.all(Array.from({ length: 5 }, () => site.refusal('/v1/webhook/answers', body, headers)));
  expect(codes).toContain('CONSOLE_BUSY');
  expect(codes).toContain('APPROVER_REFUSED');
  expect(await site.refusal('/v1/webhook/answers', body, headers)).toBe('APPROVER_REFUSED');
  expect(await site.refusal('/v1/webhook/answers', `{"x":"${'x'.repeat(17_000)}"}`, headers)).toBe('INPUT_TOO_LARGE');
});
