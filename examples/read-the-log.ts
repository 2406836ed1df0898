/** Make a call, then prove from the log what happened. */
import { fileRead, openGate } from 'sallyport';
import { readSession, renderReport, verifyLog } from 'sallyport/audit';

const gate = await openGate({ policy: 'sallyport.yaml', tools: [fileRead()] });
const session = await gate.openSession({ agent: 'example' });
await session.call('file_read', { path: 'docs/readme.md' });
const { state, verifier } = gate.keeper;
await gate.close();

console.log(renderReport(await verifyLog({ directory: state, verifierKey: verifier, now: Date.now() })));
const { calls } = await readSession(state, session.principal.session);
console.log(calls.map(({ intent, outcome }) => `${intent.record.tool}: ${outcome?.record.outcome}`).join('\n'));
