import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/index.ts';
import { DEFAULT_CLIENT_LIMITS } from './client-limits.ts';
import { type NoticesOptions, pacedNotices } from './notices.ts';

function paced(options: Partial<NoticesOptions> = {}): { sent: JsonObject[] } & ReturnType<typeof pacedNotices> {
  const sent: JsonObject[] = [];
  const send = async (message: JsonObject): Promise<void> => void sent.push(message);
  const { signal } = new AbortController();
  const given = { send, signal, limits: DEFAULT_CLIENT_LIMITS, keepLast: true, now: () => 0, ...options };
  return { sent, ...pacedNotices(given) };
}

describe('pacedNotices', () => {
  it('passes 100 on within a second, and the last of the rest at the end', async () => {
    const { sent, push, finish } = paced();
    for (let progress = 1; progress <= 10_000; progress++) await push({ progress });
    expect(sent).toHaveLength(100);
    await finish();
    expect(sent.map(({ progress }) => progress).slice(-2)).toEqual([100, 10_000]);
  });

  it('passes 1,000 on in all, the last included, however long it takes', async () => {
    let time = 0;
    const { sent, push, finish } = paced({ now: () => (time += 1_000) });
    for (let progress = 1; progress <= 5_000; progress++) await push({ progress });
    await finish();
    expect(sent).toHaveLength(1_000);
    expect(sent.at(-1)).toEqual({ progress: 5_000 });
  });

  it('passes nothing on after the end, and keeps nothing where it need not', async () => {
    const { sent, push, finish } = paced({ keepLast: false });
    for (let progress = 1; progress <= 200; progress++) await push({ progress });
    await finish();
    await push({ progress: 201 });
    await finish();
    expect(sent).toHaveLength(100);
  });

  it('drops what is too large, and everything beyond the bytes of one request', async () => {
    const limits = { ...DEFAULT_CLIENT_LIMITS, noticeBytes: 100, noticeBytesPerRequest: 200 };
    const { sent, push } = paced({ limits });
    await push({ message: 'x'.repeat(100) });
    for (let count = 0; count < 10; count++) await push({ message: 'x'.repeat(60) });
    expect(sent).toHaveLength(2);
  });

  it('says nothing more about a request that was cancelled', async () => {
    const stop = new AbortController();
    const { sent, push, finish } = paced({ signal: stop.signal });
    for (let progress = 1; progress <= 200; progress++) await push({ progress });
    stop.abort();
    await push({ progress: 201 });
    await finish();
    expect(sent).toHaveLength(100);
  });

  it('stops when the client is gone', async () => {
    let tried = 0;
    const { push, finish } = paced({
      send: async () => {
        tried += 1;
        throw new Error('gone');
      },
    });
    for (let count = 0; count < 10; count++) await push({});
    await finish();
    expect(tried).toBe(1);
  });
});
