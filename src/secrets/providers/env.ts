import { checkValue, failure, type SecretProvider } from '../provider.ts';

export interface EnvProviderOptions {
  /** The variables, read at each fetch. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface EnvProvider extends SecretProvider {
  /**
   * The variables that were read, sorted. A child inherits them and /proc shows them, so the keeper starts itself again
   * without them, and no child gets them.
   */
  variablesRead(): readonly string[];
}

/** `env:NAME`: a variable of the keeper's own environment. */
export function envProvider(options: EnvProviderOptions): EnvProvider {
  const read = new Set<string>();
  return {
    scheme: 'env',
    variablesRead: () => [...read].sort(),
    async resolve(reference) {
      const value = Object.hasOwn(options.environment, reference.path)
        ? options.environment[reference.path]
        : undefined;
      if (value === undefined) throw failure('SECRET_NOT_FOUND', reference, 'there is no such variable');
      read.add(reference.path);
      return { value: checkValue(Buffer.from(value, 'utf8'), reference), version: null };
    },
  };
}
