import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld, type World } from '../../test/attacks/endpoints-world.ts';
import type { JsonObject } from '../core/index.ts';
import { performRequest } from '../gate/fetch-request.ts';
import type { ToolContext, ToolOutput } from '../gate/index.ts';
import { compileEndpoints, decideEndpoint } from '../policy/endpoints.ts';
import { apiCall } from './api-call.ts';

const endpoints = compileEndpoints({
  rule: { id: 'tools.api_call' },
  allowedEndpoints: [{ text: 'api.example.com', rule: { id: 'tools.api_call.allowedEndpoints[0]' } }],
  internalEndpoints: [],
  methods: null,
  confirmRequests: [],
  secrets: [],
});

let world: World;
beforeAll(async () => {
  world = await openWorld(['api.example.com'], (request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: 'https://evil.example/?x' }).end();
    else if (request.url === '/binary') response.end(Buffer.from([0, 1, 2]));
    else
      response
        .writeHead(request.url === '/missing' ? 404 : 200, { 'set-cookie': 'session=1', etag: '"1"' })
        .end('{"a":1}');
  });
});
afterAll(() => world.close());

const base: ToolContext = {
  signal: new AbortController().signal,
  paths: {},
  root: '/',
  session: 's',
  principal: { tenant: 't', user: 'u', agent: 'a', session: 's', proof: 'local' },
};
const context = (): ToolContext => ({
  ...base,
  send: (request) =>
    performRequest(request, {
      judge: (hop) => decideEndpoint(endpoints, hop.request, hop.addresses),
      resolve: async () => ['93.184.216.34'],
      dial: world.dial,
      certificates: [world.certificate],
    }),
});
const call = async (args: JsonObject): Promise<ToolOutput | string> => apiCall().execute(args, context());

describe('apiCall', () => {
  it('returns body, status and the headers a model can use, and no cookie', async () => {
    const result = await call({ method: 'GET', url: 'https://api.example.com/x' });
    expect(result).toEqual({
      content: [
        { type: 'text', text: '{"a":1}' },
        { type: 'text', text: 'Status 200.' },
      ],
      structuredContent: { status: 200, url: 'https://api.example.com/x', headers: { etag: '"1"' } },
      isError: false,
    });
    expect(await call({ method: 'GET', url: 'https://api.example.com/missing' })).toMatchObject({ isError: true });
    expect(await call({ method: 'GET', url: 'https://api.example.com/binary' })).toMatchObject({
      content: [{ text: '' }, { text: 'Status 200. The body has 3 bytes that are not text and is not shown.' }],
    });
  });

  it('says which hop was denied, and why', async () => {
    const result = await call({ method: 'GET', url: 'https://api.example.com/away' });
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('(ENDPOINT_REDIRECT)') }],
    });
    expect(JSON.stringify(result)).toContain('https://evil.example:443/');
  });

  it('goes nowhere without a way out of the gate', async () => {
    await expect(apiCall().execute({ method: 'GET', url: 'https://api.example.com/' }, base)).rejects.toMatchObject({
      code: 'INTERNAL',
    });
  });

  it('takes what the schema of the corpus takes', () => {
    expect(apiCall().schema).toMatchObject({ required: ['method', 'url'], additionalProperties: false });
  });
});
