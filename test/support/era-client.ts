import { PassThrough } from 'node:stream';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { serveHttp, serveStdio } from '../../src/gateway/index.ts';
import type { TestGate } from '../e2e/test-gate.ts';
import { streamTransport } from './stream-transport.ts';

export type Surface = 'http' | 'stdio';
export type Revision = '2025-11-25' | '2026-07-28';

/** What the person, the model and the folders behind a client answer, and what they were asked. */
interface Behind {
  readonly asked: { readonly method: string; readonly params: Readonly<Record<string, unknown>> }[];
  /** Answers to forms, one after the other; the last one again and again. */
  forms: readonly object[];
}

export interface EraClient extends Behind {
  readonly client: Client;
  readonly revision: Revision;
  readonly heard: { readonly method: string; readonly params: Readonly<Record<string, unknown>> }[];
  close(): Promise<void>;
}

export interface EraClientOptions {
  readonly surface: Surface;
  readonly revision: Revision;
  /** The client can be asked nothing. */
  readonly mute?: boolean;
  /** Takes the place of no authentication: a token that the gate's keeper knows. HTTP only. */
  readonly token?: string;
}

const NOTIFICATIONS = [
  ...(['notifications/tools/list_changed', 'notifications/prompts/list_changed'] as const),
  ...(['notifications/resources/list_changed', 'notifications/resources/updated', 'notifications/message'] as const),
] as const;

/** An official client in front of a front of its own over the gate. */
export async function eraClient({ gate, upstreams }: TestGate, options: EraClientOptions): Promise<EraClient> {
  const { surface, revision, mute = false, token } = options;
  const mode = revision === '2025-11-25' ? 'legacy' : { pin: revision };
  const capabilities = mute ? {} : { elicitation: { form: {} }, sampling: {}, roots: { listChanged: true } };
  const client = new Client(
    { name: 't', version: '0' },
    { capabilities, versionNegotiation: { mode }, enforceStrictCapabilities: false },
  );
  const behind: Behind = { asked: [], forms: [{ action: 'accept', content: { name: 'ada', color: 'blue' } }] };
  if (!mute) answerQuestions(client, behind);
  const heard: EraClient['heard'] = [];
  for (const method of NOTIFICATIONS)
    client.setNotificationHandler(method, ({ params }) => void heard.push({ method, params: { ...params } }));
  const close = surface === 'http' ? await overHttp() : await overStdio();
  return Object.assign(behind, { client, revision, heard, close });

  async function overHttp(): Promise<() => Promise<void>> {
    const authenticate = token === undefined ? 'none' : (given: string) => gate.keeper.authenticate(given);
    const front = await serveHttp({ gate, upstreams, port: 0, authenticate });
    const requestInit = token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } };
    await client.connect(new StreamableHTTPClientTransport(new URL(front.url), requestInit));
    return () => client.close().then(() => front.close(100));
  }

  async function overStdio(): Promise<() => Promise<void>> {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const front = await serveStdio({ gate, upstreams, user: 'local', agent: 'local', input, output });
    await client.connect(streamTransport(output, input));
    return () => client.close().then(() => front.close());
  }
}

/** A form has no more fields than were asked for. */
function inForm(answer: object, params: object): object {
  const fields = Object(Object(Object(params)['requestedSchema'])['properties']);
  const content: unknown = Object(answer)['content'];
  if (typeof content !== 'object' || content === null) return {};
  return { content: Object.fromEntries(Object.entries(content).filter(([name]) => Object.hasOwn(fields, name))) };
}

function answerQuestions(client: Client, behind: Behind): void {
  const note = (method: string, params: object | undefined): void =>
    void behind.asked.push({ method, params: { ...params } });
  client.setRequestHandler('elicitation/create', async ({ method, params }) => {
    note(method, params);
    const [next = { action: 'cancel' }, ...rest] = behind.forms;
    if (rest.length > 0) behind.forms = rest;
    return { action: 'cancel', ...next, ...inForm(next, params) };
  });
  client.setRequestHandler('sampling/createMessage', async ({ method, params }) => {
    note(method, params);
    return { role: 'assistant', content: { type: 'text', text: 'as the model says' }, model: 'm' };
  });
  client.setRequestHandler('roots/list', async ({ method }) => {
    note(method, {});
    return { roots: [{ uri: 'file:///project', name: 'project' }] };
  });
}
