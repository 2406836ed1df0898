import type { SecretReference } from '../core/index.ts';

/** A secret as a provider has it now. */
export interface ProvidedSecret {
  /** Never empty. */
  readonly value: string;
  /** What tells this value from the one before: a version of the provider, or a short digest that says nothing of the value. */
  readonly version: string;
}

/** Fetches secrets of the schemes that it serves. Every failure is a typed error; nothing resolves to an empty value. */
export interface SecretProvider {
  /**
   * @throws SallyportError SECRET_NOT_FOUND, SECRET_DELETED, SECRET_ACCESS_DENIED, SECRET_UNAVAILABLE
   */
  resolve(reference: SecretReference, signal: AbortSignal): Promise<ProvidedSecret>;
}
