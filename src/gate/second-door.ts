import { isSallyportError } from '../core/index.ts';
import { digestOfHeld } from '../keeper/index.ts';
import type { CallRequest } from './call.ts';
import type { Executed } from './execute.ts';
import type { House } from './house.ts';
import { type Inbound, inbound } from './inbound.ts';
import type { Judgement } from './judge.ts';

/**
 * Steps 10 to 13. Of a result that the guard withholds the keeper is asked whether an operator has released this very result
 * for this principal; then it is delivered as it came, with what was found in its record.
 */
export async function secondDoor(
  house: House,
  request: CallRequest,
  judgement: Judgement,
  executed: Executed,
): Promise<Inbound> {
  const came = inbound(house, request, judgement, executed);
  if (came.kind !== 'failed' || came.held === undefined || executed.kind !== 'returned') return came;
  const { tenant, user, agent } = request.principal;
  const result = { principal: { tenant, user, agent }, tool: request.parsed.name, digest: digestOfHeld(came.held) };
  const isReleased = await house.keeper.isReleased(result).catch((error: unknown) => {
    if (isSallyportError(error)) return false; // nobody can say: it stays withheld
    throw error;
  });
  return isReleased ? inbound(house, request, judgement, executed, true) : came;
}
