// A server of the stateless revision (2026-07-28) on the SDK. Usage: node modern.mjs stdio | node modern.mjs http
// Over HTTP it prints the port it listens on.
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, inputRequired, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const tools = [
  { name: 'echo', description: 'Returns what it was sent', inputSchema: { type: 'object' } },
  { name: 'ask', description: 'Asks the user first', inputSchema: { type: 'object' } },
];

const build = () => {
  const server = new Server({ name: 'modern', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', async () => ({ tools }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    if (params.name === 'ask') {
      return inputRequired({
        inputRequests: {
          q: inputRequired.elicit({ message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }),
        },
      });
    }
    return {
      content: [{ type: 'text', text: JSON.stringify(params.arguments) }],
      structuredContent: params.arguments ?? {},
    };
  });
  return server;
};

if (process.argv[2] === 'http') {
  const handler = toNodeHandler(createMcpHandler(build, { legacy: 'reject' }));
  const server = createServer((request, response) => void handler(request, response));
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
} else {
  serveStdio(build, { legacy: 'reject' });
}
