// A process that spends a grant as often as it is told: node approvals-spender.mjs STATE. Reads one line of JSON
// {grant, binding, intent, tries, wait}, says one line: how many calls were admitted, and the codes of the others.
import { createInterface } from 'node:readline';
import { joinKeeper } from '../../dist/keeper/index.js';

const [state, runtime] = process.argv.slice(2);
const keeper = await joinKeeper({ state, reachable: [], runtime, environment: {} });
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ ready: true });
createInterface({ input: process.stdin }).once('line', async (line) => {
  const { grant, binding, intent, tries } = JSON.parse(line);
  const codes = [];
  let admitted = 0;
  await Promise.all(
    Array.from({ length: tries }, () =>
      keeper.admit(intent, {}, { id: grant, binding }).then(
        async (admission) => {
          admitted += 1;
          await keeper.settle(admission, { outcome: 'failed', error: 'TOOL_FAILED' });
        },
        (error) => codes.push(error.code),
      ),
    ),
  );
  say({ admitted, codes: [...new Set(codes)] });
  await keeper.close();
  process.exit(0);
});
