import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../core/index.ts';
import { readSample, readSampling } from './sampling-forms.ts';

const text = (value: string): JsonObject => ({ type: 'text', text: value });
const noise = { _meta: { a: 1 }, annotations: { priority: 1 } };
const use = { type: 'tool_use', id: 'u1', name: 't', input: { a: 1 } };
const outcome = { type: 'tool_result', toolUseId: 'u1', content: [text('done')], isError: false };
const tools = [{ name: 't', description: 'd', inputSchema: { type: 'object' } }];

describe('readSampling', () => {
  it('keeps the fields of MCP at every depth, and no others', () => {
    const known = {
      ...{
        systemPrompt: 's\nt',
        maxTokens: 5,
        temperature: 0.5,
        stopSequences: ['.'],
        toolChoice: { mode: 'auto' },
        tools,
      },
      modelPreferences: { hints: [{ name: 'm' }], costPriority: 1 },
    };
    const media = { type: 'image', data: 'AAAA', mimeType: 'image/png' };
    const asked = readSampling({
      ...{ ...known, includeContext: 'allServers', metadata: { a: 1 }, ...noise },
      tools: tools.map((tool) => ({ ...tool, ...noise, icons: [] })),
      messages: [
        { role: 'user', content: { ...text('hi'), ...noise }, ...noise },
        {
          role: 'assistant',
          content: [
            { ...media, ...noise },
            { ...use, ...noise },
          ],
        },
        { role: 'user', content: [{ ...outcome, content: [{ ...text('done'), ...noise }], ...noise }] },
      ],
    });
    expect(asked).toEqual({
      ...known,
      messages: [
        { role: 'user', content: text('hi') },
        { role: 'assistant', content: [media, use] },
        { role: 'user', content: [outcome] },
      ],
    });
  });

  const message = { role: 'user', content: text('hi') };
  it.each<[string, JsonObject]>([
    ['no messages', {}],
    ['a message of the system', { messages: [{ ...message, role: 'system' }] }],
    ['a piece that MCP does not have', { messages: [{ role: 'user', content: { type: 'html', text: 'x' } }] }],
    ['a kind that every object has', { messages: [{ role: 'user', content: { type: 'constructor' } }] }],
    ['the use of a tool without tools', { messages: [{ role: 'assistant', content: [use] }] }],
    ['a long system prompt', { messages: [message], systemPrompt: 'x'.repeat(65_537) }],
    ['a count that is none', { messages: [message], maxTokens: 'many' }],
    ['a tool without a schema', { messages: [message], tools: [{ name: 't' }] }],
  ])('refuses %s', (_title, params) => {
    expect(() => readSampling(params)).toThrow(expect.objectContaining({ code: 'RESULT_MALFORMED' }));
  });
});

describe('readSample', () => {
  const sample = { role: 'assistant', content: text('hi'), model: 'm', stopReason: 'endTurn' };
  it('keeps known fields only', () => {
    expect(readSample({}, { ...sample, content: { ...text('hi'), ...noise }, ...noise })).toEqual(sample);
    expect(readSample({ tools }, { ...sample, content: [{ ...use, ...noise }] })).toEqual({
      ...sample,
      content: [use],
    });
  });

  it.each<{ readonly [field: string]: JsonValue }>([
    { content: [use] },
    { role: 'system' },
    { content: 'hi' },
    { content: [{ type: 'text' }] },
    { model: 7 },
  ])('refuses %j', (fields) => {
    const answer = { ...sample, ...fields };
    expect(() => readSample({}, answer)).toThrow(expect.objectContaining({ code: 'INPUT_SCHEMA_MISMATCH' }));
  });
});
