// The upstream that implements the scenarios of the official suite, on the official SDK, in the revisions with sessions and
// in the stateless one: node server.mjs prints its address on loopback; node server.mjs --stdio speaks on standard input.
import { createServer } from 'node:http';
import { localhostHostValidation, NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { classifyInboundRequest, createMcpHandler, isInitializeRequest } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { buildServer } from './build-server.mjs';
import { eventStore } from './event-store.mjs';

const sessions = new Map();
const closeStream = ({ sessionId, mcpReq }) => sessions.get(sessionId)?.closeSSEStream(mcpReq.id);
const stateless = createMcpHandler(() => buildServer({ notify: stateless.notify }), {
  onerror: (error) => console.error(String(error)),
});
const serveStateless = toNodeHandler(stateless);
const isLocal = localhostHostValidation();

async function openSession() {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    eventStore: eventStore(),
    retryInterval: 1_000,
    onsessioninitialized: (id) => sessions.set(id, transport),
    onsessionclosed: (id) => sessions.delete(id),
  });
  await buildServer({ closeStream }).connect(transport);
  return transport;
}

const refuse = (response, status, code, message) =>
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }));

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined; // the SDK answers what is no JSON
  }
}

async function serve(request, response) {
  if (!isLocal(request, response)) return;
  const body = request.method === 'POST' ? await bodyOf(request) : undefined;
  const { headers } = request;
  const { kind } = classifyInboundRequest({
    httpMethod: request.method,
    protocolVersionHeader: headers['mcp-protocol-version'],
    mcpMethodHeader: headers['mcp-method'],
    body,
  });
  const id = headers['mcp-session-id'];
  if (kind !== 'legacy') return serveStateless(request, response, body);
  if (id === undefined && isInitializeRequest(body))
    return (await openSession()).handleRequest(request, response, body);
  if (id === undefined) return refuse(response, 400, -32_000, 'Bad Request: Session ID required');
  const known = sessions.get(id);
  if (known === undefined) return refuse(response, 404, -32_001, 'Session not found');
  return known.handleRequest(request, response, body);
}

function listen() {
  const http = createServer((request, response) => {
    serve(request, response).catch((error) => {
      console.error(String(error));
      if (response.headersSent) response.destroy();
      else refuse(response, 500, -32_603, 'Internal error');
    });
  });
  http.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${http.address().port}/mcp`));
}

if (process.argv[2] === '--stdio') serveStdio(() => buildServer());
else listen();
