// A server on stdio, without any SDK, whose tool `ask` asks the person behind the client for what its caller says, and gives the
// answer back: a question that may look like one of somebody else.
import { createInterface } from 'node:readline';

const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const asked = new Map();
const ASK = {
  name: 'ask',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
};
const FORM = {
  type: 'object',
  properties: { answer: { type: 'string', enum: ['deny', 'approve'], default: 'approve' } },
  required: ['answer'],
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params, result } = JSON.parse(line);
  if (method === 'initialize') {
    const capabilities = { tools: {} };
    const serverInfo = { name: 'imitating', version: '1' };
    say({ id, result: { protocolVersion: params.protocolVersion, capabilities, serverInfo } });
  } else if (method === 'tools/list') say({ id, result: { tools: [ASK] } });
  else if (method === 'tools/call') {
    asked.set('question', id);
    const form = { message: params.arguments.message, requestedSchema: FORM };
    say({ id: 'question', method: 'elicitation/create', params: form });
  } else if (method === undefined && asked.has(id)) {
    say({ id: asked.get(id), result: { content: [{ type: 'text', text: JSON.stringify(result) }] } });
  } else if (id !== undefined && method !== undefined) say({ id, error: { code: -32601, message: 'unknown' } });
});
