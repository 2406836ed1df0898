// A gate over a shared state that never rests, until it is killed: node fire-gate.mjs STATE NAME. Says lines on standard output:
// `ran N` when a call runs (so its admission was durable), `denied SEQ` and `claimed KEY` for what was acknowledged.
import { writeSync } from 'node:fs';
import { openGate } from '../../dist/index.js';

const [state, name] = process.argv.slice(2);
// writeSync: what is said was said before the kill.
const say = (line) => writeSync(1, `${line}\n`);
const schema = { type: 'object', properties: { n: { type: 'string' } }, required: ['n'], additionalProperties: false };
const work = {
  name: 'work',
  schema,
  execute: async ({ n }) => {
    say(`ran ${n}`);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    return `done ${n}`;
  },
};
const gate = await openGate({
  policy: { version: 1, defaults: { isolation: 'none' }, tools: { work: {} } },
  state,
  root: process.cwd(),
  tools: [work, { ...work, name: 'never' }],
});
const session = await gate.openSession({ agent: name });
const expiresAt = Date.now() + 3_600_000;
let count = 0;

/** While no owner answers, calls are denied; then it goes on. */
async function persist(step) {
  for (;;) {
    await step().catch((error) => {
      if (error.code === undefined) throw error;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function call() {
  await session.call('work', { n: `${name}-${count++}` });
}

async function beDenied() {
  const { record, code } = await session.call('never', { n: name });
  if (code === 'TOOL_NOT_ALLOWED' && record !== null) say(`denied ${record}`);
}

/** Every process wants the same keys at about the same time. */
async function claim() {
  const key = `key-${Math.floor(Date.now() / 25)}`;
  if (await gate.keeper.claim('nonce', key, expiresAt)) say(`claimed ${key}`);
}

say('ready');
await Promise.all([persist(call), persist(call), persist(call), persist(beDenied), persist(claim), persist(claim)]);
