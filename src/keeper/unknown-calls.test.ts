import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { UnknownCalls } from './index.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sallyport-unknown-'));
});
afterEach(() => rmSync(state, { recursive: true }));

const worker = { user: 'ann', agent: 'worker' };
const other = { user: 'ann', agent: 'other' };
const calls = (first: number, count: number, principal: { user: string; agent: string } = worker) =>
  Array.from({ length: count }, (_, at) => ({
    intentSeq: 2 * (first + at),
    admittedSeq: 2 * (first + at) + 1,
    principal,
  }));

test('what a disk does not take whole leaves the list as it was', () => {
  new UnknownCalls(state).add(calls(0, 10));
  const before = readFileSync(join(state, 'unknown.json'), 'utf8');
  // A limit of the size of a file cuts a write short like a disk that is nearly full.
  const script = `
    const { UnknownCalls } = await import(${JSON.stringify(new URL('../../dist/keeper/index.js', import.meta.url).href)});
    const calls = Array.from({ length: 2000 }, (_, at) => ({ intentSeq: at + 1000, admittedSeq: at + 5000 }));
    try { new UnknownCalls(process.argv[1]).add(calls); console.log('added'); } catch (error) { console.log(error.code); }`;
  const words = ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script, state];
  const { stdout } = spawnSync('sh', words, { encoding: 'utf8' });
  expect(stdout.trim()).toBe('STATE_UNWRITABLE');
  expect(readdirSync(state)).toEqual(['unknown.json']);
  expect(readFileSync(join(state, 'unknown.json'), 'utf8')).toBe(before);
  expect(new UnknownCalls(state).list()).toHaveLength(10);
});

test('a list of before, without principals, is read; one that is cut is not', () => {
  writeFileSync(join(state, 'unknown.json'), '[{"intentSeq":1,"admittedSeq":2}]');
  expect(new UnknownCalls(state).list()).toEqual([{ intentSeq: 1, admittedSeq: 2, who: '', scope: 'call' }]);
  writeFileSync(join(state, 'unknown.json'), '[{"intentSeq":1,"admi');
  try {
    new UnknownCalls(state).list();
  } catch (error) {
    expect(isSallyportError(error, 'AUDIT_CORRUPT')).toBe(true);
    return;
  }
  expect.unreachable();
});

test('beyond the cap of a principal, one entry stands for every call of it', () => {
  const unknown = new UnknownCalls(state);
  unknown.add(calls(0, 4_096));
  expect(unknown.coversAll(worker)).toBe(false);
  unknown.add(calls(4_096, 3));
  expect(unknown.list()).toHaveLength(4_097);
  const again = new UnknownCalls(state);
  expect([again.coversAll(worker), again.coversAll(other)]).toEqual([true, false]);
  expect(again.remove(2 * 4_096 + 1)).toBe(true);
  expect(again.coversAll(worker)).toBe(false);
});

test('beyond the cap of all together, one entry stands for everyone, and the list grows no more', () => {
  const unknown = new UnknownCalls(state);
  const many = (group: number) => calls(group * 10_000, 4_000, { user: 'ann', agent: `agent-${group}` });
  for (let group = 0; group < 5; group++) unknown.add(many(group));
  expect(unknown.coversAll(other)).toBe(true);
  expect(unknown.list()).toHaveLength(16_385);
  const { size } = statSync(join(state, 'unknown.json'));
  unknown.add(many(6));
  expect(statSync(join(state, 'unknown.json')).size).toBe(size);
});
