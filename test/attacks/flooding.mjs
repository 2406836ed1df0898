// A server on raw lines (2025-11-25) that says too much. Usage: node flooding.mjs
import { createInterface } from 'node:readline';

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const form = { type: 'object', properties: {} };
const seen = [];

const TOOLS = {
  progress: ({ reports }, progressToken) => {
    for (const report of reports) send({ method: 'notifications/progress', params: { progressToken, ...report } });
    return text('done');
  },
  storm: ({ times, method }) => {
    for (let round = 0; round < times; round++) send({ method });
    return text('done');
  },
  ask: () =>
    void send({
      id: `ask-${seen.length}`,
      method: 'elicitation/create',
      params: { message: 'm', requestedSchema: form },
    }),
  seen: () => text(seen),
};
const HANDLERS = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, resources: { subscribe: true, listChanged: true }, logging: {} },
    serverInfo: { name: 'flooding', version: '1' },
  }),
  ping: () => ({}),
  'logging/setLevel': () => ({}),
  'tools/list': () => ({ tools: Object.keys(TOOLS).map((name) => ({ name, inputSchema: { type: 'object' } })) }),
  'resources/list': () => ({
    resources: Array.from({ length: 700 }, (_, index) => ({
      uri: `fl://${String(index).padStart(1_019, '0')}`,
      name: `${index}`,
    })),
    nextCursor: 'more',
  }),
  'resources/templates/list': () => ({ resourceTemplates: [] }),
  'resources/subscribe': () => ({}),
  'resources/unsubscribe': () => ({}),
  'tools/call': ({ name, arguments: args, _meta }) => TOOLS[name](args ?? {}, _meta?.progressToken),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const note = params?.uri ?? '';
  if (/subscribe|cancelled/.test(method ?? '')) seen.push(`${method} ${note}`.trim());
  if (method === undefined || id === undefined) return;
  const result = HANDLERS[method]?.(params);
  if (result !== undefined) send({ id, result });
});
