import { readFileSync } from 'node:fs';
import type { SecretReference } from '../../core/index.ts';
import { SallyportError } from '../../core/index.ts';
import { failure, type SecretProvider } from '../provider.ts';
import { awsSecretsManagerProvider } from './aws/secrets-manager.ts';
import { awsSsmProvider } from './aws/ssm.ts';
import type { KeystoreKeyPlace, ProviderConfiguration, VaultAuthPlace, VaultPlace } from './configuration.ts';
import { envProvider } from './env.ts';
import { execProvider } from './exec.ts';
import { fileProvider } from './file.ts';
import { type KeySource, readKey } from './keystore/key-source.ts';
import { Keystore } from './keystore/keystore.ts';
import { keystoreProvider } from './keystore/provider.ts';
import type { KeystoreKey } from './keystore/unlock.ts';
import type { ReadCredential, VaultAuth } from './vault/login.ts';
import { vaultProvider } from './vault/provider.ts';

export interface OpenProvidersOptions {
  readonly configuration: ProviderConfiguration;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file of the keystore, in the state folder. */
  readonly keystorePath: string;
  /** Asks a person for the key, instead of the place that is configured. */
  readonly askKey?: () => Promise<KeystoreKey>;
}

/** The providers of one configuration. */
export interface OpenedProviders {
  readonly providers: readonly SecretProvider[];
  /** Null where no key of one is configured. */
  readonly keystore: Keystore | null;
  /** The variables that references and commands read: nothing that the keeper starts gets them. */
  variablesRead(): readonly string[];
}

/**
 * Makes the providers that are configured; none is asked yet.
 * @throws SallyportError SECRET_PROVIDER_CONFIG
 */
export function openProviders(options: OpenProvidersOptions): OpenedProviders {
  const { configuration, environment } = options;
  const env = envProvider({ environment });
  const file = fileProvider(configuration.file);
  const exec = execProvider({ commands: configuration.exec, environment });
  const keystore = openKeystore(options, file);
  const local = [env, file, exec, ...(keystore === null ? [] : [keystoreProvider(keystore)])];
  const ssm = configuration['aws-ssm'];
  const manager = configuration['aws-secretsmanager'];
  return {
    keystore,
    providers: [
      ...local,
      ...(ssm === null ? [] : [awsSsmProvider(ssm)]),
      ...(manager === null ? [] : [awsSecretsManagerProvider(manager)]),
      ...(configuration.vault === null ? [] : [openVault(configuration.vault, local)]),
    ],
    variablesRead: () => [...new Set([...env.variablesRead(), ...variablesOf(configuration)])].sort(),
  };
}

const variablesOf = ({ exec }: ProviderConfiguration): readonly string[] =>
  [...exec.values()].flatMap(({ environment }) => environment ?? []);

function openKeystore(
  { configuration, keystorePath, askKey, environment }: OpenProvidersOptions,
  files: SecretProvider,
): Keystore | null {
  const place = configuration.keystore;
  if (askKey !== undefined) return new Keystore({ path: keystorePath, key: askKey });
  if (place === null) return null;
  const source = sourceOf(place, files, environment);
  return new Keystore({ path: keystorePath, key: () => readKey(source, AbortSignal.timeout(60_000)) });
}

function sourceOf(
  place: KeystoreKeyPlace,
  files: SecretProvider,
  environment: OpenProvidersOptions['environment'],
): KeySource {
  if ('file' in place) return { kind: 'key-file', path: place.file, files };
  if ('passphraseFile' in place) return { kind: 'passphrase-file', path: place.passphraseFile, files };
  const passed = ['HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'].flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    kind: 'keyring',
    item: place.keyring,
    program: '/usr/bin/secret-tool',
    environment: Object.fromEntries(passed),
  };
}

function openVault(place: VaultPlace, local: readonly SecretProvider[]): SecretProvider {
  return vaultProvider({
    addresses: place.addresses,
    mounts: place.mounts,
    auth: authOf(place.auth, local),
    ...(place.namespace === null ? {} : { namespace: place.namespace }),
    ...(place.certificates === null ? {} : { certificates: readCertificates(place.certificates) }),
  });
}

function authOf(place: VaultAuthPlace, local: readonly SecretProvider[]): VaultAuth {
  switch (place.kind) {
    case 'token':
      return { kind: 'token', token: reading(place.token, local), wrapped: place.wrapped };
    case 'approle': {
      const { roleId, wrapped } = place;
      return { kind: 'approle', roleId, wrapped, secretId: reading(place.secretId, local), ...mountOf(place.mount) };
    }
    case 'kubernetes':
    case 'jwt':
      return { kind: place.kind, role: place.role, jwt: reading(place.jwt, local), ...mountOf(place.mount) };
  }
}

const mountOf = (mount: string | null): { mount?: string } => (mount === null ? {} : { mount });

/** Read at each login, so that a token that Kubernetes replaces is the new one. */
const reading =
  (reference: SecretReference, local: readonly SecretProvider[]): ReadCredential =>
  async (signal) => {
    const provider = local.find(({ scheme }) => scheme === reference.scheme);
    if (provider === undefined) throw failure('SECRET_PROVIDER_UNKNOWN', reference, 'no such provider is configured');
    const { value } = await provider.resolve(reference, { signal });
    const read = value.toString('utf8');
    value.fill(0);
    return read;
  };

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SallyportError('SECRET_PROVIDER_CONFIG', `providers.vault.certificates: cannot read ${path}`, { cause });
  }
}
