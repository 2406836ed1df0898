import { ProtocolError } from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject, parseStrictJson } from '../core/index.ts';
import { actionName, isPlainUri, matchesUri } from '../policy/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import { whySuspicious } from './definition-words.ts';
import type { ClientAnswer, ClientRequest } from './exchange.ts';
import { readContents, readNothing, readResourceList } from './mcp-readers.ts';
import { clientUri, resourceAddress } from './resource-uris.ts';
import {
  actionError,
  INVALID_PARAMS,
  refuseUnknown,
  resultOf,
  type ServedContext,
  serverAction,
} from './served-context.ts';
import { playRound } from './served-rounds.ts';
import { isTemplateOpen } from './template-reach.ts';

/** The resources that a session watches: server to URIs as the server writes them. */
export type Watched = Map<string, Set<string>>;

/**
 * Characters of the URIs of one page of a server that are compared with the policy, which takes time in proportion to them;
 * the rest of the page is not shown. Enough for 10,000 URIs of 50.
 */
const MAX_PAGE_CHARACTERS = 524_288;

/** Resources of one server that a session may watch. */
const MAX_WATCHED = 256;

const withResources = ({ session, servers }: ServedContext, method: string): readonly ApprovedServer[] =>
  servers().filter(
    ({ rule, locked }) =>
      locked.capabilities['resources'] !== undefined && session.mayBeAllowed(actionName(rule.name, method)),
  );

/** `resources/list`: page by page of one server after the other, each page a call of its own. */
export async function listResources(context: ServedContext, { params, signal }: ClientRequest): Promise<JsonObject> {
  const servers = withResources(context, 'resources/list');
  const { at, cursor } = readCursor(params['cursor'], servers);
  const server = servers[at];
  if (server === undefined) return { resources: [] };
  const asked = cursor === null ? {} : { cursor };
  const action = serverAction(context, server, 'resources/list', asked, readResourceList);
  const page = resultOf(await context.session.act(action, { signal }));
  const { resources, nextCursor } = page;
  const shown = comparable(resources).flatMap((resource) => listed(server, resource));
  const next = nextOf(servers, at, nextCursor);
  return { resources: shown, ...(next === null ? {} : { nextCursor: next }) };
}

/** ATTACKER-CONTROLLED: the resources of a page, which may be no list. */
function comparable(resources: unknown): readonly unknown[] {
  let characters = 0;
  return (Array.isArray(resources) ? resources : []).filter((resource) => {
    characters += isJsonObject(resource) && typeof resource['uri'] === 'string' ? resource['uri'].length : 0;
    return characters <= MAX_PAGE_CHARACTERS;
  });
}

/** A resource by the client's URI; one that the policy does not open is not shown. */
function listed({ rule }: ApprovedServer, resource: unknown): JsonObject[] {
  const uri = isJsonObject(resource) ? resource['uri'] : null;
  if (!isJsonObject(resource) || typeof uri !== 'string' || !isPlainUri(uri)) return [];
  if (!rule.actions.resources.some(({ text }) => matchesUri(text, uri))) return [];
  return [{ ...resource, uri: clientUri(rule, uri) }];
}

function nextOf(servers: readonly ApprovedServer[], at: number, cursor: unknown): string | null {
  const next = typeof cursor === 'string' ? at : at + 1;
  const server = servers[next]?.rule.name;
  if (server === undefined) return null;
  return Buffer.from(JSON.stringify([server, typeof cursor === 'string' ? cursor : null])).toString('base64url');
}

const MAX_CURSOR = 8_192;

/** ATTACKER-CONTROLLED: the cursor; what it holds for the server is judged with the params of the action. */
function readCursor(
  cursor: unknown,
  servers: readonly ApprovedServer[],
): { readonly at: number; readonly cursor: string | null } {
  if (cursor === undefined) return { at: 0, cursor: null };
  const [name, rest] = typeof cursor === 'string' && cursor.length <= MAX_CURSOR ? decodeCursor(cursor) : [];
  const at = servers.findIndex(({ rule }) => rule.name === name);
  if (at < 0) throw new ProtocolError(INVALID_PARAMS, 'this cursor is not one of this list');
  return { at, cursor: typeof rest === 'string' ? rest : null };
}

function decodeCursor(cursor: string): readonly unknown[] {
  try {
    const value = parseStrictJson(Buffer.from(cursor, 'base64url').toString('utf8'), {
      maxBytes: MAX_CURSOR,
      maxDepth: 2,
    });
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // no cursor of ours
  }
}

