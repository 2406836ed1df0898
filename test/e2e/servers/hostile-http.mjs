// A remote server on raw HTTP, so that it can break every rule. Usage: node hostile-http.mjs MODE; prints its port.
import { createServer } from 'node:http';

const [mode = 'plain'] = process.argv.slice(2);
const echo = { name: 'echo', inputSchema: { type: 'object' } };
let calls = 0;

const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
const result = (id, value) => ({ jsonrpc: '2.0', id, result: value });
const events = (response, text) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(text);
};

/** A body of 1 GiB. */
const giant = (response, type) => {
  response.writeHead(200, { 'content-type': type });
  response.write(type === 'text/event-stream' ? 'data: {"x":"' : '{"x":"');
  let left = 1_024;
  const next = () => {
    while (left > 0 && !response.destroyed && response.write('x'.repeat(1_048_576))) left -= 1;
    if (left > 0) response.once('drain', next);
    else response.end();
  };
  next();
};

const CALLS = {
  redirect: (response) => json(response, 307, '', { location: 'http://127.0.0.1:9/mcp' }),
  unauthorized: (response) => json(response, 401, '{}'),
  broken: (response) => response.destroy(),
  hang: () => undefined,
  'flood-json': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const next = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      response.once('drain', next);
    };
    next();
  },
  'flood-events': (response) => {
    events(response, 'data: ');
    const next = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      response.once('drain', next);
    };
    next();
  },
  'giant-json': (response) => giant(response, 'application/json'),
  'giant-events': (response) => giant(response, 'text/event-stream'),
  // Bytes, but never an end.
  drip: (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(timer));
  },
  headers: (response) => {
    response.socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => response.socket?.write('x-more: y\r\n'), 50);
    response.on('close', () => clearInterval(timer));
  },
  comments: (response) => {
    events(response, '');
    for (let count = 0; count < 100_000; count++) response.write(': comment\n\n');
  },
  half: (response) => {
    events(response, 'data: {"jsonrpc":"2.0",');
    response.end();
  },
  silent: (response) => {
    events(response, ': nothing comes\n\n');
    response.end();
  },
  gone: (response) => json(response, 404, '{}'),
  nonsense: (response) => json(response, 200, '<html>'),
  duplicate: (response, id) => json(response, 200, `{"jsonrpc":"2.0","id":${id},"id":${id},"result":{"content":[]}}`),
  'duplicate-events': (response, id) =>
    events(response, `data: {"jsonrpc":"2.0","id":${id},"result":{"content":[],"content":[]}}\n\n`),
  events: (response, id) => {
    const message = result(id, { content: [{ type: 'text', text: 'as an event' }] });
    events(response, `: comment\nid: 1\ndata: ${JSON.stringify(message)}\n\n`);
    response.end();
  },
};

function answer(response, { id, method, params }) {
  if (id === undefined) return json(response, 202, '');
  if (method === 'initialize') {
    const info = {
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'h', version: '1' },
    };
    return json(response, 200, result(id, info));
  }
  if (method === 'tools/list') {
    calls += 1;
    const description = mode === 'shifting' ? `version ${calls}` : 'same';
    return json(response, 200, result(id, { tools: [{ ...echo, description }] }));
  }
  const act = CALLS[mode];
  if (method === 'tools/call' && act !== undefined) return act(response, id);
  if (method === 'tools/call')
    return json(response, 200, result(id, { content: [{ type: 'text', text: JSON.stringify(params) }] }));
  return json(response, 200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
}

const server = createServer((request, response) => {
  if (request.method !== 'POST') return json(response, 405, '{}');
  let text = '';
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => answer(response, JSON.parse(text)));
  return undefined;
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
