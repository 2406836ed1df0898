import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from './journal.ts';
import { SpentKeys } from './spent-keys.ts';

let folder: string;
let journal: Journal;
let now: number;
const clock = { now: () => now, mono: () => 0 };
const HOUR = 3_600_000;
beforeEach(async () => {
  now = 10 * HOUR;
  folder = mkdtempSync(join(tmpdir(), 'sallyport-spent-'));
  journal = await Journal.open(join(folder, 'journal'));
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true });
});

test('of many who claim a key at once one gets it', async () => {
  const spent = new SpentKeys(journal, clock);
  const claims = await Promise.all(Array.from({ length: 50 }, () => spent.claim('nonce', 'k', now + 1_000)));
  expect(claims.filter(Boolean)).toHaveLength(1);
  expect(await spent.claim('grant', 'k', now + 1_000)).toBe(true);
});

test('a space and a key cannot be made to look like another pair', async () => {
  const spent = new SpentKeys(journal, clock);
  expect(await spent.claim('a', 'b/c', now + 1_000)).toBe(true);
  expect(await spent.claim('a/b', 'c', now + 1_000)).toBe(true);
  expect(await spent.claim('a","b', 'c', now + 1_000)).toBe(true);
});

test('no expiry and no step of the clock makes a spent key usable again', async () => {
  let spent = new SpentKeys(journal, clock);
  const expiry = now + 1_000;
  expect(await spent.claim('nonce', 'k', expiry)).toBe(true);
  expect(await spent.claim('nonce', 'k', now - 1)).toBe(false);
  expect(await spent.claim('nonce', 'k', expiry + HOUR)).toBe(false);
  now += 5 * HOUR;
  // Enough claims that the old key is forgotten, in memory and in the file.
  await Promise.all(Array.from({ length: 10_001 }, (_, at) => spent.claim('nonce', `n${at}`, now + HOUR)));
  expect([...journal.entries()].some(([name]) => name.includes('"k"'))).toBe(false);
  now -= 5 * HOUR;
  expect(await spent.claim('nonce', 'k', expiry)).toBe(false);
  spent = new SpentKeys(journal, clock);
  expect(await spent.claim('nonce', 'k', expiry)).toBe(false);
  expect(await spent.claim('nonce', 'fresh', expiry + 1)).toBe(true);
});

test('what has expired is not accepted, and neither is what is no time', async () => {
  const spent = new SpentKeys(journal, clock);
  expect(await spent.claim('nonce', 'k', now)).toBe(false);
  await expect(spent.claim('nonce', 'k', Number.NaN)).rejects.toMatchObject({ code: 'INPUT_NUMBER_RANGE' });
  await expect(spent.claim('nonce', 'x'.repeat(2_000), now + 1)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' });
});
