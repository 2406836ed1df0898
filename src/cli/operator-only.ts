import { SallyportError } from '../core/index.ts';
import { INSIDE_VARIABLE } from '../gate/index.ts';

/**
 * A hint and no proof: Sallyport sets the variable for what it spawns, and whoever runs as this user can unset it. Only
 * credentials of operators tell an operator from an agent under the same user.
 * @throws SallyportError OPERATOR_ONLY
 */
export function refuseInside(): void {
  if (process.env[INSIDE_VARIABLE] === undefined) return;
  throw new SallyportError('OPERATOR_ONLY', 'this command was started by a tool of an agent');
}
