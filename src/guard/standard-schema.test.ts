import { expect, test } from 'vitest';
import { z } from 'zod';
import { isStandardSchema, validateStandard } from './standard-schema.ts';

const schema = z.object({ city: z.string(), degrees: z.number().max(60) });

test('zod is a Standard Schema, other things are not', () => {
  expect(isStandardSchema(schema)).toBe(true);
  for (const other of [null, {}, 'x', { '~standard': null }, { '~standard': { version: 2, validate: () => 1 } }]) {
    expect(isStandardSchema(other)).toBe(false);
  }
});

test('a value that fits comes back', async () => {
  expect(await validateStandard(schema, { city: 'Bonn', degrees: 21, extra: 1 })).toEqual({
    city: 'Bonn',
    degrees: 21,
  });
});

test('a value that does not fit, and a validator that throws, are refused', async () => {
  await expect(validateStandard(schema, { city: 'Bonn', degrees: 99 })).rejects.toMatchObject({
    code: 'RESULT_MALFORMED',
  });
  const broken = {
    '~standard': {
      version: 1,
      vendor: 'x',
      validate: () => {
        throw new Error('no');
      },
    },
  } as const;
  await expect(validateStandard(broken, 1)).rejects.toMatchObject({ code: 'RESULT_MALFORMED' });
});
