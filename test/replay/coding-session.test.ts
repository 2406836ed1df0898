import { expect, test } from 'vitest';
import { readSession, replay } from './replay.mjs';

const MOST_PER_HUNDRED = 7;

test('a recorded coding session asks at most 7 times in 100 calls under the ready-made policy, each yes for one call', async () => {
  const session = readSession();
  expect(session.calls.length).toBeGreaterThanOrEqual(200);
  const { asked, refused, ran } = await replay('once');
  // A file that runs by itself later is not written without a yes: it counts as a question even where it is refused unasked.
  const selfRunning = refused.filter(({ tool }) => tool === 'file_write');
  expect(((asked.length + selfRunning.length) * 100) / session.calls.length).toBeLessThanOrEqual(MOST_PER_HUNDRED);
  expect(asked.map(({ code }) => code)).toContain('COMMAND_CONFIRM');
  // A policy that refuses the work asks nobody either.
  expect((refused.length * 100) / session.calls.length).toBeLessThanOrEqual(2);
  expect(ran + refused.length).toBe(session.calls.length);
});

test('the count sees a policy that asks for everything', async () => {
  const { project, calls } = readSession();
  const reads = calls.filter(({ tool }) => tool === 'file_read').slice(0, 5);
  const policy = { version: 1, tools: { file_read: { allowedPaths: ['.'], requiresConfirmation: 'always' } } };
  const { asked } = await replay('once', { policy, session: { project, calls: reads } });
  expect(asked).toHaveLength(5);
});
