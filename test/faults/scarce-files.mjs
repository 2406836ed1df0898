// A keeper in a process that has run out of file descriptors: node scarce-files.mjs STATE. Says what happened as JSON.
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyLog } from '../../dist/audit/index.js';
import { openKeeper } from '../../dist/keeper/index.js';

const [state] = process.argv.slice(2);
const codeOf = (work) =>
  work.then(
    () => 'fine',
    (error) => error.code ?? String(error),
  );
const keeper = await openKeeper({ state, reachable: [] });
const principal = await keeper.openSession({ tenant: 'local', user: 'test', agent: 'test', proof: 'local' }, 'library');
const epoch = await keeper.policyLoaded({
  scope: 'test',
  digest: 'sha256:0',
  source: 'test',
  rules: 1,
  mode: 'enforce',
});
const { session, ...who } = principal;
const intent = { surface: 'library', principal: who, session, tool: 'file_read', decision: 'allow', epoch };
const isolation = { isolation: { asked: 'none', achieved: 'in-process' } };
const call = async () => keeper.settle(await keeper.admit(intent, isolation), { outcome: 'delivered' });

const before = await codeOf(call());
const taken = [];
let scarcity = '';
while (scarcity === '') {
  try {
    taken.push(openSync('/dev/null', 'r'));
  } catch (error) {
    scarcity = error.code;
  }
}
// The write-ahead log is open already; the checkpoint needs files of its own, and the log stops with it.
const codes = new Set();
for (let attempt = 0; attempt < 400 && !codes.has('AUDIT_WRITE_FAILED'); attempt++) {
  codes.add(await codeOf(call()));
  await sleep(10);
}
for (const descriptor of taken) closeSync(descriptor);
const after = await codeOf(call());
const closed = await codeOf(keeper.close());
const second = await openKeeper({ state, reachable: [] });
const again = await codeOf(
  second.openSession({ tenant: 'local', user: 'test', agent: 'test', proof: 'local' }, 'library'),
);
await second.close();
const { findings } = await verifyLog({ directory: state, verifierKey: second.verifier, now: Date.now() });
console.log(
  JSON.stringify({ before, scarcity, codes: [...codes].sort(), after, closed, again, findings: findings.length }),
);
process.exit(0);
