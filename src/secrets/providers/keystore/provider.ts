import { failure, pickField, type SecretProvider } from '../../provider.ts';
import type { Keystore } from './keystore.ts';

/** `keystore:NAME?version=N`: a value of the local encrypted keystore. */
export function keystoreProvider(keystore: Keystore): SecretProvider {
  return {
    scheme: 'keystore',
    async resolve(reference) {
      const found = await keystore.get(reference.path, reference.version === null ? null : Number(reference.version));
      if ('value' in found) return { value: pickField(found.value, reference), version: String(found.version) };
      throw failure(
        'SECRET_NOT_FOUND',
        reference,
        found.known ? 'it has no such version' : 'the keystore has no such name',
      );
    },
    close: async () => keystore.close(),
  };
}
