import {
  isSallyportError,
  type JsonObject,
  type JsonValue,
  list,
  object,
  oneOf,
  optional,
  parseReference,
  type Reader,
  SallyportError,
  type SecretReference,
  shape,
  text,
  yesOrNo,
} from '../../core/index.ts';
import type { AwsOptions } from './aws/client.ts';
import type { AwsSsmOptions } from './aws/ssm.ts';
import type { ExecCommand } from './exec.ts';
import type { FileProviderOptions } from './file.ts';

/** Where the key of the keystore comes from. */
export type KeystoreKeyPlace =
  | { readonly file: string }
  | { readonly passphraseFile: string }
  | { readonly keyring: string };

/** How the keeper logs in to Vault; credentials are references to places of this machine. */
export type VaultAuthPlace =
  | { readonly kind: 'token'; readonly token: SecretReference; readonly wrapped: boolean }
  | {
      readonly kind: 'approle';
      readonly roleId: string;
      readonly secretId: SecretReference;
      readonly wrapped: boolean;
      readonly mount: string | null;
    }
  | {
      readonly kind: 'kubernetes' | 'jwt';
      readonly role: string;
      readonly jwt: SecretReference;
      readonly mount: string | null;
    };

export interface VaultPlace {
  readonly addresses: readonly string[];
  readonly auth: VaultAuthPlace;
  readonly namespace: string | null;
  readonly mounts: ReadonlyMap<string, 1 | 2>;
  /** A file with certificates, PEM. */
  readonly certificates: string | null;
}

/** What an operator configures of providers. Variables and files need nothing. */
export interface ProviderConfiguration {
  readonly file: FileProviderOptions;
  readonly keystore: KeystoreKeyPlace | null;
  readonly exec: ReadonlyMap<string, ExecCommand>;
  readonly 'aws-ssm': AwsSsmOptions | null;
  readonly 'aws-secretsmanager': AwsOptions | null;
  readonly vault: VaultPlace | null;
}

/**
 * Reads `providers:` of a configuration; an unknown key is refused.
 * @throws SallyportError SECRET_PROVIDER_CONFIG
 */
export function readProviderConfiguration(value: JsonValue): ProviderConfiguration {
  try {
    const parts = readParts(value, 'providers');
    return Object.freeze({
      file: { folders: mapOf(parts.file?.folders ?? {}, 'providers.file.folders', oneOf('group', 'everyone')) },
      keystore: parts.keystore ?? null,
      exec: mapOf(parts.exec ?? {}, 'providers.exec', readCommand),
      'aws-ssm': parts['aws-ssm'] ?? null,
      'aws-secretsmanager': parts['aws-secretsmanager'] ?? null,
      vault: parts.vault ?? null,
    });
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError('SECRET_PROVIDER_CONFIG', cause.message, { cause });
  }
}

interface Parts {
  readonly file?: { readonly folders?: JsonObject };
  readonly keystore?: KeystoreKeyPlace;
  readonly exec?: JsonObject;
  readonly 'aws-ssm'?: AwsSsmOptions;
  readonly 'aws-secretsmanager'?: AwsOptions;
  readonly vault?: VaultPlace;
}

const WORD = text(1_024);
const PATH: Reader<string> = (value, name) => {
  const path = text(4_096)(value, name);
  if (path.startsWith('/')) return path;
  throw new SallyportError('SECRET_PROVIDER_CONFIG', `expected an absolute path in ${name}`);
};

/** Credentials of the keeper lie on this machine: a provider that needs another one could wait for itself. */
const LOCAL: Reader<SecretReference> = (value, name) => {
  const reference = parseReference(WORD(value, name));
  if (['env', 'file', 'keystore', 'exec'].includes(reference.scheme)) return reference;
  throw new SallyportError('SECRET_PROVIDER_CONFIG', `expected a reference env:, file:, keystore: or exec: in ${name}`);
};

const words: Reader<readonly string[]> = (value, name) => list(value, name).map((word) => WORD(word, name));

const readCommand = shape<ExecCommand>({
  command: words,
  environment: optional(words),
  timeoutMs: optional(milliseconds),
});

