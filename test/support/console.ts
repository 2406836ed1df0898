import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Console, type ConsoleLimits, ConsoleToken, openConsole, TOKEN_HEADER } from '../../src/console/index.ts';
import { compileSchema, type JsonObject, type JsonValue, validateSchema } from '../../src/core/index.ts';
import { joinKeeper, type Keeper } from '../../src/keeper/index.ts';

/** The document that describes the API. */
export const OPENAPI = parse(
  readFileSync(new URL('../../docs/openapi/approvals.yaml', import.meta.url), 'utf8'),
) as JsonObject & { paths: Record<string, Record<string, { responses: Record<string, JsonObject> }>> };

/** Why a value does not fit a schema of the document; null: it does. */
export function misfit(name: string, value: JsonValue): string | null {
  const schema = compileSchema({ $ref: `#/components/schemas/${name}`, components: OPENAPI['components'] ?? null });
  const errors = validateSchema(schema, value);
  return errors.length === 0 ? null : JSON.stringify(errors);
}

export interface Said {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Headers;
}

/** A console over a keeper's socket, as `up` opens it, and a client that holds every answer to the document. */
export class TestConsole {
  readonly console: Console;
  readonly keeper: Keeper;
  readonly token: ConsoleToken;

  private constructor(console: Console, keeper: Keeper, token: ConsoleToken) {
    this.console = console;
    this.keeper = keeper;
    this.token = token;
  }

  static async open(state: string, limits: Partial<ConsoleLimits> = {}): Promise<TestConsole> {
    const keeper = await joinKeeper({ state, reachable: [], role: 'operator', environment: {} });
    const token = ConsoleToken.keptIn(keeper.state);
    return new TestConsole(await openConsole({ keeper, token, port: 0, limits }), keeper, token);
  }

  get origin(): string {
    return `http://localhost:${this.console.port}`;
  }

  /** As the page asks. `headers`: undefined takes one away. */
  async ask(path: string, body?: JsonValue, headers: Record<string, string | undefined> = {}): Promise<Said> {
    const all = {
      [TOKEN_HEADER]: this.token.text,
      origin: this.origin,
      'content-type': 'application/json',
      ...headers,
    };
    const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const response = await fetch(this.origin + path, {
      ...{ method: body === undefined ? 'GET' : 'POST', headers: sent, redirect: 'error' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const said = (await response.json()) as JsonObject;
    checkDescribed(path, body === undefined ? 'get' : 'post', { status: response.status, body: said });
    return { status: response.status, body: said, headers: response.headers };
  }

  /** The code of a refusal. */
  async refusal(path: string, body?: JsonValue, headers: Record<string, string | undefined> = {}): Promise<string> {
    const { body: said, status } = await this.ask(path, body, headers);
    if (status === 200) throw new Error(`expected a refusal of ${path}`);
    return String((said['error'] as JsonObject)['code']);
  }

  async close(): Promise<void> {
    await this.console.close();
    await this.keeper.close();
  }
}

/** Holds an answer to the document: its status is described, and its body fits. */
function checkDescribed(path: string, method: string, { status, body }: { status: number; body: JsonValue }): void {
  const template = path.replace(/^(\/v1\/(?:requests|operators|acts))\/[^/]+/, '$1/{name}');
  const response = OPENAPI.paths[template]?.[method]?.responses[String(status)];
  if (response === undefined) {
    if (status === 404 || status === 405) return; // no route of the document
    throw new Error(`${method} ${template} has no answer ${status}: ${JSON.stringify(body)}`);
  }
  const content = response['content'] as Record<string, { schema: { $ref: string } }> | undefined;
  const name = content === undefined ? 'Error' : content['application/json']?.schema.$ref.split('/').at(-1);
  const trouble = misfit(name ?? '', body);
  if (trouble !== null) throw new Error(`${method} ${template} ${status}: ${trouble} in ${JSON.stringify(body)}`);
}
