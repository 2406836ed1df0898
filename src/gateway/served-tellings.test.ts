import { expect, it } from 'vitest';
import { readLog } from './served-tellings.ts';

it('reads the known fields of a log message, and none of one that nobody would be told', () => {
  expect(readLog({ level: 'info', data: 'a', _meta: {} })).toEqual({ level: 'info', data: 'a' });
  expect(readLog({ level: 'info', data: 'a'.repeat(65_000) })).not.toBeNull();
  expect(readLog({ level: 'info', data: 'a'.repeat(65_536) })).toBeNull();
});
