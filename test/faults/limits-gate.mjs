// A gate over a shared state, in a process of its own: node limits-gate.mjs STATE POLICY NAME. Reads commands on standard input, one
// a line: `flood TOOL N` makes N calls at once and says { flood: { WAY: COUNT } }; `hold N` makes N calls that stay until `end`,
// and says { held: COUNT } when each of them runs or is refused; `end` lets them end. Says { ready } first.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openGate } from '../../dist/index.js';
import { openKeeper } from '../../dist/keeper/index.js';

const [state, policy, name, adoptionMs] = process.argv.slice(2);
// writeSync: what is said was said before the kill.
const say = (what) => writeSync(1, `${JSON.stringify(what)}\n`);
const ends = [];
let held = 0;
const tool = (called, execute) => ({ name: called, schema: { type: 'object' }, execute });
const tools = [
  tool('work', async () => {
    say({ ran: name });
    return 'done';
  }),
  tool('hold', async () => {
    held += 1;
    await new Promise((resolve) => ends.push(resolve));
    return 'done';
  }),
];
const keeper =
  adoptionMs === undefined ? undefined : await openKeeper({ state, reachable: [], adoptionMs: Number(adoptionMs) });
const gate = await openGate({ policy, state, tools, ...(keeper === undefined ? {} : { keeper }) });
const session = await gate.openSession({ agent: 'crew' });

async function flood(called, count) {
  const ways = {};
  const results = await Promise.all(
    Array.from({ length: count }, (_, n) => session.call(called, { n: `${name}-${n}` })),
  );
  for (const { kind, code } of results) ways[code ?? kind] = (ways[code ?? kind] ?? 0) + 1;
  say({ flood: ways });
}

async function hold(count) {
  const before = held;
  let refused = 0;
  const seen = () => held - before + refused === count;
  for (let n = 0; n < count; n += 1) {
    void session.call('hold', { n: `${name}-${n}` }).then(({ kind }) => {
      if (kind === 'denied') refused += 1;
    });
  }
  while (!seen()) await new Promise((resolve) => setTimeout(resolve, 5));
  say({ held: held - before });
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...words] = line.split(' ');
  if (command === 'flood') void flood(words[0], Number(words[1]));
  if (command === 'hold') void hold(Number(words[0]));
  if (command === 'end') for (const end of ends.splice(0)) end();
});
say({ ready: name });
