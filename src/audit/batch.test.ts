import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSegment, encodeBatch } from './batch.ts';
import type { Entry } from './entry.ts';
import { payloadOf } from './payload.ts';

const anEntry = (seq: number, text: string, values: readonly string[]): Entry => ({
  seq,
  bytes: Buffer.from(text),
  payloads: values.map((value, at) => payloadOf(`p${at}`, Buffer.from(value))),
});

const anyEntries = fc
  .array(fc.tuple(fc.string(), fc.array(fc.string(), { maxLength: 3 })), { minLength: 1, maxLength: 5 })
  .map((items) => items.map(([text, values], seq) => anEntry(seq + 7, text, values)));

const plain = (entries: readonly Entry[]): unknown =>
  entries.map(({ seq, bytes, payloads }) => [
    seq,
    bytes.toString('hex'),
    payloads.map(({ name, salt, value }) => [name, salt.toString('hex'), value.toString('hex')]),
  ]);

describe('batches', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const { batches, validBytes, broken } = decodeSegment(encodeBatch(entries));
        expect(batches.map(plain)).toEqual([plain(entries)]);
        expect([validBytes, broken]).toEqual([encodeBatch(entries).length, false]);
      }),
    );
  });

  it('are torn, not broken, when the last one is cut at any byte', () => {
    const first = encodeBatch([anEntry(0, 'one', ['a'])]);
    const second = encodeBatch([anEntry(1, 'two', []), anEntry(2, 'three', ['b', 'c'])]);
    for (let kept = 0; kept < second.length; kept++) {
      const { batches, validBytes, broken } = decodeSegment(Buffer.concat([first, second.subarray(0, kept)]));
      expect([batches.length, validBytes, broken], `${kept} bytes kept`).toEqual([1, first.length, false]);
    }
  });

  it('are broken when any bit of one changes and a good one follows', () => {
    const first = encodeBatch([anEntry(0, 'one', ['a'])]);
    const both = Buffer.concat([first, encodeBatch([anEntry(1, 'two', [])])]);
    for (let bit = 0; bit < first.length * 8; bit++) {
      both[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeSegment(both).broken, `bit ${bit}`).toBe(true);
      both[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it('cannot be forged by the text of a payload in a batch that is torn', () => {
    const forged = encodeBatch([anEntry(9, 'forged', [])]).toString('utf8');
    const batch = encodeBatch([anEntry(0, 'one', [forged])]);
    expect(decodeSegment(batch.subarray(0, batch.length - 1)).broken).toBe(false);
  });

  it.each([
    ['nothing', Buffer.alloc(0), false],
    ['zeros', Buffer.alloc(4_096), false],
    ['noise', Buffer.from('ff535001ffffffff00000000', 'hex'), false],
  ])('are not found in %s', (_, data, broken) => {
    expect(decodeSegment(data)).toEqual({ batches: [], validBytes: 0, broken });
  });
});
