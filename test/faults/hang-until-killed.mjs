// Opens a gate and makes the calls named on the command line with tools that never end; says so when all were admitted.
import { openGate } from '../../dist/index.js';

const [policy, state] = process.argv.slice(2);
const running = [];
const never = (name, extra) => ({
  name,
  schema: { type: 'object' },
  execute: () => {
    running.push(name);
    if (running.length === 3) console.log('running');
    return new Promise(() => undefined);
  },
  ...extra,
});
const gate = await openGate({
  policy,
  state,
  tools: [never('pay'), never('look', { effect: 'read' }), never('declared')],
});
void gate.call('pay', { amount: 1 });
void gate.call('look', { at: 'x' });
void gate.call('declared', {});
