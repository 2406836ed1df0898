import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { type Ran, sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const VALUE = `live_${randomBytes(18).toString('hex')}`;
let workspace: Workspace;
let server: Server;
let heard: IncomingHttpHeaders[];
beforeEach(async () => {
  heard = [];
  server = createServer((request, response) => {
    heard.push(request.headers);
    response.end(`you are ${request.headers.authorization}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  workspace = makeWorkspace(`version: 1
tools:
  api_call:
    internalEndpoints: ["${place}"]
    requireSecretManager: true
    secrets: { "${place}": { header: Authorization, value: "Bearer \${secret:keystore:pay/key}" } }
  file_read: { allowedPaths: [.] }
`);
  mkdirSync(workspace.state, { recursive: true, mode: 0o700 });
  const key = join(workspace.base, 'key');
  writeFileSync(key, randomBytes(48).toString('base64'), { mode: 0o600 });
  const configuration = { providers: { keystore: { key: { file: key } } } };
  writeFileSync(join(workspace.state, 'secrets.json'), JSON.stringify(configuration), { mode: 0o600 });
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  workspace.remove();
});

const run = (words: readonly string[], input = ''): Promise<Ran> =>
  sallyport([...words, '--state', workspace.state], { cwd: workspace.root, input });
const call = (headers: object = {}): Promise<Ran> => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/charge`;
  return run(['call', 'api_call', JSON.stringify({ method: 'GET', url, headers })]);
};

const stored = (): string =>
  readdirSync(workspace.state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

test('a secret from the keystore, on the command line from set to use [T3.1]', async () => {
  expect(await run(['secrets', 'check'])).toMatchObject({ code: 1, out: expect.stringContaining('SECRET_NOT_FOUND') });
  expect((await call()).out).toContain('SECRET_NOT_FOUND');
  expect(heard).toEqual([]);

  expect(await run(['secrets', 'set', 'pay/key'], `${VALUE}\n`)).toMatchObject({ code: 0 });
  const list = await run(['secrets', 'list']);
  expect(list.out).toMatch(/keystore:pay\/key {2}versions 1\n.*goes to http:\/\/127.0.0.1/);
  expect(await run(['secrets', 'check'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('resolves, version 1'),
  });

  const told = await call({ Authorization: { $secret: 'keystore:pay/key', prefix: 'Bearer ' } });
  expect(heard[0]?.authorization).toBe(`Bearer ${VALUE}`);
  expect(told).toMatchObject({ code: 0, out: expect.stringContaining('[redacted:keystore:pay/key]') });

  for (const { out, err } of [list, told]) expect(out + err).not.toContain(VALUE);
  expect(stored()).not.toContain(VALUE);
  const uses = [];
  for await (const { record } of readRecords(workspace.state))
    if (record.type === 'secret-use') uses.push(record.detail);
  expect(uses).toMatchObject([{ reference: 'keystore:pay/key', version: '1' }]);
}, 60_000);

test('what is mistaken is said, and nothing runs with an empty value', async () => {
  expect(await run(['secrets', 'set', 'pay/key'], '\n')).toMatchObject({
    err: expect.stringContaining('SECRET_EMPTY'),
  });
  expect(await run(['secrets', 'set', 'env:A'], 'x\n')).toMatchObject({
    err: expect.stringContaining('SECRET_REFERENCE_INVALID'),
  });
  writeFileSync(join(workspace.state, 'secrets.json'), '{"providers":{"keystore":{}}}', { mode: 0o600 });
  expect((await call()).out).toContain('SECRET_PROVIDER_CONFIG');
  expect(heard).toEqual([]);
  // What needs no secret is not harmed.
  workspace.write({ 'a.txt': 'fine' });
  expect(await run(['call', 'file_read', '{"path":"a.txt"}'])).toMatchObject({ code: 0 });
}, 60_000);
