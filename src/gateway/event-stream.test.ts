import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../core/index.ts';
import { strictEvents } from './event-stream.ts';

const limits = { ...DEFAULT_LIMITS, resultBinaryBytes: 1_000 };

async function through(chunks: readonly (string | Uint8Array)[]): Promise<string> {
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      controller.close();
    },
  });
  return new Response(source.pipeThrough(strictEvents(limits))).text();
}

describe('strictEvents', () => {
  it.each([
    ['one event', 'event: message\ndata: {"b":1,"a":2}\n\n', 'event: message\ndata: {"a":2,"b":1}\n\n'],
    ['data over two lines', 'data: {"a":\ndata: 1}\n\n', 'event: message\ndata: {"a":1}\n\n'],
    ['CR LF', 'data: {"a":1}\r\n\r\n', 'event: message\ndata: {"a":1}\n\n'],
    ['CR', 'data: {"a":1}\r\r', 'event: message\ndata: {"a":1}\n\n'],
    [
      'comments, ids and retry times',
      ': ping\nid: 1\nretry: 1\ndata: {"a":1}\n\n',
      'event: message\ndata: {"a":1}\n\n',
    ],
    ['an empty event', 'id: 1\ndata: \n\n', ''],
    ['an event that does not end', 'data: {"a":1}\n', ''],
  ])('rewrites %s', async (_, given, written) => {
    expect(await through([given])).toBe(written);
  });

  it('reads the same wherever the bytes are cut', async () => {
    const bytes = Buffer.from('data: {"ä":"€"}\r\n\r\ndata: {"a":\rdata: 1}\r\r', 'utf8');
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(await through(chunks)).toBe('event: message\ndata: {"ä":"€"}\n\nevent: message\ndata: {"a":1}\n\n');
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['a key twice', ['data: {"a":1,"a":2}\n\n'], 'RESULT_MALFORMED'],
    ['no JSON', ['data: hello\n\n'], 'RESULT_MALFORMED'],
    ['bytes that are no UTF-8', [Uint8Array.of(0xff)], 'RESULT_MALFORMED'],
    ['a line without end', ['data: '.padEnd(600, 'x'), 'x'.repeat(600)], 'RESULT_TOO_LARGE'],
    ['an event without end', Array.from({ length: 200 }, () => 'data: 123\n'), 'RESULT_TOO_LARGE'],
  ])('refuses %s', async (_, chunks, code) => {
    await expect(through(chunks)).rejects.toMatchObject({ code });
  });
});
