// A server with all of MCP on the SDK, in every revision that a client asks for.
// Usage: node full.mjs stdio [more] | node full.mjs http [more]; `more`: a prompt and a resource besides. Over HTTP it prints its port, and has sessions for the older revisions.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { acceptedContent, createMcpHandler, inputRequired, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const text = (value) => ({
  content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }],
});
const tool = (name) => ({ name, description: `The tool ${name}`, inputSchema: { type: 'object' } });
const tools = ['echo', 'ask', 'sample', 'roots', 'progress', 'log', 'touch', 'change', 'slow', 'crash', 'drop'].map(
  tool,
);
const form = (name) => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] });
const hasMore = process.argv[3] === 'more';
const open = new Set();
const standing = new Set();
let modern = null;
let version = 1;

/** Tells every client: those of sessions each, those without over the streams they opened. */
async function tell(act, publish) {
  await Promise.all([...open].map((server) => act(server).catch(() => undefined)));
  publish?.(modern?.notify);
}

const TOOLS = {
  echo: async ({ params }) => text(params.arguments ?? {}),
  // Two rounds: the second asks for what the first does not know yet.
  ask: async (_, { mcpReq }) => {
    const state = mcpReq.requestState();
    const name = state ?? acceptedContent(mcpReq.inputResponses, 'name')?.name;
    if (mcpReq.inputResponses?.name?.action === 'decline') return text('nobody answers');
    const color = acceptedContent(mcpReq.inputResponses, 'color')?.color;
    if (name === undefined) {
      return inputRequired({
        inputRequests: { name: inputRequired.elicit({ message: 'Name?', requestedSchema: form('name') }) },
      });
    }
    if (color !== undefined) return text(`${name} likes ${color}`);
    const question = inputRequired.elicit({ message: 'Color?', requestedSchema: form('color') });
    return inputRequired({ inputRequests: { color: question }, requestState: name });
  },
  sample: async (_, { mcpReq }) => {
    const answer = mcpReq.inputResponses?.text;
    if (answer !== undefined) return text(answer.content);
    const messages = [{ role: 'user', content: { type: 'text', text: 'Say something' } }];
    return inputRequired({ inputRequests: { text: inputRequired.createMessage({ messages, maxTokens: 10 }) } });
  },
  roots: async (_, { mcpReq }) => {
    const answer = mcpReq.inputResponses?.roots;
    if (answer !== undefined) return text(answer.roots);
    return inputRequired({ inputRequests: { roots: inputRequired.listRoots() } });
  },
  progress: async ({ params }, { mcpReq }) => {
    const progressToken = params._meta?.progressToken ?? mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= 3; progress++) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
    }
    return text('done');
  },
  log: async (_, { mcpReq }) => {
    for (const level of ['debug', 'error']) await mcpReq.log(level, `a message of the level ${level}`, 'full');
    return text('logged');
  },
  touch: async ({ params }) => {
    const uri = params.arguments?.uri ?? 'demo://one';
    await tell(
      (server) => server.sendResourceUpdated({ uri }),
      (notify) => notify?.resourceUpdated(uri),
    );
    return text('touched');
  },
  change: async () => {
    version += 1;
    await tell(
      (server) => server.sendToolListChanged(),
      (notify) => notify?.toolsChanged(),
    );
    return text('changed');
  },
  // Breaks the streams that wait for changes.
  drop: async () => {
    for (const response of standing) response.destroy();
    return text('dropped');
  },
  crash: async () => process.exit(7),
  slow: async (_, { mcpReq }) => {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 60_000);
      mcpReq.signal.addEventListener('abort', () => resolve(clearTimeout(timer)));
    });
    return text('slow');
  },
};

const HANDLERS = {
  'tools/list': async ({ params }) =>
    params?.cursor === undefined
      ? { tools: tools.slice(0, 5), nextCursor: 'more' }
      : { tools: tools.slice(5).map((each) => (each.name === 'change' ? { ...each, title: `v${version}` } : each)) },
  'tools/call': (request, context) => TOOLS[request.params.name](request, context),
  'prompts/list': async () => ({
    prompts: [
      { name: 'greet', title: 'Greets', arguments: [{ name: 'who', required: true }] },
      ...(hasMore ? [{ name: 'betray' }] : []),
    ],
  }),
  'prompts/get': async ({ params }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${params.arguments?.who}` } }],
  }),
  'resources/list': async () => ({
    resources: [{ uri: 'demo://one', name: 'one' }, ...(hasMore ? [{ uri: 'demo://secret', name: 'secret' }] : [])],
  }),
  'resources/templates/list': async () => ({ resourceTemplates: [{ uriTemplate: 'demo://{name}', name: 'demo' }] }),
  'resources/read': async ({ params }) => ({ contents: [{ uri: params.uri, text: `content of ${params.uri}` }] }),
  'completion/complete': async ({ params }) => ({ completion: { values: [`${params.argument.value}!`] } }),
};
const SUBSCRIPTIONS = { 'resources/subscribe': async () => ({}), 'resources/unsubscribe': async () => ({}) };

const CAPABILITIES = {
  ...{ tools: { listChanged: true }, prompts: { listChanged: true }, completions: {}, logging: {} },
  resources: { subscribe: true, listChanged: true },
};

function build({ era } = { era: 'legacy' }) {
  const server = new Server(
    { name: 'full', version: '1.0.0' },
    { capabilities: CAPABILITIES, instructions: 'All of it', requestState: { verify: (state) => state } },
  );
  const handlers = era === 'modern' ? HANDLERS : { ...HANDLERS, ...SUBSCRIPTIONS };
  for (const [method, handler] of Object.entries(handlers)) server.setRequestHandler(method, handler);
  open.add(server);
  server.onclose = () => open.delete(server);
  return server;
}

const sessions = new Map();
async function overSession(request, response, body) {
  const known = sessions.get(request.headers['mcp-session-id']);
  if (known !== undefined) return known.handleRequest(request, response, body);
  if (body?.method !== 'initialize') return response.writeHead(404).end();
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
    onsessionclosed: (id) => sessions.delete(id),
  });
  await build().connect(transport);
  return transport.handleRequest(request, response, body);
}

if (process.argv[2] === 'http') {
  modern = createMcpHandler(build, { legacy: 'reject' });
  const handler = toNodeHandler(modern);
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    if (request.method === 'GET' || body?.method === 'subscriptions/listen') standing.add(response);
    response.on('close', () => standing.delete(response));
    if (request.headers['mcp-protocol-version'] === '2026-07-28') return handler(request, response, body);
    return overSession(request, response, body);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
} else {
  serveStdio(build);
}
