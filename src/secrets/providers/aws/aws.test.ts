import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { LabelParameterVersionCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hasMoto, type Moto, startMoto } from '../../../../test/support/moto.ts';
import { parseReference } from '../../../core/index.ts';
import type { SecretProvider } from '../../provider.ts';
import { loadPackage } from './client.ts';
import { awsSecretsManagerProvider } from './secrets-manager.ts';
import { awsSsmProvider } from './ssm.ts';

const signal = new AbortController().signal;
const fetchFrom = async (provider: SecretProvider, text: string, stop: AbortSignal = signal): Promise<string> => {
  const { value, version } = await provider.resolve(parseReference(text), { signal: stop });
  return `${value}@${version}`;
};
const codeOf = async (run: Promise<unknown>): Promise<string> => {
  const error: unknown = await run.catch((caught: unknown) => caught);
  expect(error).toHaveProperty('code');
  expect(error).not.toHaveProperty('cause');
  return (error as { code: string }).code;
};

beforeAll(() => {
  // The default chain of the SDK reads these; moto takes any.
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterAll(() => vi.unstubAllEnvs());

describe.skipIf(!hasMoto())('against moto (skipped: python3 has no moto.server, pip install "moto[server]")', () => {
  let moto: Moto;
  const region = 'eu-west-1';
  beforeAll(async () => {
    moto = await startMoto();
    const settings = { region, endpoint: moto.endpoint };
    const ssm = new SSMClient(settings);
    const put = (name: string, value: string, type: 'SecureString' | 'String' | 'StringList' = 'SecureString') =>
      ssm.send(new PutParameterCommand({ Name: name, Value: value, Type: type, Overwrite: true }));
    await put('/prod/stripe/api-key', 'value-1');
    await put('/prod/stripe/api-key', 'value-2');
    await ssm.send(
      new LabelParameterVersionCommand({ Name: '/prod/stripe/api-key', ParameterVersion: 1, Labels: ['before'] }),
    );
    await put('/prod/db', '{"user":"app","password":"pass-1"}');
    await put('/plain', 'seen-by-all', 'String');
    await put('/list', 'a,b', 'StringList');
    const manager = new SecretsManagerClient(settings);
    await manager.send(
      new CreateSecretCommand({ Name: 'prod/db', SecretString: '{"user":"app","password":"pass-1"}' }),
    );
    await manager.send(
      new PutSecretValueCommand({ SecretId: 'prod/db', SecretString: '{"user":"app","password":"pass-2"}' }),
    );
    await manager.send(new CreateSecretCommand({ Name: 'bytes', SecretBinary: Uint8Array.of(0, 255, 1, 254) }));
    await manager.send(new CreateSecretCommand({ Name: 'gone', SecretString: 'value-1' }));
    await manager.send(new DeleteSecretCommand({ SecretId: 'gone', RecoveryWindowInDays: 7 }));
    ssm.destroy();
    manager.destroy();
  });
  afterAll(() => moto?.stop());

  test('aws-ssm: gives the decrypted value, by version, label, field and region', async () => {
    const provider = awsSsmProvider({ region, endpoint: moto.endpoint });
    expect(await fetchFrom(provider, 'aws-ssm:/prod/stripe/api-key')).toBe('value-2@2');
    expect(await fetchFrom(provider, 'aws-ssm:/prod/stripe/api-key?version=1')).toBe('value-1@1');
    expect(await fetchFrom(provider, 'aws-ssm:/prod/stripe/api-key?label=before')).toBe('value-1@1');
    expect(await fetchFrom(provider, 'aws-ssm:/prod/db#password')).toBe('pass-1@1');
    expect(await codeOf(fetchFrom(provider, 'aws-ssm:/prod/db?region=us-east-1'))).toBe('SECRET_NOT_FOUND');
    await provider.close?.();
  });

  test('aws-ssm: what is not there or not secret is told apart', async () => {
    const provider = awsSsmProvider({ region, endpoint: moto.endpoint });
    expect(await codeOf(fetchFrom(provider, 'aws-ssm:/none'))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(fetchFrom(provider, 'aws-ssm:/prod/db?version=9'))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(fetchFrom(provider, 'aws-ssm:/prod/db#none'))).toBe('SECRET_FIELD');
    expect(await codeOf(fetchFrom(provider, 'aws-ssm:/plain'))).toBe('SECRET_MALFORMED');
    expect(await codeOf(fetchFrom(provider, 'aws-ssm:/list'))).toBe('SECRET_MALFORMED');
    expect(
      await fetchFrom(awsSsmProvider({ region, endpoint: moto.endpoint, allowPlain: true }), 'aws-ssm:/plain'),
    ).toBe('seen-by-all@1');
  });

  test('aws-secretsmanager: gives text, bytes, fields, labels and versions', async () => {
    const provider = awsSecretsManagerProvider({ region, endpoint: moto.endpoint });
    const [current, version] = (await fetchFrom(provider, 'aws-secretsmanager:prod/db#password')).split('@');
    expect(current).toBe('pass-2');
    expect(await fetchFrom(provider, `aws-secretsmanager:prod/db?version=${version}#password`)).toBe(
      `pass-2@${version}`,
    );
    expect(await fetchFrom(provider, 'aws-secretsmanager:prod/db?label=AWSPREVIOUS#password')).toMatch(/^pass-1@/);
    const { value } = await provider.resolve(parseReference('aws-secretsmanager:bytes'), { signal });
    expect([...value]).toEqual([0, 255, 1, 254]);
    await provider.close?.();
  });

  test('aws-secretsmanager: missing, deleted and no such label are told apart', async () => {
    const provider = awsSecretsManagerProvider({ region, endpoint: moto.endpoint });
    expect(await codeOf(fetchFrom(provider, 'aws-secretsmanager:none'))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(fetchFrom(provider, 'aws-secretsmanager:gone'))).toBe('SECRET_DELETED');
    expect(await codeOf(fetchFrom(provider, 'aws-secretsmanager:prod/db?label=NEVER'))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(fetchFrom(provider, 'aws-secretsmanager:bytes#a'))).toBe('SECRET_FIELD');
  });
});

describe('against a stand-in that answers as AWS documents its errors', () => {
  let server: Server;
  let endpoint = '';
  let answer: [status: number, type: string, message?: string] | 'silence' = 'silence';
  let asked: unknown[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        asked.push(JSON.parse(Buffer.concat(chunks).toString()));
        if (answer === 'silence') return;
        response.writeHead(answer[0], { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify({ __type: answer[1], message: answer[2] ?? 'stand-in sk_live_echo' }));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ['AccessDeniedException', 400, 'SECRET_ACCESS_DENIED'],
    ['UnrecognizedClientException', 400, 'SECRET_ACCESS_DENIED'],
    ['ExpiredTokenException', 400, 'SECRET_ACCESS_DENIED'],
    ['InvalidKeyId', 400, 'SECRET_ACCESS_DENIED'],
    ['ThrottlingException', 400, 'SECRET_THROTTLED'],
    ['InternalServerError', 500, 'SECRET_PROVIDER_UNAVAILABLE'],
    ['SomethingNew', 400, 'SECRET_PROVIDER_UNAVAILABLE'],
    ['ParameterNotFound', 400, 'SECRET_NOT_FOUND'],
  ])('aws-ssm: %s is %s %s', async (type, status, code) => {
    answer = [status, type];
    asked = [];
    expect(await codeOf(fetchFrom(awsSsmProvider({ region: 'eu-west-1', endpoint }), 'aws-ssm:/a'))).toBe(code);
    expect(asked[0]).toEqual({ Name: '/a', WithDecryption: true });
  });

  test('aws-secretsmanager: a secret that waits for its deletion', async () => {
    answer = [
      400,
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    ];
    const provider = awsSecretsManagerProvider({ region: 'eu-west-1', endpoint });
    expect(await codeOf(fetchFrom(provider, 'aws-secretsmanager:a'))).toBe('SECRET_DELETED');
  });

  test('an abort ends the wait for a server that says nothing (1.1, 8: no timeout)', async () => {
    answer = 'silence';
    const stop = new AbortController();
    const waiting = fetchFrom(awsSsmProvider({ region: 'eu-west-1', endpoint }), 'aws-ssm:/a', stop.signal);
    setTimeout(() => stop.abort(new RangeError('no longer wanted')), 200);
    await expect(waiting).rejects.toThrow('no longer wanted');
  });
});

test('an endpoint in clear is refused, except on this machine', async () => {
  for (const endpoint of ['http://ssm.example.com', 'ftp://127.0.0.1', 'nonsense']) {
    expect(await codeOf(fetchFrom(awsSsmProvider({ region: 'eu-west-1', endpoint }), 'aws-ssm:/a'))).toBe(
      'SECRET_PROVIDER_CONFIG',
    );
  }
});

test('a package that is not installed is named', async () => {
  const missing = loadPackage('@aws-sdk/client-ssm', () => import('sallyport-has-no-such-package' as string));
  await expect(missing).rejects.toMatchObject({
    code: 'SECRET_PROVIDER_PACKAGE',
    message: expect.stringContaining('npm install @aws-sdk/client-ssm'),
  });
});
