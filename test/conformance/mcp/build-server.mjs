import { McpServer } from '@modelcontextprotocol/server';
import { addAskingTools, requestState } from './asking-tools.mjs';
import { addPlainTools } from './plain-tools.mjs';
import { addPrompts, addResources, addUtilities } from './resources-and-prompts.mjs';

const capabilities = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  logging: {},
  completions: {},
};

/**
 * A server with everything that the scenarios ask for. `closeStream` ends the stream of a call, where there is one;
 * `notify` tells all who listen that a list changed, where a server lives for one request only.
 */
export function buildServer({ closeStream = () => undefined, notify } = {}) {
  const server = new McpServer(
    { name: 'conformance-fixture', version: '1.0.0' },
    { capabilities, requestState: { verify: requestState.verify } },
  );
  const here = {
    toolsChanged: () => server.sendToolListChanged(),
    promptsChanged: () => server.sendPromptListChanged(),
  };
  addPlainTools(server, { closeStream, notify: notify ?? here });
  addAskingTools(server);
  addResources(server);
  addPrompts(server);
  addUtilities(server);
  return server;
}
