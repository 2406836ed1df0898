// A server with one tool: it fetches a URL and answers with the status and the text, or with the error.
import { createInterface } from 'node:readline';

const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const fetched = ({ url }) =>
  fetch(url).then(
    async (response) => `${response.status} ${await response.text()}`,
    (error) => `failed: ${error.cause?.message ?? error.message}`,
  );
const TOOL = {
  name: 'fetch',
  description: 'Fetches a URL.',
  inputSchema: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] },
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = (result) => send({ jsonrpc: '2.0', id, result });
  if (method === 'initialize') {
    const serverInfo = { name: 'fetching', version: '1.0.0' };
    answer({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo });
  } else if (method === 'tools/list') answer({ tools: [TOOL] });
  else if (method === 'tools/call') answer({ content: [{ type: 'text', text: await fetched(params.arguments) }] });
  else answer({});
});
