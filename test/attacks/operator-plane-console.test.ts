import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/index.ts';
import type { EmbeddedKeeper } from '../../src/keeper/index.ts';
import { TestConsole } from '../support/console.ts';
import { Stand } from './approvals-stand.ts';
import { letIn } from './operator-plane-stand.ts';

let stand: Stand;
let keeper: EmbeddedKeeper;
let console: TestConsole;
const FLAG = { flag: { kind: 'all' } };
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
  await keeper.stop({ kind: 'all' }, 'test');
  console = await TestConsole.open(stand.state);
});
afterEach(async () => {
  await console.close();
  await stand.end();
});

const challenge = async (flag: JsonObject = FLAG): Promise<JsonObject> =>
  (await console.ask('/v1/stops/resume/challenge', flag)).body;

test("[T5.6] the console's token takes no stop back once a credential is registered; a proof does, once", async () => {
  const boss = await letIn(keeper);
  expect(await console.refusal('/v1/stops/resume', FLAG)).toBe('APPROVER_REFUSED');
  const { offer = '', advisory } = await challenge();
  expect(advisory).toBe(false);
  const local = { offer, proof: { class: 'local' } };
  expect(await console.refusal('/v1/stops/resume', { ...FLAG, authority: local })).toBe('APPROVER_REFUSED');
  const other = await challenge({ flag: { kind: 'agent', name: 'a' } });
  const elsewhere = { offer: other['offer'] ?? '', proof: { ...boss.proof(String(other['challenge'])) } };
  expect(await console.refusal('/v1/stops/resume', { ...FLAG, authority: elsewhere })).toBe('APPROVER_REFUSED');
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  const named = await challenge();
  const authority = { offer: named['offer'] ?? '', proof: { ...boss.proof(String(named['challenge'])) } };
  const { body } = await console.ask('/v1/stops/resume', { ...FLAG, authority });
  expect(body).toEqual({ resumed: { kind: 'all' }, by: { operator: 'boss', user: 'boss' }, advisory: false });
  expect(await keeper.stops()).toEqual([]);
  await keeper.stop({ kind: 'all' }, 'again');
  expect(await console.refusal('/v1/stops/resume', { ...FLAG, authority })).toBe('APPROVER_REFUSED');
});

test('[T5.6] control: while nobody is registered, the console takes a stop back, and says that it is advisory', async () => {
  expect((await challenge())['advisory']).toBe(true);
  const { body } = await console.ask('/v1/stops/resume', FLAG);
  expect(body).toMatchObject({ resumed: { kind: 'all' }, advisory: true });
  expect(await keeper.stops()).toEqual([]);
});