/** `resources/templates/list`: approved text, from the lock; a template that the policy cannot open is not shown. */
export async function listTemplates(context: ServedContext): Promise<JsonObject> {
  const resourceTemplates = withResources(context, 'resources/templates/list').flatMap(({ rule, locked }) =>
    locked.resourceTemplates.flatMap((template) => {
      const { uriTemplate, name, title, description, mimeType } = template;
      if (typeof uriTemplate !== 'string' || typeof name !== 'string') return [];
      if (!isTemplateOpen(rule.actions.resources, uriTemplate)) return [];
      if (whySuspicious(rule, uriTemplate, template) !== null) return [];
      return [
        {
          uriTemplate: clientUri(rule, uriTemplate),
          name,
          ...(typeof title === 'string' ? { title } : {}),
          ...(typeof description === 'string' ? { description } : {}),
          ...(typeof mimeType === 'string' ? { mimeType } : {}),
        },
      ];
    }),
  );
  return { resourceTemplates };
}

interface Addressed {
  readonly server: ApprovedServer;
  readonly uri: string;
}

/** The server and its URI behind a client's. @throws ProtocolError -32602 with the URI (MCP 2026-07-28, resources) */
async function addressed(context: ServedContext, method: string, params: JsonObject): Promise<Addressed> {
  const { uri } = params;
  if (typeof uri !== 'string') throw new ProtocolError(INVALID_PARAMS, 'a resource is named by its URI');
  const servers = context.servers();
  const address = resourceAddress(new Map(servers.map(({ rule }) => [rule.name, rule])), uri);
  const server = servers.find(({ rule }) => rule.name === address?.server);
  if (address !== null && server !== undefined) return { server, uri: address.uri };
  return refuseUnknown(context, method, { uri }, { message: 'Resource not found', data: { uri } });
}

/** `resources/read`. */
export async function readResource(context: ServedContext, request: ClientRequest): Promise<ClientAnswer> {
  const { server, uri } = await addressed(context, 'resources/read', request.params);
  const { signal } = request;
  const round = await playRound(context, {
    ...{ request, server, params: { uri } },
    run: (exchange) =>
      context.session.actAsking(
        serverAction(context, server, 'resources/read', { uri }, readContents, exchange),
        exchange,
        { signal },
      ),
  });
  if (round.kind === 'questions') return round;
  resultOf(round.result, { uri: String(request.params['uri']) });
  const content = round.result.kind === 'delivered' ? round.result.content : [];
  const contents = content.flatMap((piece) =>
    piece.type === 'resource'
      ? [{ ...piece.resource, uri: clientUri(server.rule, String(piece.resource['uri'])) }]
      : [],
  );
  return { kind: 'result', result: { contents } };
}

/**
 * `resources/subscribe` and `resources/unsubscribe`: the server is told of exactly what the session watches. One after the
 * other for each session and server: what one of them reads, the one before has written.
 */
export async function watchResource(
  context: ServedContext,
  request: ClientRequest,
  watched: Watched,
  isOn: boolean,
): Promise<ClientAnswer> {
  const { server, uri } = await addressed(context, request.method, request.params);
  const { name } = server.rule;
  const turn = (watchTurns.get(watched)?.get(name) ?? Promise.resolve()).then(() =>
    changeWatched(context, request, { server, uri }, { watched, isOn }),
  );
  const turns = watchTurns.get(watched) ?? new Map<string, Promise<void>>();
  watchTurns.set(watched, turns);
  turns.set(
    name,
    turn.then(
      () => undefined,
      () => undefined, // whoever asked is told
    ),
  );
  return turn;
}

/** The last change of what a session watches of a server; the next one waits for it. Gone with its session. */
const watchTurns = new WeakMap<Watched, Map<string, Promise<void>>>();

async function changeWatched(
  context: ServedContext,
  { method }: ClientRequest,
  { server, uri }: Addressed,
  { watched, isOn }: { readonly watched: Watched; readonly isOn: boolean },
): Promise<ClientAnswer> {
  const wanted = new Set(watched.get(server.rule.name));
  if (isOn && wanted.size >= MAX_WATCHED)
    throw new ProtocolError(INVALID_PARAMS, `at most ${MAX_WATCHED} resources of a server can be watched`);
  if (isOn) wanted.add(uri);
  else wanted.delete(uri);
  const result = await context.session.act({
    ...serverAction(context, server, method, { uri }, readNothing),
    execute: async () => ({ ok: await context.watch(server, wanted) }),
  });
  if (result.kind !== 'delivered') throw actionError(result);
  watched.set(server.rule.name, wanted);
  return { kind: 'result', result: {} };
}
