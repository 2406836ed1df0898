import type { SecretReference } from '../../../core/index.ts';
import { failure, pickField, type SecretProvider } from '../../provider.ts';
import { AwsClients, type AwsOptions, loadPackage } from './client.ts';
import { awsFailure } from './failures.ts';

export interface AwsSsmOptions extends AwsOptions {
  /** Also read parameters of the type String, which AWS keeps and shows in clear. */
  readonly allowPlain?: boolean;
}

/** As much of an answer of GetParameter as is used here. */
interface Answer {
  readonly Parameter?: { readonly Type?: string; readonly Value?: string; readonly Version?: number };
}

/** `aws-ssm:/NAME?version=N`: a SecureString of AWS Systems Manager, decrypted by AWS. Needs `@aws-sdk/client-ssm`. */
export function awsSsmProvider(options: AwsSsmOptions = {}): SecretProvider {
  let opening: ReturnType<typeof openSsm> | null = null;
  return {
    scheme: 'aws-ssm',
    async resolve(reference, { signal }) {
      opening ??= openSsm(options);
      const { clients, getParameter } = await opening.catch((error: unknown) => {
        opening = null;
        throw error;
      });
      const answer = await ask(
        () => clients.for(regionOf(reference)).send(getParameter(selectorOf(reference)), { abortSignal: signal }),
        reference,
        signal,
      );
      return readAnswer(answer, reference, options.allowPlain ?? false);
    },
    close: async () => (await opening)?.clients.destroy(),
  };
}

async function openSsm(options: AwsOptions) {
  const { SSMClient, GetParameterCommand } = await loadPackage(
    '@aws-sdk/client-ssm',
    () => import('@aws-sdk/client-ssm'),
  );
  return {
    clients: new AwsClients(options, (settings) => new SSMClient(settings)),
    // Without decryption AWS gives the ciphertext, which looks like a value.
    getParameter: (name: string) => new GetParameterCommand({ Name: name, WithDecryption: true }),
  };
}

const selectorOf = (reference: SecretReference): string => {
  const chosen = reference.version ?? reference.label;
  return chosen === null ? reference.path : `${reference.path}:${chosen}`;
};

/** An ARN has its region in it. */
export const regionOf = (reference: SecretReference): string | null =>
  reference.region ?? (reference.path.startsWith('arn:') ? (reference.path.split(':')[3] ?? null) : null);

export async function ask(
  send: () => Promise<unknown>,
  reference: SecretReference,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await send();
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(error, reference);
  }
}

function readAnswer(
  answer: unknown,
  reference: SecretReference,
  allowPlain: boolean,
): { value: Buffer; version: string } {
  const { Type: type, Value: value, Version: version } = (answer as Answer).Parameter ?? {};
  if (typeof value !== 'string' || typeof version !== 'number')
    throw failure('SECRET_MALFORMED', reference, 'AWS gave no value');
  if (type !== 'SecureString' && !(allowPlain && type === 'String')) {
    throw failure('SECRET_MALFORMED', reference, 'it is no SecureString: AWS keeps it in clear');
  }
  if (reference.version !== null && String(version) !== reference.version) {
    throw failure('SECRET_MALFORMED', reference, 'AWS gave another version than was asked for');
  }
  return { value: pickField(Buffer.from(value, 'utf8'), reference), version: String(version) };
}
