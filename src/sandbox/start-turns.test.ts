import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { openStartTurns } from './start-turns.ts';

/** Starts that end when they are told. */
function makeStarts() {
  const begun: number[] = [];
  const ends = new Map<number, (error?: Error) => void>();
  const start = (name: number) => (): Promise<number> => {
    begun.push(name);
    return new Promise((resolve, reject) => {
      ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error)));
    });
  };
  return { begun, start, end: (name: number, error?: Error) => ends.get(name)?.(error) };
}

const most = availableParallelism();
/** More than what may go on. */
const names = Array.from({ length: most + 3 }, (_, index) => index);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns of starts', () => {
  test('let so many go on for each core, and the next one when one ends or fails, in order', async () => {
    const turns = openStartTurns(1);
    const { begun, start, end } = makeStarts();
    const all = names.map((name) => turns.run(start(name)).catch((error: Error) => error.message));
    await settled();
    expect(begun).toEqual(names.slice(0, most));
    end(0, new Error('failed'));
    await settled();
    expect(begun).toEqual(names.slice(0, most + 1));
    for (const name of names) {
      end(name);
      await settled();
    }
    expect(await Promise.all(all)).toEqual(['failed', ...names.slice(1)]);
    // All turns are free again, and none more than there were.
    void names.map((name) => turns.run(start(name)));
    await settled();
    expect(begun).toEqual([...names, ...names.slice(0, most)]);
  });

  test('lose nobody when one who waits gives up: it never starts', async () => {
    const turns = openStartTurns(1);
    const { begun, start, end } = makeStarts();
    const giveUp = new AbortController();
    const all = names.map((name) => turns.run(start(name), name === most ? giveUp.signal : undefined));
    await settled();
    giveUp.abort(new Error('given up'));
    await expect(all[most]).rejects.toThrow('given up');
    for (const name of names) {
      end(name);
      await settled();
    }
    await Promise.allSettled(all);
    expect(begun).toEqual(names.filter((name) => name !== most));
    await expect(turns.run(start(99), giveUp.signal)).rejects.toThrow('given up');
  });

  test('that are closed send everybody away who waits or comes', async () => {
    const turns = openStartTurns(1);
    const { begun, start, end } = makeStarts();
    const all = names.map((name) => turns.run(start(name)));
    await settled();
    turns.close();
    for (const one of all.slice(most)) await expect(one).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
    for (const name of names) end(name);
    expect(await Promise.all(all.slice(0, most))).toEqual(names.slice(0, most));
    await expect(turns.run(start(99))).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
    expect(begun).toEqual(names.slice(0, most));
  });
});
