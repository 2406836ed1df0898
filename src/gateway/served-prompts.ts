import { ProtocolError } from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject } from '../core/index.ts';
import { actionName, namesTool } from '../policy/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import { clientContent } from './call-answer.ts';
import type { ClientAnswer, ClientRequest } from './exchange.ts';
import { readCompletion, readPromptMessages } from './mcp-readers.ts';
import { resourceAddress } from './resource-uris.ts';
import {
  INVALID_PARAMS,
  passingServers,
  refuseUnknown,
  resultOf,
  type ServedContext,
  serverAction,
} from './served-context.ts';
import { exposedPrompts, listedPrompt, type ServedPrompt } from './served-names.ts';
import { playRound } from './served-rounds.ts';
import { isTemplateOpen } from './template-reach.ts';

const promptsOf = ({ session, servers }: ServedContext): ReadonlyMap<string, ServedPrompt> =>
  exposedPrompts(servers().filter(({ rule }) => session.mayBeAllowed(actionName(rule.name, 'prompts/get'))));

/** `prompts/list`: approved text, from the lock; a prompt that the policy does not open is not shown. */
export async function listPrompts(all: ServedContext): Promise<JsonObject> {
  const context = await passingServers(all, 'prompts/list');
  const open = [...promptsOf(context).values()].filter(({ server, name }) => isOpen(server, name));
  return { prompts: open.map(listedPrompt) };
}

const isOpen = ({ rule }: ApprovedServer, name: string): boolean =>
  rule.actions.prompts.some(({ text }) => namesTool(text, name));

async function promptNamed(context: ServedContext, method: string, name: unknown): Promise<ServedPrompt> {
  const prompt = typeof name === 'string' ? promptsOf(context).get(name) : undefined;
  if (prompt !== undefined) return prompt;
  const given = typeof name === 'string' ? { name } : {};
  return refuseUnknown(context, method, given, { message: 'there is no such prompt', data: {} });
}

/** `prompts/get`. */
export async function getPrompt(context: ServedContext, request: ClientRequest): Promise<ClientAnswer> {
  const { server, name } = await promptNamed(context, 'prompts/get', request.params['name']);
  const args = request.params['arguments'];
  const params = { name, ...(isJsonObject(args) ? { arguments: args } : {}) };
  const { signal } = request;
  const round = await playRound(context, {
    ...{ request, server, params },
    run: (exchange) =>
      context.session.actAsking(
        serverAction(context, server, 'prompts/get', params, readPromptMessages, exchange),
        exchange,
        { signal },
      ),
  });
  if (round.kind === 'questions') return round;
  const { roles } = resultOf(round.result);
  const content = round.result.kind === 'delivered' ? round.result.content : [];
  const messages = content.map((piece, index) => ({
    role: Array.isArray(roles) && roles[index] === 'assistant' ? 'assistant' : 'user',
    content: clientContent(piece, server.rule),
  }));
  return { kind: 'result', result: { messages } };
}

/** `completion/complete`, for a prompt or a template that the session may use. */
export async function complete(context: ServedContext, { params, signal }: ClientRequest): Promise<JsonObject> {
  const { ref, argument, context: known } = params;
  if (!isJsonObject(ref) || !isJsonObject(argument)) throw new ProtocolError(INVALID_PARAMS, 'nothing to complete');
  const { server, ref: own } = await refOf(context, ref);
  const { name, value } = argument;
  if (typeof name !== 'string' || typeof value !== 'string')
    throw new ProtocolError(INVALID_PARAMS, 'nothing to complete');
  const args =
    isJsonObject(known) && isJsonObject(known['arguments']) ? { context: { arguments: known['arguments'] } } : {};
  const asked = { ref: own, argument: { name, value }, ...args };
  const action = serverAction(context, server, 'completion/complete', asked, readCompletion);
  return resultOf(await context.session.act(action, { signal }));
}

async function refOf(
  context: ServedContext,
  ref: JsonObject,
): Promise<{ readonly server: ApprovedServer; readonly ref: JsonObject }> {
  if (ref['type'] === 'ref/prompt') {
    const { server, name } = await promptNamed(context, 'completion/complete', ref['name']);
    return { server, ref: { type: 'ref/prompt', name } };
  }
  const { uri } = ref;
  const servers = context.servers();
  const rules = new Map(servers.map(({ rule }) => [rule.name, rule]));
  const address = typeof uri === 'string' ? resourceAddress(rules, uri) : null;
  const server = servers.find(({ rule }) => rule.name === address?.server);
  const isTemplate = server?.locked.resourceTemplates.some(({ uriTemplate }) => uriTemplate === address?.uri);
  const isOpen = server !== undefined && address !== null && isTemplateOpen(server.rule.actions.resources, address.uri);
  if (ref['type'] !== 'ref/resource' || address === null || server === undefined || isTemplate !== true || !isOpen) {
    throw new ProtocolError(INVALID_PARAMS, 'there is nothing of this name to complete');
  }
  return { server, ref: { type: 'ref/resource', uri: address.uri } };
}
