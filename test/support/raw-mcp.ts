import { type ClientRequest, type IncomingMessage, request } from 'node:http';

/** One exchange over a socket of its own. */
export interface RawReply {
  readonly status: number;
  readonly response: IncomingMessage;
  readonly sent: ClientRequest;
  /** What has come so far. */
  text(): string;
  /** Messages of an event stream so far, or the one of a JSON body. */
  messages(): readonly Record<string, unknown>[];
  readonly ended: Promise<void>;
}

export interface RawRequest {
  readonly port: number;
  readonly method?: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: object;
  /** Leave the body of the answer unread. */
  readonly unread?: boolean;
}

/** Sends one request with exactly these headers and resolves with the head of its answer. */
export function rawMcp(options: RawRequest): Promise<RawReply> {
  const { port, method = 'POST', token = 'one', headers = {}, body, unread = false } = options;
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ host: '127.0.0.1', port, path: '/mcp', method, agent: false },
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      if (!unread) {
        response.on('data', (chunk) => {
          text += chunk;
        });
      }
      const ended = new Promise<void>((done) => response.once('close', () => done()));
      const status = response.statusCode ?? 0;
      resolve({ status, response, sent, ended, text: () => text, messages: () => messagesIn(text) });
    });
    sent.end(body === undefined ? '' : JSON.stringify(body));
  });
}

function messagesIn(text: string): readonly Record<string, unknown>[] {
  const lines = text.split('\n');
  const events = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  return (events.length > 0 || text === '' || text.startsWith(':') ? events : [text]).map((line) => JSON.parse(line));
}

export const rpc = (method: string, params: object = {}, id: number | string = 1): object => ({
  ...{ jsonrpc: '2.0', id, method, params },
});

const ABILITIES = { elicitation: {}, sampling: {}, roots: {} };

/** Begins a 2025-era session; its id. */
export async function beginSession(port: number, token: string | null = 'one'): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: ABILITIES, clientInfo: { name: 't', version: '0' } };
  const reply = await rawMcp({ port, token, body: rpc('initialize', params) });
  await reply.ended;
  return String(reply.response.headers['mcp-session-id']);
}

/** Headers and body of a request of the stateless revision. */
export function modern(
  method: string,
  params: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string | string[]>> = {},
): { headers: Record<string, string | string[]>; body: object } {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': ABILITIES,
  };
  const standard = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
  return { headers: { ...standard, ...headers }, body: rpc(method, { ...params, _meta }) };
}

/** Waits for something that must come soon. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns > 800) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
