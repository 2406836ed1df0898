import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogRecord, readRecords } from '../../src/audit/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import {
  type ActAuthority,
  actChallenge,
  type EmbeddedKeeper,
  type Keeper,
  type OperatorAct,
  type OperatorRegistration,
  openKeeper,
} from '../../src/keeper/index.ts';
import { UserKey } from '../support/approvals.ts';
import type { Workspace } from '../support/workspace.ts';

export const RESUME: OperatorAct = { act: 'resume', flag: { kind: 'all' } };
export const REFUSED = { code: 'APPROVER_REFUSED' };

/** Lets a key of another user id in, by the code of the keeper's terminal. */
export async function letIn(keeper: EmbeddedKeeper, name = 'boss'): Promise<UserKey> {
  const key = new UserKey(name);
  const registration = key.registration as unknown as OperatorRegistration;
  await keeper.registerOperator(await keeper.offerRegistration(), registration, { code: keeper.offerCode() });
  return key;
}

/** What a credential proves over an offer that the keeper makes for it. `over`: what is signed, where that is something else. */
export async function authorityOf(
  keeper: Keeper,
  key: UserKey,
  act: OperatorAct,
  over: OperatorAct = act,
): Promise<ActAuthority> {
  const { offer } = await keeper.offerAct();
  return { offer, proof: key.proof(actChallenge(offer, over)) };
}

/** A workspace whose state knows one operator, and the words that prove an act on the command line. */
export async function withOperator(workspace: Workspace): Promise<readonly string[]> {
  const keeper = await openKeeper({ state: workspace.state, reachable: [], runtime: null });
  const key = await letIn(keeper);
  await keeper.close();
  const file = join(workspace.base, 'boss.pem');
  writeFileSync(file, key.pem, { mode: 0o600 });
  return ['--as', 'boss', '--key', file];
}

/** What the log says of operators' acts. */
export async function actsOf(state: string): Promise<readonly JsonObject[]> {
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(state)) if (record.type === 'operator') found.push(record);
  return found.map(({ detail = {} }) => detail as JsonObject).filter(({ act }) => act !== undefined);
}
