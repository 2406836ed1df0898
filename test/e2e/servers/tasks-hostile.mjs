// A server on stdio, without any SDK, that breaks the rules of tasks: what its tools do is in their names.
import { createInterface } from 'node:readline';

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const at = '2026-01-01T00:00:00Z';
const task = { taskId: 'mine', status: 'working', createdAt: at, lastUpdatedAt: at, ttl: null };
const TASKS = {
  wordy: { ...task, statusMessage: 'x'.repeat(10_000), pollInterval: 1_000_000_000, _meta: { a: 1 }, secret: 'b' },
  other: task,
  'no-id': { ...task, taskId: undefined },
  'long-id': { ...task, taskId: 'x'.repeat(257) },
  'bad-status': { ...task, status: 'done' },
  'bad-time': { ...task, createdAt: 'yesterday' },
  'bad-ttl': { ...task, ttl: '1' },
  'no-task': 7,
};
const tools = [...Object.keys(TASKS), 'hasty', 'ask'].map((name) => ({
  ...{ name, inputSchema: { type: 'object' }, execution: { taskSupport: 'optional' } },
}));
const text = (value) => ({ content: [{ type: 'text', text: value }] });
let asking = null;

function call(id, name) {
  if (name !== 'ask') return send({ id, result: name === 'hasty' ? text('at once') : { task: TASKS[name] } });
  asking = id;
  const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
  const _meta = { 'io.modelcontextprotocol/related-task': { taskId: 'mine' } };
  return send({ id: 'q', method: 'elicitation/create', params: { message: 'Name?', requestedSchema, _meta } });
}

const ANSWERS = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, tasks: { requests: { tools: { call: {} } } } },
    serverInfo: { name: 'hostile', version: '1' },
  }),
  'tools/list': () => ({ tools }),
  'tasks/get': () => ({ ...task, taskId: 'another' }),
  'tasks/result': () => text('the result of another'),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params, result, error } = JSON.parse(line);
  if (id === 'q')
    send({ id: asking, result: text(error === undefined ? JSON.stringify(result) : `refused ${error.code}`) });
  else if (method === 'tools/call') call(id, params.name);
  else if (id !== undefined) send({ id, result: ANSWERS[method]?.() ?? {} });
});
