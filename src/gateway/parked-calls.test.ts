import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/index.ts';
import { createParking } from './parked-calls.ts';

const never = new AbortController().signal;
const H = { holder: 'h', share: 's' };

describe('a parked call', () => {
  it('asks, waits for the answer, and goes on', async () => {
    const parking = createParking();
    const call = parking.begin(H, async (ask, signal) => {
      const one = await ask({ method: 'elicitation/create', params: { n: 1 } }, signal);
      const two = await ask({ method: 'elicitation/create', params: { n: 2 } }, signal);
      return { one, two };
    });
    expect(await call.next(never)).toEqual({
      kind: 'question',
      question: { method: 'elicitation/create', params: { n: 1 } },
    });
    const again = parking.take('h', call.id);
    again?.answer({ a: 1 });
    expect(await again?.next(never)).toMatchObject({ kind: 'question', question: { params: { n: 2 } } });
    again?.answer({ a: 2 });
    expect(await again?.next(never)).toEqual({ kind: 'result', result: { one: { a: 1 }, two: { a: 2 } } });
    expect(parking.take('h', call.id)).toBeNull();
  });

  it('is its holder’s only', async () => {
    const parking = createParking();
    const call = parking.begin(H, (ask, signal) => ask({ method: 'roots/list', params: {} }, signal));
    await call.next(never);
    expect(parking.take('other', call.id)).toBeNull();
    call.abandon();
  });

  it('ends when it is abandoned, when its holder goes, and when the round is cancelled', async () => {
    const parking = createParking();
    const ended: string[] = [];
    const begin = (name: string) =>
      parking.begin(H, async (ask, signal): Promise<JsonObject> => {
        signal.addEventListener('abort', () => ended.push(name));
        return ask({ method: 'roots/list', params: {} }, signal);
      });
    const first = begin('first');
    await first.next(never);
    first.abandon();
    await expect(first.next(never)).rejects.toThrow();
    const second = begin('second');
    await second.next(never);
    parking.release('h');
    await expect(second.next(never)).rejects.toThrow();
    const third = begin('third');
    await third.next(never);
    third.answer({});
    const fourth = parking.begin(
      H,
      (_ask, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled')))),
    );
    const cancel = new AbortController();
    const waiting = fourth.next(cancel.signal);
    cancel.abort(new Error('client left'));
    await expect(waiting).rejects.toThrow('cancelled');
    expect(ended).toEqual(['first', 'second']);
  });

  it('is there for its holder although its request ended while its question was open', async () => {
    const parking = createParking();
    const call = parking.begin(H, async (ask, signal) => {
      void ask({ method: 'roots/list', params: {} }, signal).catch(() => undefined);
      return { late: true };
    });
    const first = await call.next(never);
    const step = first.kind === 'question' ? await parking.take('h', call.id)?.next(never) : first;
    expect(step).toEqual({ kind: 'result', result: { late: true } });
    expect(parking.take('h', call.id)).toBeNull();
  });

  it('counts while its question is open, and for its share', async () => {
    const parking = createParking();
    const asking = (share: string) =>
      parking.begin({ holder: 'h', share }, (ask, signal) => ask({ method: 'roots/list', params: {} }, signal));
    for (let running = 0; running < 300; running++) parking.begin(H, () => new Promise(() => undefined));
    const open = Array.from({ length: 32 }, () => asking('evil'));
    for (const call of open) expect(await call.next(never)).toMatchObject({ kind: 'question' });
    const refused = { code: 'SERVER_UNAVAILABLE' };
    await expect(asking('evil').next(never)).rejects.toMatchObject(refused);
    expect(await asking('other').next(never)).toMatchObject({ kind: 'question' });
    open[0]?.answer({});
    expect(await open[0]?.next(never)).toMatchObject({ kind: 'result' });
    open[1]?.abandon();
    for (const call of [asking('evil'), asking('evil')])
      expect(await call.next(never)).toMatchObject({ kind: 'question' });
    await expect(asking('evil').next(never)).rejects.toMatchObject(refused);
    for (let share = 0; share < 7; share++)
      for (let index = 0; index < 32; index++)
        void asking(`${share}`)
          .next(never)
          .catch(() => undefined);
    await expect(asking('late').next(never)).rejects.toMatchObject(refused);
  });

  it('fails as its request does', async () => {
    const call = createParking().begin(H, async () => Promise.reject(new Error('broken')));
    await expect(call.next(never)).rejects.toThrow('broken');
  });
});
