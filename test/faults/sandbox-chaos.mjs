// A gate in which as many commands run at once as it is told, until it is killed. Argument: JSON of policy, state, count.
// Needs dist/.
import { openGate } from '../../dist/index.js';
import { shell } from '../../dist/tools/index.js';

const { policy, state, count } = JSON.parse(process.argv[2]);
const gate = await openGate({ policy, state, tools: [shell()] });
for (let number = 0; number < count; number += 1) {
  const command = `bash -c 'echo up > out/${number}; sleep 9715.25 & sleep 9715.25'`;
  void gate.call('shell', { command }).then(({ text }) => process.stdout.write(`ended ${text}\n`));
}
setInterval(() => undefined, 60_000);
