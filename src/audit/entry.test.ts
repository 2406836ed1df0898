import * as crypto from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type JsonValue } from '../core/index.ts';
import { composeEntry, ENTRY_BYTES, parseRecord } from './entry.ts';
import type { RecordDraft } from './record.ts';
import { skimRecord, skimSource } from './skim-record.ts';

const stamp = { seq: 5, time: '2026-11-24T18:00:00.000Z', mono: 12, boot: 'boot_1', writer: 'test:1' };
const compose = (draft: RecordDraft): ReturnType<typeof composeEntry> => composeEntry(draft, stamp);

describe('composeEntry', () => {
  it('writes canonical bytes', () => {
    expect(compose({ type: 'intent', tool: 'file_read', facts: { b: 1, a: 2 } }).bytes.toString()).toBe(
      '{"boot":"boot_1","facts":{"a":2,"b":1},"mono":12,"seq":5,"time":"2026-11-24T18:00:00.000Z","tool":"file_read",' +
        '"type":"intent","v":1,"writer":"test:1"}',
    );
  });

  it('commits to each payload under a salt of its own and keeps the value out of the record', () => {
    const { bytes, payloads } = compose({ type: 'intent', payloads: { b: 'secret', a: 'secret' } });
    const { commitments } = parseRecord(bytes);
    expect(payloads.map(({ name }) => name)).toEqual(['a', 'b']);
    for (const { name, salt, value } of payloads) {
      const hmac = crypto.createHmac('sha256', salt).update(value).digest('hex');
      expect([value.toString(), salt.length, commitments?.[name]]).toEqual(['"secret"', 32, `hmac-sha256:${hmac}`]);
    }
    expect(commitments?.['a']).not.toBe(commitments?.['b']);
    expect(bytes.includes('secret')).toBe(false);
  });

  it('lets no draft say what the log says', () => {
    const smuggled = {
      type: 'intent',
      seq: 1,
      v: 2,
      boot: 'x',
      writer: 'x',
      mono: 1,
      time: 'x',
      commitments: { a: 'x' },
    };
    const record = parseRecord(compose(smuggled as unknown as RecordDraft).bytes);
    expect(record).toEqual({ ...stamp, v: 1, type: 'intent' });
  });

  it.each([
    ['a record over 65,535 bytes', { type: 'intent', reason: 'x'.repeat(ENTRY_BYTES) }, 'AUDIT_ENTRY_TOO_LARGE'],
    ['one that grows by its escapes', { type: 'intent', reason: '\u0001'.repeat(11_000) }, 'AUDIT_ENTRY_TOO_LARGE'],
    ['17 payloads', { type: 'intent', payloads: Object.fromEntries(letters(17)) }, 'AUDIT_ENTRY_TOO_LARGE'],
    ['a function', { type: 'intent', detail: { f: () => 1 } }, 'INPUT_NOT_JSON'],
    ['a lone surrogate', { type: 'intent', reason: '\ud800' }, 'INPUT_LONE_SURROGATE'],
    ['a payload that is no JSON', { type: 'intent', payloads: { a: Number.NaN } }, 'INPUT_NUMBER_RANGE'],
    ['a payload name with a slash', { type: 'intent', payloads: { 'a/b': 1 } }, 'INTERNAL'],
  ])('refuses %s', (_, draft, code) => {
    expect(() => compose(draft as unknown as RecordDraft)).toThrow(expect.objectContaining({ code }));
  });

  it('takes a record of exactly 65,535 bytes', () => {
    const empty = compose({ type: 'intent', reason: '' }).bytes.length;
    expect(compose({ type: 'intent', reason: 'x'.repeat(ENTRY_BYTES - empty) }).bytes).toHaveLength(ENTRY_BYTES);
  });
});

function letters(count: number): [string, number][] {
  return Array.from({ length: count }, (_, at) => [String.fromCharCode(97 + at), at]);
}

describe('parseRecord', () => {
  const good = JSON.parse(compose({ type: 'intent' }).bytes.toString()) as Record<string, JsonValue>;
  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['another version', canonicalJson({ ...good, v: 2 })],
    ['an unknown type', canonicalJson({ ...good, type: 'party' })],
    ['a fractional number', canonicalJson({ ...good, seq: 1.5 })],
    ['a reason that is no text', canonicalJson({ ...good, reason: ['\u001b[31m'] })],
    ['commitments that are a list', canonicalJson({ ...good, commitments: [] })],
  ])('refuses %s', (_, text) => {
    expect(() => parseRecord(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'AUDIT_CORRUPT' }));
  });
});

describe('skimRecord', () => {
  const anyKey = fc.string().filter((key) => key !== '__proto__');
  const anyDraft = fc.record(
    {
      type: fc.constantFrom('intent', 'admitted', 'outcome', 'heartbeat'),
      session: fc.oneof(
        fc.string(),
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      ),
      tool: fc.string(),
      decision: fc.constantFrom('allow', 'deny'),
      intentSeq: fc.nat(),
      reason: fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', ':', 'é', '"type":"shutdown"') }),
      detail: fc.dictionary(
        anyKey,
        fc.anything({ key: anyKey, values: [fc.string(), fc.integer(), fc.constant(null)] }),
      ),
    },
    { requiredKeys: ['type'] },
  );

  it('says what JSON.parse says, or nothing', () => {
    let skimmed = 0;
    fc.assert(
      fc.property(anyDraft, (draft) => {
        const { bytes } = compose(draft as RecordDraft);
        const padded = Buffer.concat([Buffer.from('{"'), bytes, Buffer.from('"}')]);
        const found = skimRecord(skimSource(padded), 2, padded.length - 2);
        if (found === null) return;
        skimmed += 1;
        const { commitments: _, ...fields } = found;
        expect(parseRecord(bytes)).toMatchObject(
          Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)),
        );
        for (const [key, value] of Object.entries(fields))
          if (value === undefined) expect(draft).not.toHaveProperty(key);
      }),
      { numRuns: 500 },
    );
    expect(skimmed).toBeGreaterThan(100);
  });

  it('never throws and never reads past the end', () => {
    const { bytes } = compose({ type: 'intent', session: 's', detail: { a: ['\\"', {}] } });
    for (let end = 0; end < bytes.length; end++)
      expect(skimRecord(skimSource(bytes), 0, end), `${end} bytes`).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array(), (noise) => skimRecord(skimSource(Buffer.from(noise)), 0, noise.length) === null),
    );
  });
});
