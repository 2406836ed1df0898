import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/index.ts';
import { checkParams } from './client-params.ts';

const argument = { name: 'x', value: '' };

describe('checkParams', () => {
  it.each<[string, JsonObject]>([
    ['tools/list', {}],
    ['tools/list', { cursor: 'next' }],
    ['tools/call', { name: 'a' }],
    ['tools/call', { name: 'a', arguments: { deep: [1] } }],
    ['prompts/get', { name: 'a', arguments: { b: 'c' } }],
    ['resources/read', { uri: 'a:b' }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument }],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'a:b' }, argument, context: {} }],
    ['logging/setLevel', { level: 'emergency' }],
    ['tasks/get', { taskId: 't' }],
  ])('takes %s with %j', (method, params) => {
    expect(() => checkParams(method, params, 20)).not.toThrow();
  });

  it.each<[string, JsonObject]>([
    ['tools/list', { cursor: 1 }],
    ['tools/list', { cursor: 'x'.repeat(21) }],
    ['tools/call', {}],
    ['tools/call', { name: '' }],
    ['tools/call', { name: 'a', arguments: [] }],
    ['prompts/get', { name: 'a', arguments: { b: 1 } }],
    ['resources/read', { uri: ['a:b'] }],
    ['resources/subscribe', { uri: 'x'.repeat(21) }],
    ['completion/complete', { ref: { type: 'ref/other', name: 'p' }, argument }],
    ['completion/complete', { ref: { type: 'ref/prompt' }, argument }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'x', value: 1 } }],
    ['logging/setLevel', { level: 'loud' }],
    ['tasks/cancel', { taskId: 1 }],
  ])('refuses %s with %j', (method, params) => {
    expect(() => checkParams(method, params, 20)).toThrow(expect.objectContaining({ code: -32_602 }));
  });
});
