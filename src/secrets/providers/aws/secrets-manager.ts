import type { SecretReference } from '../../../core/index.ts';
import { failure, pickField, type SecretProvider } from '../../provider.ts';
import { AwsClients, type AwsOptions, loadPackage } from './client.ts';
import { ask, regionOf } from './ssm.ts';

/** As much of an answer of GetSecretValue as is used here. */
interface Answer {
  readonly SecretString?: string;
  readonly SecretBinary?: Uint8Array;
  readonly VersionId?: string;
}

/** `aws-secretsmanager:NAME?label=AWSCURRENT#field`: text or bytes. Needs `@aws-sdk/client-secrets-manager`. */
export function awsSecretsManagerProvider(options: AwsOptions = {}): SecretProvider {
  let opening: ReturnType<typeof openManager> | null = null;
  return {
    scheme: 'aws-secretsmanager',
    async resolve(reference, { signal }) {
      opening ??= openManager(options);
      const { clients, getValue } = await opening.catch((error: unknown) => {
        opening = null;
        throw error;
      });
      return readAnswer(
        await ask(
          () => clients.for(regionOf(reference)).send(getValue(reference), { abortSignal: signal }),
          reference,
          signal,
        ),
        reference,
      );
    },
    close: async () => (await opening)?.clients.destroy(),
  };
}

async function openManager(options: AwsOptions) {
  const name = '@aws-sdk/client-secrets-manager';
  const { SecretsManagerClient, GetSecretValueCommand } = await loadPackage(
    name,
    () => import('@aws-sdk/client-secrets-manager'),
  );
  return {
    clients: new AwsClients(options, (settings) => new SecretsManagerClient(settings)),
    getValue: (reference: SecretReference) =>
      new GetSecretValueCommand({
        SecretId: reference.path,
        ...(reference.version === null ? {} : { VersionId: reference.version }),
        ...(reference.label === null ? {} : { VersionStage: reference.label }),
      }),
  };
}

function readAnswer(answer: unknown, reference: SecretReference): { value: Buffer; version: string } {
  const { SecretString: text, SecretBinary: bytes, VersionId: version } = answer as Answer;
  if (typeof version !== 'string' || (text === undefined && bytes === undefined)) {
    throw failure('SECRET_MALFORMED', reference, 'AWS gave no value');
  }
  if (reference.version !== null && version !== reference.version) {
    throw failure('SECRET_MALFORMED', reference, 'AWS gave another version than was asked for');
  }
  const stored = text === undefined ? Buffer.from(bytes ?? []) : Buffer.from(text, 'utf8');
  return { value: pickField(stored, reference), version };
}
