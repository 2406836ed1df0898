// A keeper on a small disk that fills up, and is opened again when there is space: FOLDER of that disk. Says what happened as JSON.
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readRecords, verifyLog } from '../../dist/audit/index.js';
import { joinKeeper, openKeeper } from '../../dist/keeper/index.js';

const disk = process.argv[2];
const state = join(disk, 'state');
mkdirSync(state, { mode: 0o700 });
const codeOf = (work) =>
  work.then(
    () => 'fine',
    (error) => error.code,
  );

const keeper = await openKeeper({ state, reachable: [] });
const caller = { tenant: 'local', user: 'test', agent: 'test', proof: 'local' };
const principal = await keeper.openSession(caller, 'library');
const scope = 'test';
const epoch = await keeper.policyLoaded({ scope, digest: 'sha256:0', source: 'test', rules: 1, mode: 'enforce' });
const { session, ...who } = principal;
const call = (text) => ({
  surface: 'library',
  principal: who,
  session,
  tool: 'file_read',
  decision: 'allow',
  epoch,
  payloads: { arguments: { text } },
});
/** What `stop all` does, from another process in all but name. */
async function stopAll() {
  const operator = await joinKeeper({ state, reachable: [], role: 'operator', environment: {} });
  await operator.stop({ kind: 'all' }, 'the disk is full').catch((error) => error.code);
  const stopped = (await operator.stops()).map(({ kind }) => kind);
  await operator.close();
  return stopped;
}
const isolation = { isolation: { asked: 'none', achieved: 'in-process' } };

const running = await keeper.admit(call('before'), isolation);
fill(join(disk, 'filler'));
let calls = 0;
let refusedWith = 'fine';
while (refusedWith === 'fine' && calls < 10_000) {
  refusedWith = await codeOf(
    keeper
      .admit(call('x'.repeat(20_000)), isolation)
      .then((admission) => keeper.settle(admission, { outcome: 'delivered' })),
  );
  calls += 1;
}
const again = await codeOf(keeper.admit(call('small'), isolation));
const refusal = await codeOf(keeper.refuse({ ...call('denied'), decision: 'deny', code: 'TOOL_NOT_ALLOWED' }));
const outcome = await codeOf(
  keeper.settle(running, { outcome: 'delivered', payloads: { result: 'y'.repeat(50_000) } }),
);
const stopped = await stopAll();
const stillStopped = (await stopAll()).length;
const closed = await codeOf(keeper.close('the disk is full'));
const reopenedFull = await codeOf(openKeeper({ state, reachable: [] }));
rmSync(join(disk, 'filler'));

const second = await openKeeper({ state, reachable: [] });
const { verifier } = second;
await second.close();
const report = await verifyLog({ directory: state, verifierKey: verifier, now: Date.now() });
const types = [];
for await (const { record } of readRecords(state))
  types.push([record.type, record.decision ?? record.outcome ?? ''].join(' ').trim());
const findings = report.findings.length;
console.log(
  JSON.stringify({
    refusedWith,
    again,
    refusal,
    outcome,
    stopped,
    stillStopped,
    closed,
    reopenedFull,
    findings,
    types: types.slice(-6),
  }),
);

/** Takes every block of the disk. */
function fill(file) {
  const descriptor = openSync(file, 'w');
  try {
    for (let bytes = 65_536; bytes >= 1; bytes = bytes > 4_096 ? bytes / 2 : bytes / 4) {
      for (;;) {
        try {
          writeSync(descriptor, Buffer.alloc(bytes));
        } catch (error) {
          if (error.code !== 'ENOSPC') throw error;
          break;
        }
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
