import { expect, test } from 'vitest';
import type { Principal } from '../core/index.ts';
import { openCallHistory } from './call-history.ts';

const principal = (agent: string, session = 's'): Principal => ({
  ...{ tenant: 'local', user: 'u', proof: 'local' },
  agent,
  session,
});

test('counts by principal and tool, whatever the session, for one minute', () => {
  const history = openCallHistory();
  history.add(principal('a', 'one'), 't', 1_000);
  history.add(principal('a', 'two'), 't', 2_000).takeBack();
  history.add(principal('a', 'two'), 't', 3_000);
  expect(history.times(principal('a'), 't', 4_000)).toEqual([1_000, 3_000]);
  expect(history.times(principal('b'), 't', 4_000)).toEqual([]);
  expect(history.times(principal('a'), 'u', 4_000)).toEqual([]);
  expect(history.times(principal('a'), 't', 61_000)).toEqual([3_000]);
});

test('a crowd of callers makes no limit looser: the last ones share a count, and idle ones make room', () => {
  const history = openCallHistory();
  for (let index = 0; index < 4_096; index++) history.add(principal(`a${index}`), 't', 0);
  history.add(principal('late'), 't', 1);
  expect(history.times(principal('later'), 't', 2)).toEqual([1]);
  expect(history.times(principal('a7'), 't', 2)).toEqual([0]);
  expect(history.times(principal('later'), 't', 60_500)).toEqual([]);
  history.add(principal('later'), 't', 60_501);
  expect(history.times(principal('latest'), 't', 60_502)).toEqual([]);
});
