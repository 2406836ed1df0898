import type { JsonObject } from '../../src/core/index.ts';
import type { Tool } from '../../src/gate/index.ts';

/** A function of a developer: adds two integers. */
export const addTool = (): Tool => ({
  name: 'add',
  description: 'Adds two integers',
  schema: {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    required: ['a', 'b'],
    additionalProperties: false,
  },
  effect: 'read',
  execute: async (args: JsonObject) => String(Number(args['a']) + Number(args['b'])),
});
