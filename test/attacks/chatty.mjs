// A server that talks instead of answering. Usage: node chatty.mjs MODE [http]; over HTTP it prints its port.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const [mode, transport] = process.argv.slice(2);
let asked = 0;
const ping = () => `${JSON.stringify({ jsonrpc: '2.0', id: `p${asked++}`, method: 'ping' })}`;
const LINES = {
  ping,
  large: () => `{"jsonrpc":"2.0","method":"notifications/progress","params":{"x":"${'x'.repeat(400_000)}"}}`,
  blank: () => '',
  drip: ping,
};

/** Writes until the reader is full, and again when it has drained; one every 50 ms in the mode `drip`. */
function talk(output, frame) {
  const say = () => output.write(frame(LINES[mode]()));
  if (mode === 'drip') return setInterval(say, 50);
  const more = () => {
    for (let count = 0; count < 20; count++) if (!say()) return output.once('drain', () => setImmediate(more));
    return setImmediate(more);
  };
  return more();
}

function answer({ id, method, params }) {
  const info = {
    protocolVersion: params?.protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 's', version: '1' },
  };
  const result = method === 'initialize' ? info : { tools: [{ name: 'go', inputSchema: { type: 'object' } }] };
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

function overStdio() {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.method === undefined || message.id === undefined) return;
    if (message.method === 'tools/call') talk(process.stdout, (text) => `${text}\n`);
    else process.stdout.write(`${answer(message)}\n`);
  });
}

function overHttp() {
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const message = JSON.parse(Buffer.concat(chunks).toString());
    if (message.method === undefined || message.id === undefined) return response.writeHead(202).end();
    const type = message.method === 'tools/call' ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'content-type': type });
    if (message.method !== 'tools/call') return response.end(answer(message));
    const frame = mode === 'blank' ? () => `: ${'c'.repeat(1_000)}\n` : (text) => `data: ${text}\n\n`;
    return talk(response, frame);
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
}

process.stdout.on('error', () => process.exit(0));
if (transport === 'http') overHttp();
else overStdio();
