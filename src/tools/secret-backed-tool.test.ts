import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openWorld, type World } from '../../test/attacks/endpoints-world.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { readRecords } from '../audit/index.ts';
import { SallyportError, type SecretReference } from '../core/index.ts';
import { type Gate, type GateSession, openGate } from '../gate/index.ts';
import type { SecretSource } from '../keeper/index.ts';
import { policyFromObject } from '../policy/index.ts';
import { type SecretBackedTool, secretBackedTool, type UsableSecret } from './index.ts';

const VALUE = 'sp_live_4tRq8LmX2vTz61RwYb0Nc9Jd';
const POLICY = `version: 1
defaults: { isolation: none }
tools:
  api_call: { allowedEndpoints: [other.example.com] }
  stripe:
    allowedEndpoints: [api.example.com, plain.example.com]
    methods: [GET, POST]
    secrets:
      api.example.com/v1/: { header: Authorization, value: "Bearer \${secret:vault:kv/pay#key}" }
      api.example.com/other/: { header: Authorization, value: "Bearer \${secret:env:OTHER}" }
`;

const source: SecretSource = {
  async resolve({ text }: SecretReference) {
    if (text === 'vault:kv/pay#key') return { value: VALUE, version: '3' };
    throw new SallyportError('SECRET_NOT_FOUND', 'there is no such secret');
  },
};

let workspace: Workspace;
let world: World;
let gate: Gate;
let session: GateSession;
let execute: SecretBackedTool['execute'];
/** Connections wait for it. */
let connecting: Promise<void>;

beforeEach(async () => {
  connecting = Promise.resolve();
  workspace = makeWorkspace(POLICY);
  world = await openWorld(['api.example.com', 'plain.example.com', 'other.example.com'], (request, response) => {
    if (request.url === '/v1/away') response.writeHead(302, { location: 'https://plain.example.com/' }).end();
    else response.end(JSON.stringify({ id: 'ch_1', echo: request.headers.authorization }));
  });
  const dial: World['dial'] = (target, signal) => connecting.then(() => world.dial(target, signal));
  const tool = secretBackedTool({
    ...{ name: 'stripe', secret: 'vault:kv/pay#key', schema: { type: 'object' } },
    execute: (args, secret) => execute(args, secret),
  });
  gate = await openGate({
    ...{ policy: workspace.policyFile, state: workspace.state, secretSource: source, tools: [tool] },
    ...{ resolve: async () => ['93.184.216.34'], dial, certificates: [world.certificate] },
  });
  session = await gate.openSession();
});
afterEach(async () => {
  await gate.close();
  await world.close();
  workspace.remove();
});

/** What the call came to: its text, or its code. */
async function outcome(act: SecretBackedTool['execute'], args = {}): Promise<string> {
  execute = act;
  const result = await session.call('stripe', args);
  return result.kind === 'delivered' ? result.text : `${result.kind} ${result.code}`;
}

const codeOf = (error: unknown): string => (error instanceof SallyportError ? error.code : String(error));
const fetching =
  (url: string): SecretBackedTool['execute'] =>
  async (_args, secret) =>
    secret.fetch(url).then((answer) => answer.text(), codeOf);

