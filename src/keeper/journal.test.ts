import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from './journal.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-journal-'));
  file = join(folder, 'journal');
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = async (): Promise<[string, unknown][]> => {
  const journal = await Journal.open(file);
  const entries = [...journal.entries()];
  await journal.close();
  return entries;
};

test('what was put is there after reopening, in the order of the last change, and only its owner reads it', async () => {
  const journal = await Journal.open(file);
  await Promise.all([journal.put('a', 1), journal.put('b', { x: [1] }), journal.put('a', 2), journal.put('c', 3)]);
  await journal.delete('c');
  await journal.close();
  expect(await read()).toEqual([
    ['b', { x: [1] }],
    ['a', 2],
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await expect(journal.put('d', 4)).rejects.toMatchObject({ code: 'AUDIT_WRITE_FAILED' });
});

test.each(['{"name":"b","value', '{"name":"b","value":2', '\u0000\u0000\u0000\n', '{"name":7}\n'])(
  'the torn end %j is dropped',
  async (end) => {
    writeFileSync(file, '{"name":"a","value":1}\n');
    appendFileSync(file, end);
    expect(await read()).toEqual([['a', 1]]);
    expect(readFileSync(file, 'utf8')).toBe('{"name":"a","value":1}\n');
  },
);

test('damage before a good line is no crash: it does not open', async () => {
  writeFileSync(file, '{"name":"a","value":1\n{"name":"b","value":1}\n');
  await expect(Journal.open(file)).rejects.toMatchObject({ code: 'AUDIT_CORRUPT' });
});

test('the file does not grow with changes of the same names', async () => {
  const journal = await Journal.open(file);
  for (let round = 0; round < 30; round++) {
    await Promise.all(Array.from({ length: 1_000 }, (_, at) => journal.put(`n${at % 10}`, round)));
  }
  await journal.close();
  expect(statSync(file).size).toBeLessThan(15_000 * 25);
  expect((await read()).map(([, value]) => value)).toEqual(Array(10).fill(29));
});
