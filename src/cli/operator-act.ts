import { resolve } from 'node:path';
import { userIdMessage } from '../approvals/index.ts';
import { type JsonObject, SallyportError } from '../core/index.ts';
import {
  type ActReceipt,
  actChallenge,
  defaultStateFolder,
  joinKeeper,
  type Keeper,
  type OperatorAct,
} from '../keeper/index.ts';
import { type OperatorFlags, type OperatorKey, readOperatorKey } from './operator-key.ts';
import { refuseInside } from './operator-only.ts';
import { safeLines, type Terminal } from './output.ts';
import { proposeAndWait, waitOf } from './proposed-act.ts';

/** An operator who acts over a connection of their own. */
export interface ActingOperator {
  readonly keeper: Keeper;
  /** Nobody has a credential, so that nobody proves anything. */
  readonly advisory: boolean;
  /** Does it, with a proof made just before, or one that a person makes in the console meanwhile. */
  perform(act: OperatorAct): Promise<ActReceipt>;
}

export interface ActFlags extends OperatorFlags {
  readonly state?: string;
}

/**
 * Opens the connection of an operator, who proves what is done where a credential is registered: by the key that the flags name, or,
 * without one, by a passkey in the console.
 * @throws SallyportError OPERATOR_ONLY, APPROVER_REFUSED (there is one, and none was named), USAGE, OPERATOR_INVALID
 */
export async function withActingOperator(
  terminal: Terminal,
  flags: ActFlags,
  use: (operator: ActingOperator) => Promise<number>,
  reachable: readonly string[] = [],
): Promise<number> {
  refuseInside();
  const key = readOperatorKey(flags);
  const state = resolve(flags.state ?? defaultStateFolder());
  const keeper = await joinKeeper({ state, reachable, role: 'operator' });
  try {
    const { advisory } = await keeper.offerAct();
    // The keeper refuses it too; nobody is to read and agree in vain.
    const isProposed = !advisory && key === null;
    if (isProposed && !(await hasPasskey(keeper))) throw needsCredential();
    if (isProposed) waitOf(flags); // a wrong word is said before anything is looked at
    if (advisory) terminal.err(ADVISORY);
    return await use({
      keeper,
      advisory,
      perform: (act) => (isProposed ? proposeAndWait(terminal, { keeper, act, flags }) : perform(keeper, act, key)),
    });
  } finally {
    await keeper.close('the command ended');
  }
}

const ADVISORY =
  'Advisory: no credential of an operator is registered, so an agent of this user could do this too (sallyport operators add).';

/** Somebody can prove it in the browser. */
const hasPasskey = async (keeper: Keeper): Promise<boolean> =>
  (await keeper.operators()).some((operator) => operator.class === 'passkey');

const needsCredential = (): SallyportError =>
  new SallyportError('APPROVER_REFUSED', 'a credential of an operator is registered: name one with --as and --key');

async function perform(keeper: Keeper, act: OperatorAct, key: OperatorKey | null): Promise<ActReceipt> {
  if (key === null) return keeper.perform(act);
  const { offer } = await keeper.offerAct();
  const signature = key.sign(userIdMessage(actChallenge(offer, act)));
  return keeper.perform(act, { offer, proof: { class: 'user-id', operator: key.name, signature } });
}

/** Who did it, for an answer in JSON. */
export const receiptJson = ({ by: { operator, user }, advisory }: ActReceipt): JsonObject => ({
  by: { operator, user },
  advisory,
});

/** Who did it, for people; nothing where nobody proved it. */
export const receiptText = ({ by: { operator, user }, advisory }: ActReceipt): string =>
  advisory ? '' : safeLines(` By ${operator} (${user}).`);