describe('a secret-backed tool [T3.1]', () => {
  test('sends the secret where its rule says, and neither the function nor the model sees more than its name', async () => {
    const shown: unknown[] = [];
    const text = await outcome(async (_args, secret) => {
      shown.push(String(secret), JSON.stringify({ secret }), inspect(secret, { showHidden: true }), `${secret}`);
      const options = { method: 'POST', headers: { authorization: 'Bearer mine' }, body: { amount: 5 } } as const;
      const answer = await secret.fetch('https://api.example.com/v1/charges', options);
      expect(answer.status).toBe(200);
      return JSON.stringify(answer.json());
    });
    const [sent] = world.arrived;
    expect(sent).toMatchObject({ url: 'https://api.example.com/v1/charges', method: 'POST', body: '{"amount":5}' });
    expect(sent?.headers.authorization).toBe(`Bearer ${VALUE}`);
    expect(text).toContain('ch_1');
    expect(text).not.toContain(VALUE);
    expect(shown).toEqual(['[secret:vault:kv/pay#key]', '{"secret":"[secret:vault:kv/pay#key]"}', ...shown.slice(2)]);
    for (const one of shown) expect(one).toBe(String(one).includes('{') ? shown[1] : '[secret:vault:kv/pay#key]');
  });

  test.each([
    ['another host of the rule', 'https://plain.example.com/', 'SECRET_NOT_GRANTED'],
    ['a place of another secret', 'https://api.example.com/other/x', 'SECRET_NOT_GRANTED'],
    ['a host of api_call', 'https://other.example.com/', 'ENDPOINT_NOT_ALLOWED'],
    ['a host of nobody', 'https://evil.example.net/', 'ENDPOINT_NOT_ALLOWED'],
    ['no host', 'file:///etc/passwd', 'ENDPOINT_MALFORMED'],
  ])('reaches no other place: %s', async (_what, url, code) => {
    expect(await outcome(fetching(url))).toBe(code);
    expect(world.arrived).toEqual([]);
  });

  test('does not follow a redirect to where the secret does not go', async () => {
    expect(await outcome(fetching('https://api.example.com/v1/away'))).toBe('ENDPOINT_REDIRECT');
    expect(world.arrived.map(({ url }) => url)).toEqual(['https://api.example.com/v1/away']);
  });

  test('an argument named like the secret is an argument', async () => {
    const text = await outcome(async (args, secret) => `${args['secret']} ${secret}`, { secret: 'x' });
    expect(text).toBe('x [secret:vault:kv/pay#key]');
  });

  test('a secret that is kept works for no later call, nor after it', async () => {
    let kept: UsableSecret | null = null;
    await outcome(async (_args, secret) => {
      kept = secret;
      return 'done';
    });
    await outcome(async () => {
      await expect((kept as unknown as UsableSecret).fetch('https://api.example.com/v1/x')).rejects.toThrow();
      return 'done';
    });
    expect(world.arrived).toEqual([]);
  });

  test('what was sent for before the call ended, and is not on its way yet, does not leave', async () => {
    let connect: () => void = () => undefined;
    connecting = new Promise((resolve) => {
      connect = resolve;
    });
    let late: Promise<unknown> = Promise.resolve();
    await outcome(async (_args, secret) => {
      late = secret.fetch('https://api.example.com/v1/late').then(() => 'sent', codeOf);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return 'done';
    });
    connect();
    expect(await late).toBe('TOOL_CANCELLED');
    expect(world.arrived).toEqual([]);
  });

  test('is on record: what was used, and where it went', async () => {
    await outcome(fetching('https://api.example.com/v1/charges'));
    await gate.close();
    const uses: object[] = [];
    for await (const { record } of readRecords(workspace.state)) if (record.type === 'secret-use') uses.push(record);
    expect(JSON.stringify(uses)).toContain('vault:kv/pay#key');
    expect(JSON.stringify(uses)).toContain('https://api.example.com:443/v1/charges');
    expect(JSON.stringify(uses)).not.toContain(VALUE);
  });

  test('no reference that cannot be read is taken', () => {
    const broken = { name: 'b', schema: { type: 'object' }, secret: 'hashicorp:x', execute: async () => '' };
    expect(() => gate.tool(secretBackedTool(broken))).toThrow(
      expect.objectContaining({ code: 'SECRET_REFERENCE_INVALID' }),
    );
  });
});

describe('a policy with secrets for other tools', () => {
  const load = (tools: object) => () =>
    policyFromObject({ version: 1, defaults: { isolation: 'none' }, tools } as never);
  const secrets = { 'a.example.com': { header: 'Authorization', value: '${secret:env:A}' } };

  test.each(['shell', 'file_read', 'mcp__a__b', 'x*'])('is refused for %s', (name) => {
    expect(load({ [name]: { allowedEndpoints: ['a.example.com'], secrets } })).toThrow();
  });

  test('is refused without endpoints of the same rule', () => {
    expect(load({ charge: { secrets } })).toThrow(/endpoints of the same rule/);
    expect(load({ charge: { allowedEndpoints: ['a.example.com'], secrets } })).not.toThrow();
  });
});
