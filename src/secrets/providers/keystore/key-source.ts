import { parseReference, SallyportError } from '../../../core/index.ts';
import type { SecretProvider } from '../../provider.ts';
import { withoutLineEnd } from '../../provider.ts';
import { runCommand } from '../run-command.ts';
import type { KeystoreKey } from './unlock.ts';

/** Where the key of a keystore comes from, when nobody types it. */
export type KeySource =
  | { readonly kind: 'key-file' | 'passphrase-file'; readonly path: string; readonly files: SecretProvider }
  | {
      readonly kind: 'keyring';
      readonly item: string;
      readonly program: string;
      readonly environment: Readonly<Record<string, string>>;
    };

/** secret-tool, which speaks to the keyring of the desktop, may wait for a person who unlocks it. */
const KEYRING_MS = 60_000;

/**
 * Reads the key. The item of a keyring is stored by `secret-tool store --label=Sallyport service sallyport keystore ITEM`.
 * @throws SallyportError KEYSTORE_LOCKED, SECRET_FILE_UNSAFE
 */
export async function readKey(source: KeySource, signal: AbortSignal): Promise<KeystoreKey> {
  if (source.kind === 'keyring') return await askKeyring(source, signal);
  const { value } = await source.files.resolve(parseReference(`file:${source.path}`), { signal });
  return { kind: source.kind === 'key-file' ? 'key-file' : 'passphrase', bytes: value };
}

async function askKeyring(source: Extract<KeySource, { kind: 'keyring' }>, signal: AbortSignal): Promise<KeystoreKey> {
  const argv = [source.program, 'lookup', 'service', 'sallyport', 'keystore', source.item];
  const result = await runCommand({
    argv,
    environment: source.environment,
    timeoutMs: KEYRING_MS,
    outputBytes: 4_096,
    signal,
  });
  if (result.kind !== 'done' || result.output.length === 0) {
    throw new SallyportError('KEYSTORE_LOCKED', `the keyring gave no passphrase for the item ${source.item}`);
  }
  return { kind: 'passphrase', bytes: withoutLineEnd(result.output) };
}
