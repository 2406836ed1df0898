import { once } from 'node:events';
import { realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ChosenLevel,
  type EgressDoor,
  type EgressEvent,
  openSandboxes,
  type Sandboxes,
} from '../../src/sandbox/index.ts';
import { finish, makeWorkspace, profileOf, type Ran, runAs, shell } from '../support/sandbox-contract.ts';
import { sandboxTraces } from '../support/sandbox-traces.ts';

const PUBLIC = '93.184.216.34';
const server = createServer((request, response) => response.end(`${request.method} ${request.headers.host}`));
let sandboxes: Sandboxes;
let chosen: ChosenLevel;
let workspace: string;
let events: EgressEvent[] = [];

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  sandboxes = openSandboxes(runAs === null ? {} : { runAs });
  chosen = await sandboxes.choose(['bubblewrap']);
  workspace = makeWorkspace();
});
afterAll(async () => {
  await sandboxes.close();
  server.close();
  rmSync(workspace, { recursive: true, force: true });
});

/** Lets out what goes to one name; dials a listener of this test, whatever the address. */
const door: EgressDoor = {
  ...{ digest: 'one name', terminateTls: false },
  judge: async ({ host }) =>
    host === 'api.example.com'
      ? { allowed: true, rule: 'test', internal: false }
      : { allowed: false, rule: 'test', reason: 'not listed' },
  record: (event) => events.push(event),
  resolve: async () => [PUBLIC],
  dial: async (_, signal) => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, signal });
    await once(socket, 'connect');
    return socket;
  },
};

async function run(line: string, egress: EgressDoor | null = door): Promise<Ran> {
  events = [];
  const profile = profileOf(workspace, { egress, runtime: [realpathSync(process.execPath)] });
  return finish(await sandboxes.start(chosen, profile, shell(workspace, line), { owner: null }));
}

const FETCH = `python3 -c "
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())"`;

test('a listed name is reached, and the status of the program is its own', async () => {
  const ran = await run(`${FETCH} http://api.example.com/x; exit 9`);
  expect(ran).toMatchObject({ out: 'GET api.example.com\n', status: 9, killedBy: null });
  expect(events).toMatchObject([{ allowed: true, address: PUBLIC, status: 200 }]);
  expect(sandboxTraces()).toEqual([]);
});

test('an unlisted name, an address and what goes around the proxy are not', async () => {
  const { port } = server.address() as AddressInfo;
  const direct = `python3 -c "import socket; socket.create_connection(('127.0.0.1', ${port}), 2); print('THROUGH')"`;
  const ran = await run(`${FETCH} http://other.example.com/; ${FETCH} http://${PUBLIC}/; ${direct}; :`);
  expect(ran.out).toBe('');
  expect(events.map(({ allowed }) => allowed)).toEqual([false, false]);
});

test('without a door there is nothing to connect to', async () => {
  expect((await run(`env | grep -i proxy; ${FETCH} http://api.example.com/; :`, null)).out).toBe('');
  expect(events).toEqual([]);
});

test('the relay goes with the program', async () => {
  const started = await sandboxes.start(chosen, profileOf(workspace, { egress: door }), shell(workspace, 'sleep 60'), {
    owner: null,
  });
  await started.stop(100);
  expect((await started.ended).killedBy).toBe('stopped');
  expect(sandboxTraces()).toEqual([]);
});
