/**
 * A tool that charges and refunds with a key that neither the model nor the tool ever has. Stripe is played by a server on this machine; for
 * the real one, name https://api.stripe.com and an `aws-ssm:` or `vault:` reference (docs/secrets.md).
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openGate, secretBackedTool } from 'sallyport';

const KEY = `sk_demo_${randomBytes(18).toString('base64url')}`;
process.env['STRIPE_KEY'] = KEY;

// The stand-in: it knows the key, and tells it back as careless servers do.
const stripe = createServer((request, response) => {
  const isKnown = request.headers.authorization === `Bearer ${KEY}`;
  const id = request.url === '/v1/refunds' ? 're_1' : 'ch_1';
  response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify(isKnown ? { id, status: 'succeeded', debug: request.headers.authorization } : { error: 'who?' }),
  );
});
await once(stripe.listen(0, '127.0.0.1'), 'listening');
const api = `http://127.0.0.1:${(stripe.address() as AddressInfo).port}`;

const gate = await openGate({
  policy: {
    version: 1,
    tools: {
      stripe: {
        isolation: 'none',
        internalEndpoints: [api],
        methods: ['POST'],
        secrets: { [api]: { header: 'Authorization', value: 'Bearer ${secret:env:STRIPE_KEY}' } },
      },
    },
  },
});

const call = gate.tool(
  secretBackedTool({
    name: 'stripe',
    description: 'Charges a card, or refunds a charge',
    secret: 'env:STRIPE_KEY',
    schema: {
      type: 'object',
      properties: {
        action: { enum: ['charge', 'refund'] },
        amount: { type: 'integer', minimum: 1, maximum: 100_000 },
        charge: { type: 'string', pattern: '^ch_[A-Za-z0-9]{1,64}$' },
      },
      required: ['action'],
      additionalProperties: false,
    },
    async execute({ action, amount, charge }, secret) {
      const [path, fields] =
        action === 'charge'
          ? ['charges', { amount: `${amount}`, currency: 'eur' }]
          : ['refunds', { charge: `${charge}` }];
      const answer = await secret.fetch(`${api}/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      });
      console.log('the tool has', `${secret}`);
      return answer.text();
    },
  }),
);

for (const args of [{ action: 'charge', amount: 500 }, { action: 'refund', charge: 'ch_1' }, { action: 'payout' }]) {
  const result = await call(args);
  console.log(result.kind === 'delivered' ? result.text : `${result.kind}: ${result.code}`);
  if (JSON.stringify(result).includes(KEY)) throw new Error('the key came out');
}
await gate.close();
stripe.close();
