import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/index.ts';
import { connectUpstream } from '../../src/gateway/upstream-connection.ts';
import { serverRule, startIn } from './stand.ts';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

const events = (response: ServerResponse, text: string): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text);
};
const message = (body: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...body })}\n\n`;
const answer = message({ id: 1, result: { content: [{ type: 'text', text: 'late' }] } });

interface Script {
  readonly call: (response: ServerResponse, answer: string) => void;
  /** Answers a GET that names the last event. */
  readonly resume: (response: ServerResponse, answer: string, id: string) => void;
}

/** A remote server with sessions; what comes to its calls and their resumption is up to the script. */
async function listen({ call, resume }: Script): Promise<{ readonly url: string; readonly ids: string[] }> {
  const ids: string[] = [];
  let answered = '';
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const last = request.headers['last-event-id'];
    if (request.method === 'GET') {
      if (typeof last !== 'string') return void response.writeHead(405).end();
      expect(request.headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25' });
      ids.push(last);
      return resume(response, answered, last);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    if (method === 'initialize') {
      const serverInfo = { name: 'r', version: '0' };
      const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' });
      return void response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    }
    if (method !== 'tools/call') return void response.writeHead(202).end();
    answered = answer.replace('"id":1', `"id":${JSON.stringify(id)}`);
    call(response, answered);
  };
  server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/mcp`, ids };
}

async function outcomeOf(url: string, timeoutMs: number | null = null): Promise<unknown> {
  const limits = { ...DEFAULT_LIMITS, resultBinaryBytes: 65_536 };
  const options = { start: startIn(tmpdir()), version: '0', limits };
  const connection = await connectUpstream(serverRule('remote', { url, timeoutMs }), options);
  try {
    return await connection.request('tools/call', { name: 'x', arguments: {} });
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  } finally {
    await connection.close();
  }
}

const LATE = { content: [{ type: 'text', text: 'late' }] };
const prime = (id: string): string => `id: ${id}\nretry: 100\ndata: \n\n`;

describe('a remote server that ends the stream of a call before its answer', () => {
  it('is asked again for what came after the last event, as often as it ends', async () => {
    let resumed = 0;
    const { url, ids } = await listen({
      call: (response) => {
        events(response, prime('e0'));
        response.end();
      },
      resume: (response, text) => {
        resumed += 1;
        if (resumed === 2) return void response.destroy();
        if (resumed === 3) return void response.writeHead(503).end();
        events(response, resumed === 1 ? prime('e1') : `id: e2\n${text}`);
        response.end();
      },
    });
    expect(await outcomeOf(url)).toEqual(LATE);
    expect(ids).toEqual(['e0', 'e1', 'e1', 'e1']);
  });

  it.each([
    ['gave no event id', message({ method: 'notifications/x' }), 'SERVER_UNAVAILABLE'],
    ['took its event id back', `${prime('e0')}id:\ndata: \n\n`, 'SERVER_UNAVAILABLE'],
    ['gave an event id that no header can carry', 'id: a b\ndata: \n\n', 'SERVER_UNAVAILABLE'],
  ])('and %s fails the call', async (_name, text, code) => {
    const { url, ids } = await listen({
      call: (response) => {
        events(response, text);
        response.end();
      },
      resume: (response, late) => events(response, late),
    });
    expect(await outcomeOf(url)).toBe(code);
    expect(ids).toEqual([]);
  });

  it.each([
    ['does not have it any more', (response: ServerResponse) => response.writeHead(404).end(), 'SERVER_UNAVAILABLE'],
    [
      'redirects',
      (response: ServerResponse) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),
      'SERVER_UNAVAILABLE',
    ],
    ['sends no message', (response: ServerResponse) => events(response, 'data: {"a":1,"a":2}\n\n'), 'RESULT_MALFORMED'],
    ['floods', (response: ServerResponse) => events(response, `: ${'x'.repeat(70_000)}\n`), 'RESULT_TOO_LARGE'],
  ])('and %s when it is asked again fails the call', async (_name, resume, code) => {
    const call = (response: ServerResponse): void => {
      events(response, prime('e0'));
      response.end();
    };
    const { url } = await listen({ call, resume });
    expect(await outcomeOf(url)).toBe(code);
  });

  it('again and again is not waited for longer than the call may take', async () => {
    const again = (response: ServerResponse): void => {
      events(response, prime('e0'));
      response.end();
    };
    const { url } = await listen({ call: again, resume: again });
    expect(await outcomeOf(url, 400)).toBe('TOOL_TIMEOUT');
  });
});
