// Tools that answer by themselves: every kind of content, progress, logging, an error, a stream that breaks off.
import { fromJsonSchema } from '@modelcontextprotocol/server';
import { AUDIO, image, object, pause, text, textResult } from './fixtures.mjs';

const embedded = (uri, mimeType, value) => ({ type: 'resource', resource: { uri, mimeType, text: value } });

/** The vocabulary of JSON Schema 2020-12 that must survive `tools/list` (SEP-1613, SEP-2106). */
const WIDE_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

/** An argument that clients mirror into the header `Mcp-Param-Region` (SEP-2243). */
const HEADER_SCHEMA = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer' } },
};

const fixedAnswers = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [image],
  test_audio_content: [{ type: 'audio', ...AUDIO }],
  test_embedded_resource: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  test_multiple_content_types: [
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ],
  // Its stream must carry the answer and no request of ours (SEP-2575).
  test_streaming_elicitation: [text('a stream without requests')],
};

async function logThreeTimes(_args, { mcpReq }) {
  for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
    await pause(50);
  }
  return textResult('Tool with logging executed successfully');
}

/** Reports only when the request carries a token (MCP 2025-11-25, progress). */
async function reportProgress(_args, { mcpReq }) {
  const progressToken = mcpReq._meta?.progressToken;
  for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
    const message = `Completed step ${progress} of 100`;
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100, message } });
    await pause(50);
  }
  return textResult(progressToken === undefined ? 'nothing to report to' : 'reported');
}

async function logWhenAsked(_args, { mcpReq }) {
  await mcpReq.log('info', 'delivered only when the request names a level');
  return textResult('logged');
}

/** Registers the tools. `closeStream(context)` ends the open stream of a call, whose answer the client then fetches. */
export function addPlainTools(server, { closeStream, notify }) {
  const add = (name, run, schema = object({})) =>
    server.registerTool(name, { description: `Fixture ${name}`, inputSchema: fromJsonSchema(schema) }, run);
  for (const [name, content] of Object.entries(fixedAnswers)) add(name, async () => ({ content }));
  add('json_schema_2020_12_tool', async (args) => textResult(JSON.stringify(args)), WIDE_SCHEMA);
  add('test_x_mcp_header', async ({ region }) => textResult(`region=${region ?? 'none'}`), HEADER_SCHEMA);
  add('test_tool_with_logging', logThreeTimes);
  add('test_tool_with_progress', reportProgress);
  add('test_logging_tool', logWhenAsked);
  add('test_error_handling', async () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  add('test_reconnection', async (_args, context) => {
    closeStream(context);
    await pause(100);
    return textResult('answered after the stream was closed');
  });
  for (const [name, changed] of [
    ['test_trigger_tool_change', () => notify.toolsChanged()],
    ['test_trigger_prompt_change', () => notify.promptsChanged()],
  ]) {
    add(name, async () => {
      changed();
      return textResult('told everybody who listens');
    });
  }
}
