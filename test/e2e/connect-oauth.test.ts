import { connect } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpFront, serveHttp } from '../../src/gateway/index.ts';
import { openTestGate, type TestGate } from './test-gate.ts';

let stand: TestGate;
let front: HttpFront;
beforeAll(async () => {
  stand = await openTestGate({ allow: [], tools: [] });
  front = await serveHttp({ gate: stand.gate, port: 0, authenticate: async () => null });
});
afterAll(async () => {
  await front.close(100);
  await stand.close();
});

/** A client that knows nothing but OAuth: what it asks, and where it would send the browser. */
function oauthOnly(registered: boolean) {
  const asked: string[] = [];
  const counted = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    asked.push(`${init?.method ?? 'GET'} ${new URL(input).pathname} ${response.status}`);
    return response;
  };
  const provider = {
    redirectUrl: 'http://127.0.0.1:1/callback',
    clientMetadata: { client_name: 'test', redirect_uris: ['http://127.0.0.1:1/callback'] },
    clientInformation: () => (registered ? { client_id: 'known' } : undefined),
    saveClientInformation: () => undefined,
    tokens: () => undefined,
    saveTokens: () => undefined,
    redirectToAuthorization: (url: URL) => {
      asked.push(`BROWSER ${url.pathname}`);
    },
    saveCodeVerifier: () => undefined,
    codeVerifier: () => 'verifier',
  };
  return { asked, options: { authProvider: provider, fetch: counted } };
}

const connectV1 = (options: object): Promise<void> =>
  new ClientV1({ name: 'test', version: '1' }).connect(new TransportV1(new URL(front.url), options));
const connectV2 = (options: object): Promise<void> =>
  new Client({ name: 'test', version: '1' }).connect(new StreamableHTTPClientTransport(new URL(front.url), options));

const PROBES = [
  'POST /mcp 401',
  'GET /.well-known/oauth-protected-resource/mcp 404',
  'GET /.well-known/oauth-protected-resource 404',
  'GET /.well-known/oauth-authorization-server 404',
  'GET /.well-known/openid-configuration 404',
];

describe.each([
  ['v1', connectV1],
  ['v2', connectV2],
] as const)('an OAuth-only client of the official SDK %s', (_, connectClient) => {
  test('ends with one error that says what to do, after asking each place once', async () => {
    const { asked, options } = oauthOnly(false);
    await expect(connectClient(options)).rejects.toThrow(/takes a bearer token.*sallyport token add NAME/);
    expect(asked).toEqual([...PROBES, 'POST /register 404']);
  });

  test('that has registered elsewhere ends too, and the page it opens says what to do', async () => {
    const { asked, options } = oauthOnly(true);
    await expect(connectClient(options)).rejects.toThrow('Unauthorized');
    expect(asked).toEqual([...PROBES, 'BROWSER /authorize']);
  });
});

/** Sends a request as it stands and returns all that comes back. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(front.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => resolve(answer)).on('error', reject);
  });
}

const request = (method: string, path: string): Promise<string> =>
  raw(`${method} ${path} HTTP/1.1\r\nHost: ${new URL(front.url).host}\r\nContent-Length: 0\r\n\r\n`);

describe('raw requests', () => {
  test.each([
    ['GET', '/.well-known/oauth-protected-resource'],
    ['GET', '/.well-known/oauth-protected-resource/mcp?x=1'],
    ['GET', '/.well-known/oauth-authorization-server/mcp'],
    ['GET', '/.well-known/openid-configuration'],
    ['GET', '/mcp/.well-known/openid-configuration'],
    ['OPTIONS', '/.well-known/oauth-protected-resource'],
    ['POST', '/register'],
    ['GET', '/authorize?response_type=code&client_id=x'],
    ['POST', '/token'],
  ])('%s %s: a plain 404 that says how to get a token', async (method, path) => {
    const answer = await request(method, path);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 404 /);
    expect(head.toLowerCase()).toContain('content-type: application/json');
    expect(head.toLowerCase()).not.toMatch(/location:|www-authenticate:|access-control-/);
    expect(JSON.parse(body)).toEqual({
      error: 'invalid_request',
      error_description: expect.stringContaining('sallyport token add NAME'),
    });
  });

  test('401 names the scheme and no metadata', async () => {
    const [head = ''] = (await request('POST', '/mcp')).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 401 /);
    expect(head.toLowerCase().split('\r\n')).toContain('www-authenticate: bearer');
    expect(head).not.toContain('resource_metadata');
  });

  test('other paths stay what they were', async () => {
    expect(await request('GET', '/well-known/oauth')).toContain('Not found');
    expect(await request('GET', '/mcp/register')).toContain('Not found');
  });
});
