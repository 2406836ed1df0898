/** Wrap a function of your own, offer to a model what policy could allow, and act on the three kinds of answer. */
import { builtInTools, openGate } from 'sallyport';

const gate = await openGate({ policy: 'sallyport.yaml', tools: builtInTools() });
const wordCount = gate.tool({
  name: 'word_count',
  description: 'Counts the words of a text',
  schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'], additionalProperties: false },
  effect: 'read',
  execute: async ({ text }) => `${String(text).split(/\s+/).filter(Boolean).length}`,
});

const session = await gate.openSession({ agent: 'example' });
console.log(
  'offered:',
  session
    .tools()
    .map(({ name }) => name)
    .join(', '),
);

for (const result of [await wordCount({ text: 'one two three' }), await session.call('file_read', { path: '.env' })]) {
  if (result.kind === 'delivered') console.log('ran:', result.text);
  else console.log(`${result.kind}: ${result.code}, see record ${result.record}`);
}
await gate.close();
