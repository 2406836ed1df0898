// The gateway as the client under test: the suite serves, the gateway is put in front of it, and the official client
// behind the gateway makes the calls of the scenario. Started by the suite: node client.mjs ADDRESS
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { startGateway } from './stand.mjs';

const STATELESS = '2026-07-28';
const { MCP_CONFORMANCE_PROTOCOL_VERSION: revision = '2025-11-25', MCP_CONFORMANCE_CONTEXT: context = '{}' } =
  process.env;

/** Arguments that the scenarios expect, by tool. */
const ARGUMENTS = { add_numbers: { a: 5, b: 3 }, valid_tool: { region: 'us-west1' } };

/** The calls that the suite names; else every tool once. */
async function callsOf(client) {
  const { tools } = await client.listTools();
  const { toolCalls } = JSON.parse(context);
  if (toolCalls !== undefined) return toolCalls;
  const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema;
  return tools
    .filter(({ name }) => name !== 'json_schema_2020_12_tool')
    .map(({ name }) => ({ name, arguments: name === 'json_schema_echo' ? { schema } : (ARGUMENTS[name] ?? {}) }));
}

async function connect(url) {
  const elicitation = { form: { applyDefaults: true } };
  const mode = revision === STATELESS ? { pin: STATELESS } : 'legacy';
  const options = { capabilities: { elicitation, sampling: {}, roots: {} }, versionNegotiation: { mode } };
  const client = new Client({ name: 'conformance', version: '0' }, options);
  // An answer holds fields of the form only; what has a default is filled in by the client.
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const asksYes = params.requestedSchema?.properties?.confirmed !== undefined;
    return { action: 'accept', content: asksYes ? { confirmed: true } : {} };
  });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

const protocol = revision === STATELESS ? STATELESS : '2025-11-25';
const gateway = await startGateway({ url: process.argv[2] }, protocol);
try {
  const client = await connect(gateway.url);
  for (const call of await callsOf(client)) {
    const result = await client.callTool(call).catch((error) => error);
    console.error(`${call.name}: ${JSON.stringify(result)}`);
  }
  await client.close();
} finally {
  await gateway.stop();
}
