import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/index.ts';
import { connectUpstream, type UpstreamConnection } from '../../src/gateway/upstream-connection.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { hostile, listeningServer, NO_ACTIONS, serverRule, startIn } from '../e2e/stand.ts';

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function connect(rule: ServerRule): Promise<UpstreamConnection> {
  const connection = await connectUpstream(rule, { start: startIn(tmpdir()), version: '0', limits: DEFAULT_LIMITS });
  ended.push(() => connection.close());
  return connection;
}

async function remote(mode: string, rule: Partial<ServerRule> = {}): Promise<UpstreamConnection> {
  const server = await listeningServer('hostile-http.mjs', mode);
  ended.push(() => server.close());
  return connect(serverRule('remote', { url: server.url, ...rule }));
}

const outcomeOf = (connection: UpstreamConnection): Promise<unknown> =>
  connection.request('tools/call', { name: 'echo', arguments: {} }).then(
    (result) => result,
    (error: { code?: unknown }) => error.code,
  );

/** Runs `act`; how many bytes of memory the process had more at most, looked at all the time. */
async function peakOf(act: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 10);
  await act();
  clearInterval(timer);
  return peak - before;
}

describe('a server process [T1.8]', () => {
  it.each(['partial', 'orphan'])('that ends in the middle of its answer (%s) ends the call', async (mode) => {
    const connection = await connect(hostile(mode));
    expect(await outcomeOf(connection)).toBe('SERVER_UNAVAILABLE');
    expect(await connection.over).toMatchObject({ code: 'SERVER_UNAVAILABLE' });
  });

  it('that answers with 1 GiB is stopped, and costs little memory', async () => {
    const connection = await connect(hostile('giant'));
    const peak = await peakOf(async () => expect(await outcomeOf(connection)).toBe('RESULT_TOO_LARGE'));
    expect(peak).toBeLessThan(256 * 1_048_576);
  });

  it('that floods its standard error is drained and counted', async () => {
    const connection = await connect(hostile('flood-stderr'));
    expect(await outcomeOf(connection)).toMatchObject({ content: [{ text: 'still here' }] });
    const all = 1_024 * 65_536;
    for (let round = 0; round < 1_000 && connection.errorBytes() < all; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(connection.errorBytes()).toBe(all);
  });

  it('cannot pass its words off as ours', async () => {
    const connection = await connect(hostile('forged-error'));
    expect(await outcomeOf(connection)).toBe(-32_050);
  });

  it('has at most 16 questions open', async () => {
    const actions = { ...NO_ACTIONS, elicitation: { id: 'servers.hostile' } };
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-questions-'));
    ended.push(() => rm(folder, { recursive: true }));
    const refused = join(folder, 'refused');
    const connection = await connect(hostile('many-questions', refused, { actions }));
    const waiting: (() => void)[] = [];
    connection.onQuestion(async () => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return { action: 'decline' };
    });
    const answer = outcomeOf(connection);
    // None is answered before all have been asked: a place that becomes free is taken by the next.
    await expect.poll(() => readFile(refused, 'utf8').catch(() => ''), { timeout: 60_000 }).toBe('24');
    for (const answered of waiting) answered();
    expect(await answer).toMatchObject({ content: [{ text: '24' }] });
    expect(waiting).toHaveLength(16);
  });

  it('may not answer with more than its rule says, but for its definitions', async () => {
    const connection = await connect(hostile('plain', '', { maxOutput: 20 }));
    expect(await outcomeOf(connection)).toBe('RESULT_TOO_LARGE');
    expect((await connection.definitions()).tools).toHaveLength(1);
    expect(connection.isOpen()).toBe(true);
  });
});

describe('a remote server [T1.8]', () => {
  it.each(['giant-json', 'giant-events'])('that answers with 1 GiB (%s) costs little memory', async (mode) => {
    const connection = await remote(mode);
    const peak = await peakOf(async () => expect(await outcomeOf(connection)).toBe('RESULT_TOO_LARGE'));
    expect(peak).toBeLessThan(384 * 1_048_576);
  });

  it.each(['drip', 'headers'])('that never comes to an end (%s) ends with the time of the call', async (mode) => {
    const connection = await remote(mode, { timeoutMs: 500 });
    expect(await outcomeOf(connection)).toBe('TOOL_TIMEOUT');
    expect(connection.isOpen()).toBe(false);
  });

  it('that sends 100,000 comments is left', async () => {
    const connection = await remote('comments');
    expect(await outcomeOf(connection)).toBe('RESULT_TOO_LARGE');
    expect(connection.isOpen()).toBe(false);
  });

  it.each(['half', 'silent'])('that ends its stream before its answer (%s) ends the call at once', async (mode) => {
    const connection = await remote(mode);
    expect(await outcomeOf(connection)).toBe('SERVER_UNAVAILABLE');
  });

  it('that has forgotten the session is connected anew', async () => {
    const connection = await remote('gone');
    expect(await outcomeOf(connection)).toBe('SERVER_UNAVAILABLE');
    expect(connection.isOpen()).toBe(false);
  });
});
