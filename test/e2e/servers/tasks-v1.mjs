// A server on the first SDK, on stdio, whose tools go on as tasks: they end when the tool `end` is called, as that says.
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const server = new Server(
  { name: 'tasks', version: '1' },
  {
    capabilities: { tools: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
    taskStore: new InMemoryTaskStore(),
    taskMessageQueue: new InMemoryTaskMessageQueue(),
  },
);
const form = (...names) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
});
const tools = [
  { name: 'research', inputSchema: form('topic'), outputSchema: form('topic'), execution: { taskSupport: 'optional' } },
  { name: 'plain', inputSchema: form('topic') },
  { name: 'end', inputSchema: form('status', 'result') },
];
const text = (value) => ({ content: [{ type: 'text', text: value }] });
const working = [];

server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools }));
server.setRequestHandler(CallToolRequestSchema, async ({ params }, { taskStore }) => {
  const { name, task, arguments: args = {} } = params;
  if (name === 'research' && task !== undefined) {
    const created = await taskStore.createTask({ ttl: task.ttl, pollInterval: 1 });
    working.push({ taskId: created.taskId, taskStore });
    return { task: created };
  }
  if (name !== 'end')
    return { ...text(`${name} at once`), ...(name === 'research' ? { structuredContent: args } : {}) };
  for (const open of working.splice(0)) {
    if (args.status === 'input_required') await open.taskStore.updateTaskStatus(open.taskId, args.status, 'a question');
    else await open.taskStore.storeTaskResult(open.taskId, args.status, JSON.parse(args.result));
  }
  return text('ended');
});
await server.connect(new StdioServerTransport());
