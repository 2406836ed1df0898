import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeGrant, type Scope, signGrant } from '../../src/approvals/index.ts';
import { readRecords } from '../../src/audit/index.ts';
import { GrantAnchor } from '../../src/keeper/grant-anchor.ts';
import { GrantBook } from '../../src/keeper/grant-book.ts';
import { asker, bindingOf, grantFor, yesTo } from '../support/approvals.ts';
import { Stand } from './approvals-stand.ts';

const SPENDER = fileURLToPath(new URL('./approvals-spender.mjs', import.meta.url));

test('[T5] whatever the order in which the store answers, and also when it fails, a grant has its uses and no more', async () => {
  const key = generateKeyPairSync('ed25519');
  const binding = bindingOf();
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      async (scheduler, times, fails) => {
        const until = 1_000_000;
        const scope: Scope = times === 1 ? { kind: 'once' } : { kind: 'times', free: [], times, until };
        const draft = { id: 'g', request: 'r', generation: 'n', session: 's', scope, by: [] };
        const signed = signGrant(makeGrant(draft, binding, 0), key.privateKey);
        const put = scheduler.scheduleFunction(async (_name: string, fail: unknown) => {
          if (fail === true) throw new Error('the disk');
        });
        let turn = -1;
        const table = {
          all: async () => [],
          put: (name: string) => put(name, fails[turn++]),
          delete: async () => undefined,
        };
        const anchor = GrantAnchor.open(null, '/none', 0);
        const book = new GrantBook({ table, key, anchor, now: () => 1, logSize: () => 1 }, [
          { signed, recordSeq: 0, used: 0 },
        ]);
        let admitted = 0;
        const spends = fails.map(() =>
          book.spend('g', binding, 's').then(
            () => {
              admitted += 1;
            },
            () => undefined,
          ),
        );
        await scheduler.waitAll();
        await Promise.all(spends);
        expect(admitted).toBeLessThanOrEqual(times);
        await expect(book.spend('g', binding, 's')).rejects.toMatchObject({ code: 'GRANT_SPENT' });
      },
    ),
    { numRuns: 200 },
  );
});

describe('two processes', () => {
  let stand: Stand;
  let children: ChildProcess[];
  beforeEach(() => {
    stand = new Stand();
    children = [];
  });
  afterEach(async () => {
    for (const child of children) {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    }
    await stand.end();
  });

  async function spender(): Promise<{
    tell(job: object): void;
    said(): Promise<{ admitted: number; codes: string[] }>;
  }> {
    const child = spawn(process.execPath, [SPENDER, stand.state, stand.runtime], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    return {
      tell: (job) => child.stdin.write(`${JSON.stringify(job)}\n`),
      said: async () => JSON.parse(String((await lines.next()).value)) as { admitted: number; codes: string[] },
    };
  }

  test.each<[string, number, Scope]>([
    ['once', 1, { kind: 'once' }],
    ['five times', 5, { kind: 'times', free: [], times: 5, until: Date.now() + 600_000 }],
  ])(
    '[T5] that spend one yes at the same time run it %s',
    async (_, uses, scope) => {
      const keeper = await stand.open();
      const ask = await asker(keeper);
      const { intent, binding } = ask();
      const grant = await grantFor({ gate: keeper, operator: keeper }, ask(), yesTo(scope));
      const spenders = [await spender(), await spender(), await spender()];
      for (const { tell } of spenders) tell({ grant, binding, intent, tries: 30 });
      const said = await Promise.all(spenders.map((one) => one.said()));
      expect(said.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(uses);
      expect([...new Set(said.flatMap(({ codes }) => codes))]).toEqual(['GRANT_SPENT']);
      await stand.shut();
      let recorded = 0;
      for await (const { record } of readRecords(stand.state)) {
        if (record.type === 'admitted' && record.grant === grant) recorded += 1;
      }
      expect(recorded).toBe(uses);
    },
    60_000,
  );
});
