import {
  type ErrorCode,
  isSallyportError,
  parseReference,
  SallyportError,
  type SecretReference,
} from '../core/index.ts';
import { disposeSecret } from './handle.ts';
import type { Keystore, KeystoreListing } from './providers/keystore/keystore.ts';
import type { SecretResolver } from './resolver.ts';

/**
 * Stores a new version of a `keystore:NAME` and returns its number. The value is wiped.
 * @throws SallyportError SECRET_REFERENCE_INVALID, SECRET_EMPTY, KEYSTORE_LOCKED and others of the keystore
 */
export async function setSecret(keystore: Keystore, reference: string, value: Buffer): Promise<number> {
  try {
    const { scheme, path, version, field } = parseReference(reference);
    if (scheme !== 'keystore' || version !== null || field !== null) {
      throw new SallyportError(
        'SECRET_REFERENCE_INVALID',
        'only keystore:NAME can be set here, without version and field',
      );
    }
    return await keystore.set(path, value);
  } finally {
    value.fill(0);
  }
}

/** What the keystore has: names, versions, times; never a value. */
export const listSecrets = (keystore: Keystore): Promise<readonly KeystoreListing[]> => keystore.list();

/** Whether one reference resolves now. */
export type ReferenceCheck =
  | { readonly reference: string; readonly kind: 'resolves'; readonly version: string | null; readonly stale: boolean }
  | {
      readonly reference: string;
      readonly kind: 'fails';
      readonly code: ErrorCode;
      readonly message: string;
      readonly remedy: string;
    };

/** Resolves each reference once and tells how that went; each value is wiped at once. */
export async function checkReferences(
  resolver: SecretResolver,
  references: readonly SecretReference[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly ReferenceCheck[]> {
  const once = new Map(references.map((reference) => [reference.text, reference]));
  return await Promise.all([...once.values()].map((reference) => check(resolver, reference, options)));
}

async function check(
  resolver: SecretResolver,
  reference: SecretReference,
  options: { readonly signal?: AbortSignal },
): Promise<ReferenceCheck> {
  try {
    const { handle, version, stale } = await resolver.resolve(reference, options);
    disposeSecret(handle);
    return { reference: reference.text, kind: 'resolves', version, stale };
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return { reference: reference.text, kind: 'fails', code: error.code, message: error.message, remedy: error.remedy };
  }
}
