import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpFront, serveHttp } from '../../src/gateway/index.ts';
import { TokenFolder } from '../../src/keeper/index.ts';
import { type EraClient, eraClient, type Revision } from '../support/era-client.ts';
import { modern, type RawReply, rawMcp, until } from '../support/raw-mcp.ts';
import { type ListeningServer, listeningServer } from './stand.ts';
import { openTestGate, type TestGate } from './test-gate.ts';

let listening: ListeningServer;
let stand: TestGate;
let tokens: Readonly<Record<'ada' | 'bob' | 'eve', string>>;
const clients: EraClient[] = [];
beforeEach(async () => {
  listening = await listeningServer('full.mjs', 'http', 'more');
  const rights = {
    ...{ resources: ['demo://one'], prompts: ['greet'], subscriptions: true, elicitation: true, completion: true },
  };
  stand = await openTestGate({
    policy: `tools: { mcp__old__*: {}, mcp__new__*: {} }
principals:
  ada: { match: { user: ada }, tools: ["mcp__old__*", "mcp__new__*", "mcp__old:*", "mcp__new:*"] }
  bob: { match: { user: bob }, tools: ["mcp__old__*", "mcp__new__*", "mcp__old:*", "mcp__new:*"] }
  eve: { match: { user: eve }, tools: [mcp__old__echo, "mcp__old:prompts/*"] }
`,
    servers: {
      old: { url: listening.url, protocol: '2025-11-25', ...rights },
      new: { url: listening.url, protocol: '2026-07-28', ...rights },
    },
  });
  const folder = new TokenFolder(stand.workspace.state);
  const add = (name: string): string => folder.add({ name, user: name, now: Date.now() });
  tokens = { ada: add('ada'), bob: add('bob'), eve: add('eve') };
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await stand.close();
  await listening.close();
});

async function as(who: keyof typeof tokens, revision: Revision): Promise<EraClient> {
  const client = await eraClient(stand, { surface: 'http', revision, token: tokens[who] });
  clients.push(client);
  return client;
}

const updatesOf = ({ heard }: EraClient): readonly unknown[] =>
  heard.filter(({ method }) => method === 'notifications/resources/updated').map(({ params }) => params['uri']);

describe.each(['2025-11-25', '2026-07-28'] as const)('two tokens, in revision %s [T1.10]', (revision) => {
  it('see what the policy opens to each', async () => {
    const ada = await as('ada', revision);
    const eve = await as('eve', revision);
    expect(ada.client.getServerCapabilities()).toMatchObject({ resources: {}, prompts: {}, completions: {} });
    expect(eve.client.getServerCapabilities()).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
    });
    const names = async ({ client }: EraClient): Promise<readonly string[]> =>
      (await client.listPrompts()).prompts.map(({ name }) => name);
    expect([await names(ada), await names(eve)]).toEqual([['old__greet', 'new__greet'], ['old__greet']]);
    expect((await eve.client.listTools()).tools.map(({ name }) => name)).toEqual(['old__echo']);
    await expect(eve.client.readResource({ uri: 'sallyport.old:demo://one' })).rejects.toThrow(/Method not found/);
    await expect(eve.client.getPrompt({ name: 'new__greet' })).rejects.toMatchObject({ code: -32_602 });
    const { contents } = await ada.client.readResource({ uri: 'sallyport.old:demo://one' });
    expect(contents).toHaveLength(1);
  });

  it('hear of what each watches, and are asked for their own calls', async () => {
    const ada = await as('ada', revision);
    const bob = await as('bob', revision);
    const uris = ['sallyport.old:demo://one', 'sallyport.new:demo://one'];
    if (revision === '2025-11-25') for (const uri of uris) await ada.client.subscribeResource({ uri });
    else await ada.client.listen({ resourceSubscriptions: uris });
    // The server tells every session that it has of its resource.
    await bob.client.callTool({ name: 'old__touch', arguments: {} });
    await bob.client.callTool({ name: 'new__touch', arguments: {} });
    await until(() => new Set(updatesOf(ada)).size === 2);
    expect([...new Set(updatesOf(ada))].sort()).toEqual([...uris].sort());
    for (const name of ['old__ask', 'new__ask']) {
      const { content } = await ada.client.callTool({ name, arguments: {} });
      expect(content).toEqual([{ type: 'text', text: 'ada likes blue' }]);
    }
    expect(ada.asked).toHaveLength(4);
    await bob.client.callTool({ name: 'old__echo', arguments: {} });
    expect([updatesOf(bob), bob.asked]).toEqual([[], []]);
  });
});

describe('state that travels through one token [T1.11]', () => {
  let front: HttpFront;
  beforeEach(async () => {
    const { gate, upstreams } = stand;
    front = await serveHttp({ gate, upstreams, port: 0, authenticate: (given) => gate.keeper.authenticate(given) });
  });
  afterEach(() => front.close(100));

  async function ask(who: keyof typeof tokens, name: string, more: object = {}): Promise<RawReply> {
    const { headers, body } = modern('tools/call', { name, arguments: {}, ...more }, { 'mcp-name': name });
    const reply = await rawMcp({ port: front.port, token: tokens[who], headers, body });
    await reply.ended;
    return reply;
  }
  const resultIn = (reply: RawReply): Readonly<Record<string, unknown>> => Object(reply.messages().at(-1)?.['result']);

  it.each(['old__ask', 'new__ask'])('opens for no other one: %s', async (name) => {
    const first = resultIn(await ask('ada', name));
    expect(first).toMatchObject({ resultType: 'input_required', requestState: expect.stringMatching(/^sp1\./) });
    const [key = ''] = Object.keys(Object(first['inputRequests']));
    const answers = { inputResponses: { [key]: { action: 'accept', content: { name: 'ada' } } } };
    const again = { ...answers, requestState: first['requestState'] };
    const stolen = await ask('bob', name, again);
    expect(stolen.messages().at(-1)).toMatchObject({
      error: { code: -32_602, data: { reason: 'invalid_request_state' } },
    });
    // What bob tried did not spend it.
    expect(resultIn(await ask('ada', name, again))).toMatchObject({ resultType: 'input_required' });
    expect((await ask('ada', name, again)).messages().at(-1)).toMatchObject({ error: { code: -32_602 } });
  });
});
