import { describe, expect, it } from 'vitest';
import { SallyportError } from '../core/index.ts';
import { newMarks, readMark, resumedStream, type StreamMarks } from './resumed-stream.ts';

const never = new AbortController().signal;
const textOf = (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text();

/** A stream of one piece, which leaves `marks` behind and then ends or breaks. */
function piece(
  text: string,
  marks: StreamMarks,
  left: Partial<StreamMarks>,
  error?: Error,
): ReadableStream<Uint8Array> {
  return ReadableStream.from(
    (async function* () {
      yield Buffer.from(text);
      Object.assign(marks, left);
      if (error !== undefined) throw error;
    })(),
  );
}

const SOON = { lastEventId: 'e1', retryMs: 1 };

describe('a resumed stream', () => {
  it('goes on where it was ended or broke, until its answer came', async () => {
    const marks = newMarks();
    const ids: string[] = [];
    const first = piece('a', marks, SOON);
    const reopen = async (id: string): Promise<ReadableStream<Uint8Array>> => {
      ids.push(id);
      if (ids.length === 1) return piece('b', marks, { lastEventId: 'e2', messages: 1 }, new Error('reset'));
      if (ids.length === 2) throw new Error('not reached');
      return piece('c', marks, { isAnswered: true });
    };
    expect(await textOf(resumedStream(first, { marks, reopen, signal: never }))).toBe('abc');
    expect(ids).toEqual(['e1', 'e2', 'e2']);
  });

  it.each([
    ['has its answer', { isAnswered: true, ...SOON }],
    ['has no event to go on from', { retryMs: 1 }],
  ])('ends when it %s', async (_name, left) => {
    const marks = newMarks();
    const reopen = () => Promise.reject(new SallyportError('SERVER_UNAVAILABLE', 'asked'));
    expect(await textOf(resumedStream(piece('a', marks, left), { marks, reopen, signal: never }))).toBe('a');
  });

  it('ends when the server does not have it, and after 40 tries without a message', async () => {
    const marks = newMarks();
    const gone = resumedStream(piece('a', marks, SOON), { marks, reopen: async () => null, signal: never });
    expect(await textOf(gone)).toBe('a');
    let tries = 0;
    // The wait doubles from a value so small that it stays one.
    const left = { lastEventId: 'e1', retryMs: 1e-12 };
    const reopen = async (): Promise<ReadableStream<Uint8Array>> => {
      tries += 1;
      return piece('', marks, left);
    };
    await textOf(resumedStream(piece('a', marks, left), { marks, reopen, signal: never }));
    expect(tries).toBe(40);
  });

  it('breaks with its signal, with a refusal of ours, and with a first stream that has nothing to go on from', async () => {
    const stop = new AbortController();
    const marks = newMarks();
    const waiting = textOf(
      resumedStream(piece('a', marks, { lastEventId: 'e1', retryMs: 30_000 }), {
        ...{ marks, reopen: async () => null, signal: stop.signal },
      }),
    );
    stop.abort();
    await expect(waiting).rejects.toThrow();
    const refused = new SallyportError('RESULT_TOO_LARGE', 'too much');
    const again = { marks: newMarks(), reopen: async () => null, signal: never };
    await expect(textOf(resumedStream(piece('', again.marks, SOON, refused), again))).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
    });
    const plain = { ...again, marks: newMarks() };
    await expect(textOf(resumedStream(piece('', plain.marks, {}, new Error('reset')), plain))).rejects.toThrow('reset');
  });
});

describe('readMark', () => {
  it.each([
    ['id: e1', { id: 'e1' }],
    ['id:e1', { id: 'e1' }],
    ['id', { id: null }],
    ['id: ', { id: null }],
    ['id: a b', { id: null }],
    ['id: a\u2028b', { id: null }],
    ['id: \u0000', { id: null }],
    [`id: ${'x'.repeat(1_024)}`, { id: 'x'.repeat(1_024) }],
    [`id: ${'x'.repeat(1_025)}`, { id: null }],
    ['retry: 500', { retryMs: 500 }],
    ['retry: 0', { retryMs: 100 }],
    ['retry: 99999999', { retryMs: 30_000 }],
    ['retry: -1', null],
    ['retry: 1e3', null],
    ['retry: 9999999999999999', null],
    ['identity: 1', null],
    [': id: 1', null],
  ])('reads %j', (line, read) => {
    expect(readMark(line)).toEqual(read);
  });
});
