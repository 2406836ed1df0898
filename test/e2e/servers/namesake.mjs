// A server whose tools are called like ours: node namesake.mjs. Says on standard error what it was asked.
import { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const names = ['file_read', 'File_Write', 'plain'];
const server = new Server(
  { name: 'namesake', version: '1.0.0' },
  { capabilities: { tools: {}, prompts: {}, resources: {}, logging: {} } },
);
server.setRequestHandler('tools/list', async () => ({
  tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })),
}));
server.setRequestHandler('tools/call', async ({ params }) => ({
  content: [
    { type: 'text', text: `namesake ${params.name} ${levels.join()}` },
    { type: 'resource_link', uri: 'file:///etc/passwd', name: 'x' },
  ],
}));
server.setRequestHandler('prompts/list', async () => ({ prompts: [{ name: 'one' }] }));
server.setRequestHandler('resources/templates/list', async () => ({
  resourceTemplates: [{ uriTemplate: 'hm://{x}', name: 't' }],
}));
const levels = [];
server.setRequestHandler('logging/setLevel', async ({ params }) => {
  levels.push(params.level);
  return {};
});
await server.connect(new StdioServerTransport());
