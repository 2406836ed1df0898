/** Secrets: what the model must never see. References, the places that keep values, and handles that show their names. */
export { disposeSecret, type SecretHandle, useSecret } from './handle.ts';
export { checkReferences, listSecrets, type ReferenceCheck, setSecret } from './inventory.ts';
export { DEFAULT_SECRET_LIMITS, type SecretLimits } from './limits.ts';
export type { ProvidedSecret, SecretProvider } from './provider.ts';
export { type ProviderConfiguration, readProviderConfiguration } from './providers/configuration.ts';
export { Keystore, type KeystoreListing, type KeystoreOptions } from './providers/keystore/keystore.ts';
export type { KeystoreKey } from './providers/keystore/unlock.ts';
export { type OpenedProviders, type OpenProvidersOptions, openProviders } from './providers/open-providers.ts';
export { createRedactor, type Redactor } from './redact/index.ts';
export { type ResolvedSecret, type ResolverOptions, SecretResolver } from './resolver.ts';
