import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eachStand, INNER_SURFACES } from './approvals-surfaces.ts';

/** The command line has the system's resolver, which a test cannot lead elsewhere; its calls pass the same code. */
let server: Server;
let paid: string[] = [];
let port = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    paid.push(request.url ?? '');
    response.end('paid');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
const open = eachStand();

describe.each(INNER_SURFACES)('[T5] over %s', (surface) => {
  test('a name that leads elsewhere after the yes is not called', async () => {
    let addresses = ['127.0.0.2'];
    paid = [];
    const origin = `http://bank.test:${port}`;
    const policy = `version: 1
defaults: { isolation: none }
tools:
  api_call: { internalEndpoints: ["${origin}"], methods: [POST], requiresConfirmation: always }
`;
    const stand = await open({ surface, policy, gate: { resolve: async () => addresses } });
    const call = ['api_call', { method: 'POST', url: `${origin}/pay` }] as const;
    const attempt = stand.begin(...call);
    const request = await attempt.waits;
    addresses = ['127.0.0.1'];
    await stand.answer(request);
    expect(await attempt.ended).toMatchObject({ code: 'GRANT_VOID' });
    expect([paid, await stand.admitted()]).toEqual([[], 0]);
    await stand.runsOnceWithAnHonestYes(...call);
    expect(paid).toEqual(['/pay']);
  });
});
