// Claims, counts and batches on one store until it is killed: STATE-FILE FIRST. Says on standard output what was acknowledged.
import { writeSync } from 'node:fs';
import { openStore } from '../../dist/store/index.js';

const [file, first] = process.argv.slice(2);
const store = await openStore({ file });
const expiresAt = Date.now() + 3_600_000;
let next = Number(first);
// writeSync: what is said was said before the kill; what is not said may be there or not.
const say = (line) => writeSync(1, `${line}\n`);

async function claim() {
  const key = `key-${next++}`;
  if (await store.claim('nonces', key, expiresAt)) say(`claim ${key}`);
}

async function count() {
  say(`sum ${await store.add('counts', 'sum', 1)}`);
}

/** Two halves that must be equal, larger than SQLite's cache is patient with. */
async function batch() {
  const value = `${next++}-${'v'.repeat(60_000)}`;
  const put = (key) => ({ kind: 'put', space: 'halves', key, value });
  await store.batch(Array.from({ length: 16 }, (_, index) => put(`half-${index}`)));
  say(`batch ${value.slice(0, 12)}`);
}

async function work(step) {
  for (;;) await step();
}

say('ready');
await Promise.all([...Array.from({ length: 24 }, () => work(claim)), work(count), work(batch)]);
