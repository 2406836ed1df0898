// Calls an endpoint with a secret, again and again: answers, errors and refusals that tell it back. Usage: POLICY STATE URL
import { openGate, secretBackedTool } from '../../dist/index.js';
import { builtInTools } from '../../dist/tools/index.js';

const [policy, state, url] = process.argv.slice(2);
const pay = secretBackedTool({
  name: 'pay',
  secret: 'env:PAY_KEY',
  schema: { type: 'object' },
  async execute({ how }, secret) {
    const answer = await secret.fetch(`${url}/${how}`);
    if (how === 'throw') throw new Error(`the server said ${answer.text()}`);
    return answer.text();
  },
});
const gate = await openGate({ policy, state, tools: [...builtInTools(), pay] });
const session = await gate.openSession();
console.log('running');
for (let count = 0; ; count++) {
  const how = ['plain', 'base64', 'throw', 'large', 'hex'][count % 5];
  // No call is like one whose outcome a kill left unknown: a person would be asked.
  const id = `${process.pid}/${count}`;
  const calls = [
    session.call('pay', { how, id }),
    session.call('api_call', { method: 'POST', url: `${url}/${how}`, body: { id } }),
  ];
  await Promise.all(calls);
}
