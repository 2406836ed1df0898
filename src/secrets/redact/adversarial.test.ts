import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { compileAutomaton } from './automaton.ts';
import { createRedactor } from './index.ts';
import { NeedleIndex } from './needle-index.ts';

const made = (seed: string | number, length = 32) =>
  createHash('sha512').update(`adversarial.test ${seed}`).digest('base64').slice(0, length);
const ME = { tenant: 'me' };
const MEBIBYTE = 1_048_576;

/** A search that steps back in the text, or a chain of failures that is not paid for by units read, would not end here. */
test('scan: needles that are one another’s beginnings and ends, over a mebibyte of the same character', () => {
  const needles = Array.from({ length: 2_000 }, (_, at) => 'a'.repeat(at + 2)).concat(
    Array.from({ length: 2_000 }, (_, at) => `${'a'.repeat(at + 1)}b`),
  );
  const automaton = compileAutomaton(needles);
  const found = new Map<number, number>();
  automaton.scan(`${'a'.repeat(MEBIBYTE)}b`, 0, (_, needle) => {
    const { length } = automaton.needles[needle] ?? '';
    found.set(length, (found.get(length) ?? 0) + 1);
  });
  expect(found.get(2_001)).toBe(MEBIBYTE - 2_000 + 1);
  expect([...found.values()].reduce((sum, count) => sum + count, 0)).toBe(MEBIBYTE);
});

test('redactText: a text that is nothing but values, which overlap', () => {
  const value = made('round', 24);
  const redactor = createRedactor();
  redactor.add('one', '1', `${value}${value.slice(0, 12)}`, 'me');
  redactor.add('two', '1', `${value.slice(12)}${value}`, 'me');
  const { text, hits, withheld } = redactor.redactText(value.repeat(40_000), ME);
  expect(withheld).toBe(false);
  expect(text.length).toBeLessThan(100);
  expect(hits.length).toBeLessThanOrEqual(256);
});

test('stream: a text that is nothing but the beginning of a value, in single characters', () => {
  const redactor = createRedactor();
  const value = made('stream', 64);
  redactor.add('key', '1', value, 'me');
  const stream = redactor.stream(ME);
  const text = value.slice(0, 63).repeat(4_000);
  let out = '';
  for (const unit of text) out += stream.write(unit);
  expect(out + stream.end()).toBe(text);
});

test('redactText: three thousand secrets that come one by one between searches, and go again', () => {
  const redactor = createRedactor();
  for (let at = 0; at < 3_000; at++) {
    redactor.add(`n${at}`, '1', made(at, 20), 'me');
    if (at % 10 === 0) expect(redactor.redactText(`- ${made(at, 20)} -`, ME).text).toBe(`- [redacted:n${at}] -`);
  }
  const dump = Array.from({ length: 3_000 }, (_, at) => `${at}=${made(at, 20)}`).join('\n');
  const { text } = redactor.redactText(dump, ME);
  expect(text).toBe(Array.from({ length: 3_000 }, (_, at) => `${at}=[redacted:n${at}]`).join('\n'));
  expect(redactor.size.bytes).toBeLessThan(redactor.size.length * 16 + MEBIBYTE);
  for (let at = 0; at < 3_000; at++) redactor.remove(`n${at}`, '1', 'me');
  expect(redactor.redactText(dump, ME).text).toBe(dump);
  expect(redactor.size).toMatchObject({ secrets: 0, length: 0, bytes: 0 });
});

test('NeedleIndex: keeps a logarithmic number of layers, and one after enough was read', () => {
  const index = new NeedleIndex<number>();
  for (let at = 0; at < 1_000; at++) {
    index.add(made(at), at);
    expect(index.layers(0).length).toBeLessThanOrEqual(1 + Math.ceil(Math.log2(at + 1)));
  }
  expect(index.layers(100 * MEBIBYTE).length).toBeGreaterThan(1);
  expect(index.layers(0)).toHaveLength(1);
});

test('deep: a text that is nothing but blobs is read up to the limits, and the answer says so', () => {
  const redactor = createRedactor();
  redactor.add('key', '1', made('deep'), 'me');
  const blobs = Array.from({ length: 20_000 }, (_, at) => made(`blob ${at}`)).join(' ');
  expect(redactor.redactText(blobs, { ...ME, deep: true })).toMatchObject({ text: blobs, complete: false });
});

test.each(['\x1b]', '<!--', '\\u', '%2', '&#', '\\\\', '0x', ', ', '\x1b['])(
  'deep: comes to an end on a mebibyte of %j',
  (piece) => {
    const redactor = createRedactor();
    redactor.add('key', '1', made('deep'), 'me');
    const text = piece.repeat(MEBIBYTE / 2);
    expect(redactor.redactText(text, { ...ME, deep: true }).text).toBe(text);
  },
);
