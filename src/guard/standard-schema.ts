import { SallyportError } from '../core/index.ts';

/** The part of Standard Schema V1 (https://standardschema.dev) that validating needs; zod, valibot and arktype have it. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

/** What a Standard Schema says of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** True for a value with the interface of Standard Schema V1. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value))
    return false;
  const standard: unknown = value['~standard'];
  if (typeof standard !== 'object' || standard === null) return false;
  return (
    'version' in standard && standard.version === 1 && 'validate' in standard && typeof standard.validate === 'function'
  );
}

/**
 * The value as the schema gives it back.
 *
 * @throws SallyportError RESULT_MALFORMED when it does not fit, or when the validator itself throws
 */
export async function validateStandard<Output>(schema: StandardSchema<Output>, value: unknown): Promise<Output> {
  let result: StandardResult<Output>;
  try {
    result = await schema['~standard'].validate(value);
  } catch (cause) {
    throw new SallyportError('RESULT_MALFORMED', 'the validator of the result failed', { cause });
  }
  if (result.issues === undefined) return result.value;
  const [first] = result.issues;
  throw new SallyportError(
    'RESULT_MALFORMED',
    `the result does not fit its validator: ${first?.message ?? 'no reason given'}`,
  );
}
