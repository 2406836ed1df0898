import { describe, expect, test } from 'vitest';
import { MAX_TASKS, sessionTasks } from './session-tasks.ts';

const call = (text = '') => ({ server: 's', tool: 'mcp__s__t', arguments: { text } });
const upstream = { upstreamId: 'u', state: null };

describe('sessionTasks', () => {
  test('finds a task by its id until its time is over, an hour at the latest', () => {
    let now = 0;
    const tasks = sessionTasks(() => now);
    const short = tasks.place(call())?.keep(upstream, 1_000);
    const long = tasks.place(call())?.keep(upstream, Number.MAX_SAFE_INTEGER);
    expect(tasks.find(short?.id)).toMatchObject({ upstreamId: 'u', tool: 'mcp__s__t' });
    now = 1_000;
    expect(tasks.find(short?.id)).toBeNull();
    expect(tasks.all()).toEqual([long]);
    now = 3_600_000;
    expect(tasks.all()).toEqual([]);
  });

  test.each(['u', '__proto__', '', null, undefined, 1, {}])('finds nothing by %j', (id) => {
    const tasks = sessionTasks(() => 0);
    tasks.place(call())?.keep(upstream, 1_000);
    expect(tasks.find(id)).toBeNull();
  });

  test('has places for so many tasks, those of calls that still run among them', () => {
    const tasks = sessionTasks(() => 0);
    const places = Array.from({ length: MAX_TASKS }, () => tasks.place(call()));
    expect(tasks.place(call())).toBeNull();
    places[0]?.leave();
    expect(tasks.place(call())).not.toBeNull();
    expect(tasks.all()).toEqual([]);
  });

  test('keeps a place with a task when the call is over', () => {
    const tasks = sessionTasks(() => 0);
    const place = tasks.place(call());
    const task = place?.keep(upstream, 1_000);
    place?.leave();
    expect(tasks.find(task?.id)).toBe(task);
  });

  test('keeps no more arguments than 4 MiB', () => {
    const tasks = sessionTasks(() => 0);
    const large = call('x'.repeat(2_000_000));
    expect([tasks.place(large), tasks.place(large), tasks.place(large)].map((place) => place === null)).toEqual([
      ...[false, false, true],
    ]);
  });
});