const readKeystore: Reader<KeystoreKeyPlace> = (value, name) => {
  const { key } = shape<{ key: JsonObject }>({ key: object })(value, name);
  if ('file' in key) return shape<{ file: string }>({ file: PATH })(key, `${name}.key`);
  if ('keyring' in key) return shape<{ keyring: string }>({ keyring: text(64) })(key, `${name}.key`);
  return shape<{ passphraseFile: string }>({ passphraseFile: PATH })(key, `${name}.key`);
};

const awsReaders = { region: optional(WORD), endpoint: optional(WORD) };

const readVault: Reader<VaultPlace> = (value, name) => {
  const parts = shape<{
    address?: string;
    addresses?: readonly string[];
    auth: JsonObject;
    namespace?: string;
    mounts?: JsonObject;
    certificates?: string;
  }>({
    address: optional(WORD),
    addresses: optional(words),
    auth: object,
    namespace: optional(WORD),
    mounts: optional(object),
    certificates: optional(PATH),
  })(value, name);
  return {
    addresses: [...(parts.address === undefined ? [] : [parts.address]), ...(parts.addresses ?? [])],
    auth: readAuth(parts.auth, `${name}.auth`),
    namespace: parts.namespace ?? null,
    mounts: mapOf(parts.mounts ?? {}, `${name}.mounts`, kvVersion),
    certificates: parts.certificates ?? null,
  };
};

function readAuth(value: JsonObject, name: string): VaultAuthPlace {
  const [kind, ...more] = Object.keys(value);
  const of = `${name}.${kind}`;
  if (more.length > 0) throw new SallyportError('SECRET_PROVIDER_CONFIG', `expected one way to log in under ${name}`);
  switch (oneOf('token', 'approle', 'kubernetes', 'jwt')(kind, name)) {
    case 'token': {
      const { from, wrapped } = shape<{ from: SecretReference; wrapped?: boolean }>({
        from: LOCAL,
        wrapped: optional(yesOrNo),
      })(value['token'], of);
      return { kind: 'token', token: from, wrapped: wrapped ?? false };
    }
    case 'approle': {
      const readers = { roleId: WORD, secretId: LOCAL, wrapped: optional(yesOrNo), mount: optional(WORD) };
      const parts = shape<{ roleId: string; secretId: SecretReference; wrapped?: boolean; mount?: string }>(readers)(
        value['approle'],
        of,
      );
      return {
        kind: 'approle',
        roleId: parts.roleId,
        secretId: parts.secretId,
        wrapped: parts.wrapped ?? false,
        mount: parts.mount ?? null,
      };
    }
    case 'kubernetes':
      return readRole('kubernetes', value['kubernetes'], of);
    case 'jwt':
      return readRole('jwt', value['jwt'], of);
  }
}

function readRole(kind: 'kubernetes' | 'jwt', value: JsonValue | undefined, name: string): VaultAuthPlace {
  const readers = { role: WORD, jwt: LOCAL, mount: optional(WORD) };
  const parts = shape<{ role: string; jwt: SecretReference; mount?: string }>(readers)(value, name);
  return { kind, role: parts.role, jwt: parts.jwt, mount: parts.mount ?? null };
}

const kvVersion: Reader<1 | 2> = (value, name) => {
  if (value === 1 || value === 2) return value;
  throw new SallyportError('SECRET_PROVIDER_CONFIG', `expected 1 or 2, the version of the KV engine, in ${name}`);
};

function milliseconds(value: JsonValue | undefined, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= 60_000) return value;
  throw new SallyportError('SECRET_PROVIDER_CONFIG', `expected milliseconds up to 60000 in ${name}`);
}

const mapOf = <T>(value: JsonObject, name: string, read: Reader<T>): ReadonlyMap<string, T> =>
  new Map(Object.entries(value).map(([key, one]) => [key, read(one, `${name}.${key}`)]));

const readParts = shape<Parts>({
  file: optional(shape<{ folders?: JsonObject }>({ folders: optional(object) })),
  keystore: optional(readKeystore),
  exec: optional(object),
  'aws-ssm': optional(shape<AwsSsmOptions>({ ...awsReaders, allowPlain: optional(yesOrNo) })),
  'aws-secretsmanager': optional(shape<AwsOptions>(awsReaders)),
  vault: optional(readVault),
});
