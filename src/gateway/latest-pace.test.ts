import { describe, expect, it } from 'vitest';
import { latestPace } from './latest-pace.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('latestPace', () => {
  it('passes the first at once, the newest while one is on its way, and the last', async () => {
    const passed: number[] = [];
    const pass = async (value: number): Promise<void> => {
      passed.push(value);
      await turn();
    };
    const pace = latestPace(pass, 20);
    for (let value = 0; value < 3_000; value++) pace.push(value);
    await pace.finish();
    pace.push(3_000);
    await turn();
    expect(passed).toEqual([0, 2_999]);
  });

  it('passes so many in a second and no more, but for the last', async () => {
    const passed: number[] = [];
    const clock = { now: 0 };
    const pace = latestPace<number>(
      async (value) => void passed.push(value),
      3,
      () => clock.now,
    );
    for (let value = 0; value < 10; value++) {
      pace.push(value);
      await turn();
    }
    expect(passed).toEqual([0, 1, 2]);
    clock.now = 1_000;
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(passed).toEqual([0, 1, 2, 9]);
    for (const value of [10, 11, 12, 13]) {
      pace.push(value);
      await turn();
    }
    await pace.finish();
    expect(passed).toEqual([0, 1, 2, 9, 10, 11, 13]);
  });
});
