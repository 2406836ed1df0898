/** What must the model never see? References are resolved here, and known values removed from everything that leaves. */
export type { ProvidedSecret, SecretProvider } from './provider.ts';
export * from './redact/index.ts';
