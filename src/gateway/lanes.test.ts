import { describe, expect, it } from 'vitest';
import { createLanes, type Lane, type LaneRequest, laneHolders } from './lanes.ts';

const never = new AbortController().signal;
const wanted = (more: Partial<LaneRequest> = {}): LaneRequest => ({
  ...{ server: 's', holder: 'h', signal: never, abandon: () => undefined },
  ...more,
});

/** A question that stays open until `answer` is called. */
function park(lane: Lane): { readonly answer: () => Promise<void> } {
  let resolve: () => void = () => undefined;
  const done = lane.whileParked(() => new Promise<void>((answered) => (resolve = answered)));
  return {
    answer: async () => {
      resolve();
      await done;
    },
  };
}

/** Whether a promise settles within a few turns of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('lanes', () => {
  it('lets one request run at a time, over the holder itself', async () => {
    const lanes = createLanes();
    const first = await lanes.enter(wanted());
    expect(first.holder).toBe('h');
    const second = lanes.enter(wanted());
    expect(await isSettled(second)).toBe(false);
    first.leave();
    expect((await second).holder).toBe('h');
  });

  it('opens the next lane while a request waits for an answer, and only then', async () => {
    const lanes = createLanes();
    const first = await lanes.enter(wanted());
    const waiting = lanes.enter(wanted());
    const question = park(first);
    const second = await waiting;
    expect(second.holder).toBe(laneHolders('h')[1]);
    const third = lanes.enter(wanted());
    expect(await isSettled(third)).toBe(false);
    await question.answer();
    second.leave();
    // The first runs again: one that runs is enough.
    expect(await isSettled(third)).toBe(false);
    first.leave();
    expect((await third).holder).toBe('h');
  });

  it('counts a request as parked until its last question is answered', async () => {
    const lanes = createLanes();
    const first = await lanes.enter(wanted());
    const [one, two] = [park(first), park(first)];
    await one.answer();
    (await lanes.enter(wanted())).leave();
    await two.answer();
    expect(await isSettled(lanes.enter(wanted()))).toBe(false);
  });

  it('abandons the request that has waited longest for an answer when every lane is parked, one for each that comes', async () => {
    const lanes = createLanes();
    const abandoned: number[] = [];
    const taken: Lane[] = [];
    for (let count = 0; count < 4; count++) {
      taken.push(await lanes.enter(wanted({ abandon: () => abandoned.push(count) })));
      if (count < 3) park(taken[count] as Lane);
    }
    expect(taken.map(({ holder }) => holder)).toEqual(laneHolders('h'));
    const [fifth, sixth] = [lanes.enter(wanted()), lanes.enter(wanted())];
    expect(await isSettled(fifth)).toBe(false);
    park(taken[3] as Lane);
    expect(abandoned).toEqual([0]);
    expect(await isSettled(fifth)).toBe(false);
    expect(abandoned).toEqual([0]);
    taken[0]?.leave();
    expect((await fifth).holder).toBe('h');
    expect(await isSettled(sixth)).toBe(false);
    expect(abandoned).toEqual([0]);
    (await fifth).leave();
    expect((await sixth).holder).toBe('h');
  });

  it('keeps holders and servers apart', async () => {
    const lanes = createLanes();
    await lanes.enter(wanted());
    expect((await lanes.enter(wanted({ holder: 'other' }))).holder).toBe('other');
    expect((await lanes.enter(wanted({ server: 't' }))).holder).toBe('h');
  });

  it('ends a wait with its signal, and the others go on', async () => {
    const lanes = createLanes();
    const first = await lanes.enter(wanted());
    const stop = new AbortController();
    const gone = lanes.enter(wanted({ signal: stop.signal }));
    const next = lanes.enter(wanted());
    stop.abort(new Error('left'));
    await expect(gone).rejects.toThrow('left');
    await expect(lanes.enter(wanted({ signal: stop.signal }))).rejects.toThrow('left');
    first.leave();
    first.leave();
    expect((await next).holder).toBe('h');
  });
});
