import { describe, expect, it } from 'vitest';
import { answerAll, requestsFor, scriptedSession } from '../../test/support/scripted-session.ts';
import { subscriptions } from './subscriptions.ts';

describe('subscriptions', () => {
  it('asks the session once for what two streams hear, and gives it back once', async () => {
    const session = scriptedSession(answerAll);
    const held = subscriptions(session, 10);
    expect(await Promise.all([held.add('a'), held.add('a')])).toEqual([true, true]);
    await held.remove('a');
    expect([held.has('a'), requestsFor(session, 'resources/unsubscribe').length]).toEqual([true, 0]);
    await held.remove('a');
    await held.remove('a');
    expect([held.has('a'), requestsFor(session, 'resources/unsubscribe').length]).toEqual([false, 1]);
    expect(requestsFor(session, 'resources/subscribe')).toHaveLength(1);
  });

  it('subscribes again only after it gave back', async () => {
    const order: string[] = [];
    const session = scriptedSession(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, request.method === 'resources/unsubscribe' ? 20 : 0));
      order.push(request.method);
      return { kind: 'result', result: {} };
    });
    const held = subscriptions(session, 10);
    await held.add('a');
    const left = held.remove('a');
    await held.add('a');
    await left;
    expect(order).toEqual(['resources/subscribe', 'resources/unsubscribe', 'resources/subscribe']);
    expect(held.has('a')).toBe(true);
  });

  it('holds nothing that was refused or failed, and no more than its number', async () => {
    const refusing = subscriptions(
      scriptedSession((request) => answerAll({ ...request, method: 'unknown' })),
      10,
    );
    expect(await refusing.add('a')).toBe(false);
    const failing = subscriptions(
      scriptedSession(() => Promise.reject(new Error('broken'))),
      10,
    );
    await expect(failing.add('a')).rejects.toThrow('broken');
    expect([refusing.size(), failing.size()]).toEqual([0, 0]);
    const few = subscriptions(scriptedSession(answerAll), 2);
    expect(await Promise.all(['a', 'b', 'c', 'a'].map((uri) => few.add(uri)))).toEqual([...[true, true, false, true]]);
  });
});
