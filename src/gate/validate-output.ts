import { SallyportError } from '../core/index.ts';
import { isStandardSchema, validateStandard } from '../guard/index.ts';
import type { InboundDelivered } from './inbound.ts';
import type { OutputValidator } from './tool.ts';

/**
 * Holds what is to be delivered against the check of its developer, for at most `milliseconds`.
 *
 * @throws SallyportError RESULT_MALFORMED
 */
export async function validateOutput(
  validator: OutputValidator,
  delivered: InboundDelivered,
  milliseconds: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new SallyportError('RESULT_MALFORMED', 'the validator of the result does not end');
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    await Promise.race([check(validator, delivered), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function check(validator: OutputValidator, delivered: InboundDelivered): Promise<void> {
  const { content, structuredContent, isError, text } = delivered;
  if (isStandardSchema(validator)) return void (await validateStandard(validator, structuredContent ?? text));
  const output = { content, isError, ...(structuredContent === undefined ? {} : { structuredContent }) };
  const answer = await call(validator, output);
  if (answer === false) throw new SallyportError('RESULT_MALFORMED', 'the result does not fit its validator');
}

async function call(
  validator: Exclude<OutputValidator, { '~standard': unknown }>,
  output: Parameters<typeof validator>[0],
): Promise<unknown> {
  try {
    return await validator(output);
  } catch (cause) {
    // What it throws may quote the result: it is not told.
    throw new SallyportError('RESULT_MALFORMED', 'the result does not fit its validator', { cause });
  }
}
