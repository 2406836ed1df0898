import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  isJsonObject,
  isSallyportError,
  type JsonValue,
  parseStrictJson,
  SallyportError,
  type SecretReference,
} from '../core/index.ts';
import {
  disposeSecret,
  type OpenedProviders,
  openProviders,
  readProviderConfiguration,
  SecretResolver,
  useSecret,
} from '../secrets/index.ts';

/** A value as it was fetched. */
export interface SourcedSecret {
  readonly value: string;
  /** As its provider counts; `-` where it does not. */
  readonly version: string;
}

/** Where the keeper gets values from. */
export interface SecretSource {
  /** @throws SallyportError with the codes of docs/secrets.md; never an empty value */
  resolve(reference: SecretReference, signal: AbortSignal): Promise<SourcedSecret>;
  close?(): Promise<void>;
}

/** The files of secrets in a state folder: how providers are reached, and the keystore. */
export const secretFiles = (state: string): { readonly configuration: string; readonly keystore: string } => ({
  configuration: join(state, 'secrets.json'),
  keystore: join(state, 'keystore.json'),
});

/**
 * The providers that the operator configured in `secrets.json` of the state folder, which no tool can reach: a policy says which
 * secrets go where, and starts no program of the keeper's.
 *
 * @throws SallyportError SECRET_PROVIDER_CONFIG
 */
export function openConfiguredProviders(state: string, environment: NodeJS.ProcessEnv): OpenedProviders {
  const files = secretFiles(state);
  const configuration = readProviderConfiguration(readProviders(files.configuration));
  return openProviders({ configuration, environment, keystorePath: files.keystore });
}

/** The same as a source, opened when the first secret is asked for: what is wrong with it harms nobody who needs none. */
export function configuredSource(state: string, environment: NodeJS.ProcessEnv): SecretSource {
  let resolver: SecretResolver | null = null;
  return {
    resolve: async (reference, signal) => {
      resolver ??= new SecretResolver({ providers: openConfiguredProviders(state, environment).providers });
      const { handle, version } = await resolver.resolve(reference, { signal });
      try {
        return { value: await useSecret(handle, (value) => value.toString('utf8')), version: version ?? '-' };
      } finally {
        disposeSecret(handle);
      }
    },
    close: async () => resolver?.close(),
  };
}

const LIMITS = { maxBytes: 262_144, maxDepth: 16 };

/** `providers:` of the file; none where there is no file. INVARIANT: nobody else may write it: it names programs to start. */
function readProviders(path: string): JsonValue {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return {};
  if ((mode & 0o022) !== 0) throw misconfigured(path, 'others can write it: chmod 600');
  const value = parse(path);
  const { providers, ...rest } = isJsonObject(value) ? value : {};
  if (providers === undefined || Object.keys(rest).length > 0) throw misconfigured(path, 'expected {"providers": {…}}');
  return providers;
}

function parse(path: string): JsonValue {
  try {
    return parseStrictJson(readFileSync(path, 'utf8'), LIMITS);
  } catch (cause) {
    throw misconfigured(path, isSallyportError(cause) ? cause.message : 'it cannot be read');
  }
}

const misconfigured = (path: string, why: string): SallyportError =>
  new SallyportError('SECRET_PROVIDER_CONFIG', `${path}: ${why}`);
