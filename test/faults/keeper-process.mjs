// A process with a gate over a shared state: node keeper-process.mjs STATE NAME [POLICY]. Says JSON lines, takes commands as lines.
// `call N` begins a call of the tool `hold`, which ends with `end N`; `quit` closes the gate.
import { createInterface } from 'node:readline';
import { openGate } from '../../dist/index.js';

const [state, name, policyFile] = process.argv.slice(2);
const POLICY = { version: 1, defaults: { isolation: 'none' }, tools: { hold: { limits: { timeout: '60s' } } } };
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const waiting = new Map();
const hold = {
  name: 'hold',
  schema: { type: 'object', properties: { n: { type: 'string' } }, required: ['n'], additionalProperties: false },
  execute: ({ n }) =>
    new Promise((resolve) => {
      waiting.set(n, resolve);
      say({ running: n });
    }),
};
const gate = await openGate({
  policy: policyFile || POLICY,
  state,
  root: process.cwd(),
  tools: [hold],
});
const session = await gate.openSession({ agent: name });
gate.keeper.watch((event) => say({ event: event.type }));
say({ ready: name });
createInterface({ input: process.stdin }).on('line', async (line) => {
  const [word, n] = line.split(' ');
  if (word === 'call') {
    const result = await session.call('hold', { n });
    say({ result: n, kind: result.kind, code: result.code ?? null });
  } else if (word === 'end') waiting.get(n)(`done ${n}`);
  else if (word === 'stop') await gate.keeper.stop({ kind: 'all' }, 'test').then(() => say({ stopped: true }));
  else if (word === 'quit') {
    await gate.close();
    say({ closed: true });
    process.exit(0);
  }
});
setInterval(() => undefined, 60_000);
