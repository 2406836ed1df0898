// Appends calls to a log until somebody kills it; writes a line for each record once it is durable: number and mark.
// node append-until-killed.mjs STATE
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { AuditLog, recoveryDrafts } from '../../dist/audit/index.js';

const log = await AuditLog.open({ directory: process.argv[2], writer: `test:${process.pid}`, checkpointMs: 20 });
for (const draft of recoveryDrafts(log.recovered)) log.append(draft);

async function record(draft) {
  const reason = randomUUID();
  const { seq, durable } = log.append({ ...draft, reason });
  await durable;
  writeSync(1, `${seq} ${reason}\n`);
  return seq;
}

async function produce(session) {
  for (;;) {
    const payloads = { arguments: { text: 'x'.repeat(Math.floor(Math.random() * 2_000)) } };
    const intentSeq = await record({ type: 'intent', session, decision: 'allow', payloads });
    const admittedSeq = await record({ type: 'admitted', session, intentSeq });
    await record({ type: 'outcome', session, intentSeq, admittedSeq, outcome: 'delivered' });
  }
}

await Promise.all(Array.from({ length: 16 }, (_, number) => produce(`ses_${number}`)));
