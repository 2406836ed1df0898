// What the gateway is measured beside, each a process of its own: an echo server, and a proxy that does nothing but
// forward, both as the official SDK makes them. node bench/mcp-peers.mjs ROLE [ADDRESS]; on HTTP it prints its address.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/** The script of the peers. */
export const PEERS = fileURLToPath(import.meta.url);

const newClient = () => new Client({ name: 'bench', version: '0' });

/** A client of a process that it starts. */
export async function clientOnStdio(...args) {
  const client = newClient();
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }));
  return client;
}

/** A client of a server that listens. */
export async function clientOnHttp(url) {
  const client = newClient();
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

const tools = [
  {
    name: 'echo',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
  },
];
const echo = {
  list: async () => ({ tools }),
  call: async ({ arguments: { message } }) => ({ content: [{ type: 'text', text: message }] }),
};
const forward = (client) => ({
  list: () => client.listTools(),
  call: ({ name, arguments: args }) => client.callTool({ name, arguments: args }),
});

function serverOf({ list, call }) {
  const server = new Server({ name: 'echo', version: '0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', list);
  server.setRequestHandler('tools/call', ({ params }) => call(params));
  return server;
}

const onStdio = (behaviour) => serverOf(behaviour).connect(new StdioServerTransport());

/** Serves over Streamable HTTP with sessions, as the SDK does it. */
function onHttp(behaviour) {
  const sessions = new Map();
  const server = createServer(async (request, response) => {
    const known = sessions.get(request.headers['mcp-session-id']);
    if (known !== undefined) return known.handleRequest(request, response);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await serverOf(behaviour).connect(transport);
    return transport.handleRequest(request, response);
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
}

const ROLES = {
  'server-stdio': () => onStdio(echo),
  'server-http': () => onHttp(echo),
  'proxy-stdio': async () => onStdio(forward(await clientOnStdio(PEERS, 'server-stdio'))),
  'proxy-http': async (url) => onHttp(forward(await clientOnHttp(url))),
};

if (process.argv[1] === PEERS) await ROLES[process.argv[2]](process.argv[3]);
