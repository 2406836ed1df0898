import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { serverScript } from '../e2e/stand.ts';
import { openTestGate, type TestGate } from '../e2e/test-gate.ts';
import { type EraClient, eraClient, type Revision, type Surface } from '../support/era-client.ts';
import { until } from '../support/raw-mcp.ts';

/** What no answer to a client may have in it, in any writing. */
const WORDS =
  /ignore all previous|evil\.example|\u200b|\u202e|SWdub3JlIGFsbC|%20previous%20|[\u{e0000}-\u{e007f}]|u\{e00/iu;

let stand: TestGate;
let peer: EraClient;
const CLEAN = ['demo://clean', 'demo://one', 'demo://poisoned/*'];

async function open(surface: Surface, revision: Revision, output = '', more: object = {}): Promise<void> {
  stand = await openTestGate({
    policy: `tools: { "mcp__weather__*": { ${output} } }\n`,
    servers: {
      weather: {
        command: [process.execPath, serverScript('poisoned.mjs')],
        ...{ resources: CLEAN, prompts: ['*'], logging: true, ...more },
      },
    },
  });
  peer = await eraClient(stand, { surface, revision });
}
afterEach(async () => {
  await peer.close();
  await stand.close();
});

const call = (tool: string, options = {}) => peer.client.callTool({ name: `weather__${tool}`, arguments: {} }, options);

const WAYS: readonly (readonly [Surface, Revision])[] = [
  ['stdio', '2025-11-25'],
  ['stdio', '2026-07-28'],
  ['http', '2025-11-25'],
  ['http', '2026-07-28'],
];

describe.each(WAYS)('a poisoned server over %s, revision %s [T4.1]', (surface, revision) => {
  beforeEach(() => open(surface, revision));

  it.each([
    ...[
      'plain',
      'invisible',
      'fails',
      'base64',
      'comment',
      'alt',
      'split',
      'structured',
      'key',
      'link',
      'embedded',
      'blob',
      'mistyped',
      'says',
    ],
  ])('gives a neutral notice in the place of the result of %s', async (tool) => {
    const result = await call(tool);
    expect(JSON.stringify(result)).not.toMatch(WORDS);
    expect(result).toMatchObject({ isError: true });
    expect(JSON.stringify(result)).toContain('RESULT_QUARANTINED');
  });

  it.each(['meta', 'icon', 'zerowidth', 'clean', 'picture'])('delivers %s without what nobody sees', async (tool) => {
    const result = await call(tool);
    expect(JSON.stringify(result)).not.toMatch(WORDS);
    expect(result.isError ?? false).toBe(false);
    expect(result.content).not.toEqual([]);
  });

  it('does not show definitions with words for the model', async () => {
    const { tools } = await peer.client.listTools();
    const { prompts } = await peer.client.listPrompts();
    const { resourceTemplates } = await peer.client.listResourceTemplates();
    expect(JSON.stringify([tools, prompts, resourceTemplates, peer.client.getInstructions()])).not.toMatch(WORDS);
    expect(tools.map(({ name }) => name)).toContain('weather__clean');
    for (const name of ['hidden', 'instructs', 'parameter', 'value', 'title', 'order', 'twin'])
      expect(tools.map((tool) => tool.name)).not.toContain(`weather__${name}`);
    expect(prompts.map(({ name }) => name)).toEqual(['weather__forecast']);
    expect(resourceTemplates.map(({ name }) => name)).not.toContain('poisoned');
  });

  it('does not quote a definition that cannot be used', async () => {
    const result = await call('broken');
    expect(JSON.stringify(result)).toContain('SERVER_DEFINITIONS');
    expect(JSON.stringify(result)).not.toMatch(WORDS);
  });

  it('withholds prompts, lists of resources and resources', async () => {
    const read = (uri: string) => peer.client.readResource({ uri: `sallyport.weather:${uri}` });
    const asked = [
      () => peer.client.getPrompt({ name: 'weather__forecast' }),
      () => peer.client.listResources(),
      () => read('demo://one'),
    ];
    for (const ask of asked) {
      const message = await ask().then(JSON.stringify, ({ message: words }: Error) => words);
      expect(message).toContain('RESULT_QUARANTINED');
      expect(message).not.toMatch(WORDS);
    }
    expect((await read('demo://clean')).contents).toMatchObject([{ text: 'clean' }]);
  });

  it('passes no progress and no log message with words for the model', async () => {
    const progress: unknown[] = [];
    for (const tool of ['progress', 'whispers'])
      await call(tool, { onprogress: (one: unknown) => void progress.push(one) });
    expect(JSON.stringify(progress)).not.toMatch(WORDS);
    if (revision === '2025-11-25') {
      await peer.client.setLoggingLevel('debug');
      await call('log');
      await until(() => peer.heard.some(({ method }) => method === 'notifications/message'));
      expect(JSON.stringify(peer.heard)).not.toMatch(WORDS);
      expect(JSON.stringify(peer.heard)).toContain('all is well');
    }
  });
});

describe('definitions that the operator has read', () => {
  it('are shown when the policy names them', async () => {
    await open('stdio', '2025-11-25', '', { allowSuspicious: ['hidden', 'poisoned'] });
    const { tools } = await peer.client.listTools();
    expect(tools.map(({ name }) => name)).toContain('weather__hidden');
    expect(tools.map(({ name }) => name)).not.toContain('weather__instructs');
    expect((await peer.client.listPrompts()).prompts).toHaveLength(2);
    expect(stand.upstreams.status()[0]?.refused.map(({ name }) => name)).toContain('mcp__weather__instructs');
  });
});

describe('what the policy says about instructions', () => {
  it('cut: the rest of the text is delivered', async () => {
    await open('stdio', '2025-11-25', 'output: { onInjection: cut }');
    const result = await call('plain');
    expect(JSON.stringify(result)).toContain('Forecast for Oslo: 3 degrees.');
    expect(JSON.stringify(result)).not.toMatch(WORDS);
    expect(JSON.stringify(await call('split'))).toContain('RESULT_QUARANTINED'); // no single text to cut it out of
  });

  it('pass: it is delivered, and stands in the record', async () => {
    await open('stdio', '2025-11-25', 'output: { onInjection: pass }');
    expect(JSON.stringify(await call('plain'))).toMatch(WORDS);
    await stand.gate.close();
    const verdicts: unknown[] = [];
    for await (const { record } of readRecords(stand.workspace.state))
      if (record.type === 'outcome') verdicts.push(record.verdict);
    expect(verdicts).toContain('quarantined');
  });
});
