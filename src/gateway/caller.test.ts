import { expect, it } from 'vitest';
import type { Principal } from '../core/index.ts';
import { callerKey, ownerOf, sessionHolder } from './caller.ts';
import { laneHolders } from './lanes.ts';

const principal = (session: string, agent: string): Principal => ({
  tenant: 't',
  user: 'ann',
  agent,
  session,
  proof: 'bearer',
});

it('ownerOf is the same for all sessions and lanes of a principal, and for no other one', () => {
  const mine = principal('one', 'a"\n] session');
  const holders = [callerKey(mine), sessionHolder(mine), sessionHolder({ ...mine, session: 'two' })].flatMap(
    laneHolders,
  );
  expect(new Set(holders).size).toBe(12);
  expect(new Set(holders.map(ownerOf))).toEqual(new Set([callerKey(mine)]));
  expect(ownerOf(sessionHolder(principal('one', 'b')))).not.toBe(callerKey(mine));
});
