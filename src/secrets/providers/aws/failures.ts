import type { ErrorCode, SallyportError, SecretReference } from '../../../core/index.ts';
import { failure } from '../../provider.ts';

/** What the names of AWS's errors mean here; what is not in the table is a provider that cannot answer. */
const CODES: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ['ParameterNotFound', ['SECRET_NOT_FOUND', 'there is no such parameter']],
  ['ParameterVersionNotFound', ['SECRET_NOT_FOUND', 'it has no such version or label']],
  ['ResourceNotFoundException', ['SECRET_NOT_FOUND', 'there is no such secret, version or label']],
  ['AccessDeniedException', ['SECRET_ACCESS_DENIED', 'AWS does not let the keeper read it']],
  ['AccessDenied', ['SECRET_ACCESS_DENIED', 'AWS does not let the keeper read it']],
  ['InvalidKeyId', ['SECRET_ACCESS_DENIED', 'its KMS key cannot be used']],
  ['DecryptionFailure', ['SECRET_ACCESS_DENIED', 'its KMS key cannot be used']],
  ['UnrecognizedClientException', ['SECRET_ACCESS_DENIED', 'AWS does not know the credentials of the keeper']],
  ['InvalidClientTokenId', ['SECRET_ACCESS_DENIED', 'AWS does not know the credentials of the keeper']],
  ['InvalidSignatureException', ['SECRET_ACCESS_DENIED', 'AWS refuses the signature: wrong key, or the clock is off']],
  ['SignatureDoesNotMatch', ['SECRET_ACCESS_DENIED', 'AWS refuses the signature: wrong key, or the clock is off']],
  ['ExpiredTokenException', ['SECRET_ACCESS_DENIED', 'the credentials of the keeper have expired']],
  ['ExpiredToken', ['SECRET_ACCESS_DENIED', 'the credentials of the keeper have expired']],
  ['CredentialsProviderError', ['SECRET_ACCESS_DENIED', 'the default chain of the AWS client found no credentials']],
  ['ThrottlingException', ['SECRET_THROTTLED', 'AWS wants fewer requests']],
  ['TooManyRequestsException', ['SECRET_THROTTLED', 'AWS wants fewer requests']],
  ['RequestLimitExceeded', ['SECRET_THROTTLED', 'AWS wants fewer requests']],
]);

/** What the AWS client threw, as an error of ours. Only its name is used: its fields may hold the answer. */
export function awsFailure(error: unknown, reference: SecretReference): SallyportError {
  const { name = 'Error', message = '' } = error instanceof Error ? error : {};
  const known = CODES.get(name);
  if (known !== undefined) return failure(known[0], reference, known[1]);
  // Secrets Manager has no error of its own for a secret that waits to be deleted.
  if (name === 'InvalidRequestException' && /marked (for deletion|deleted)|scheduled for deletion/i.test(message)) {
    return failure('SECRET_DELETED', reference, 'it is scheduled for deletion');
  }
  if (message.includes('Region is missing'))
    return failure('SECRET_PROVIDER_CONFIG', reference, 'no region is configured');
  return failure(
    'SECRET_PROVIDER_UNAVAILABLE',
    reference,
    `AWS did not answer (${/^\w{1,60}$/.test(name) ? name : 'Error'})`,
  );
}
