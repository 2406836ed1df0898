// Resources, a template, subscriptions, prompts, completion and the log level.
import { fromJsonSchema, ResourceTemplate } from '@modelcontextprotocol/server';
import { askingPrompt } from './asking-tools.mjs';
import { IMAGE, image, object, text, userMessage } from './fixtures.mjs';

const RESOURCES = {
  'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  'test://static-binary': { mimeType: IMAGE.mimeType, blob: IMAGE.data },
  'test://watched-resource': { mimeType: 'text/plain', text: 'Watched resource content' },
};

const described = (title) => ({ title, description: `Fixture ${title}` });

/** Registers the resources; anybody may subscribe to any, nothing ever changes. */
export function addResources(server) {
  for (const [uri, content] of Object.entries(RESOURCES)) {
    const name = new URL(uri).host;
    server.registerResource(name, uri, { ...described(name), mimeType: content.mimeType }, async () => ({
      contents: [{ uri, ...content }],
    }));
  }
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  const mimeType = 'application/json';
  server.registerResource('template', template, { ...described('template'), mimeType }, async (uri, { id }) => ({
    contents: [
      { uri: uri.href, mimeType, text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) },
    ],
  }));
  server.server.setRequestHandler('resources/subscribe', async () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', async () => ({}));
}

/** Registers the prompts. */
export function addPrompts(server) {
  const string = (description) => ({ type: 'string', description });
  const add = (name, run, schema) =>
    server.registerPrompt(
      name,
      { ...described(name), ...(schema !== undefined && { argsSchema: fromJsonSchema(object(schema)) }) },
      run,
    );
  add('test_simple_prompt', async () => ({ messages: [userMessage(text('This is a simple prompt for testing.'))] }));
  add(
    'test_prompt_with_arguments',
    async ({ arg1, arg2 }) => ({
      messages: [userMessage(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
    }),
    { arg1: string('First test argument'), arg2: string('Second test argument') },
  );
  add(
    'test_prompt_with_embedded_resource',
    async ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' };
      return {
        messages: [
          userMessage({ type: 'resource', resource }),
          userMessage(text('Please process the resource above.')),
        ],
      };
    },
    { resourceUri: string('URI of the resource to embed') },
  );
  add('test_prompt_with_image', async () => ({
    messages: [userMessage(image), userMessage(text('Please analyze the image above.'))],
  }));
  add('test_input_required_result_prompt', askingPrompt);
}

/** Completion that knows nothing to propose, and a log level that is accepted. */
export function addUtilities(server) {
  server.server.setRequestHandler('completion/complete', async () => ({
    completion: { values: [], total: 0, hasMore: false },
  }));
  server.server.setRequestHandler('logging/setLevel', async () => ({}));
}
