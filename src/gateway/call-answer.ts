import type { JsonObject } from '../core/index.ts';
import type { CallResult, Content } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { clientUri } from './resource-uris.ts';

/** Key in `_meta` of a result under which the decision stands: outcome, code, rule, number of the record, and of a call that waits for a person the request and when to come again. */
export const DECISION_META_KEY = 'dev.sallyport/decision';

/**
 * A gate's result in the terms of MCP. A denied or failed call is a result with `isError` whose text the model can act
 * on, never a protocol error. `server`: whose tool it was, so that URIs in the result lead back through the gateway.
 */
export function callAnswer(result: CallResult, server: ServerRule | null): JsonObject {
  const meta = { [DECISION_META_KEY]: decisionOf(result) };
  if (result.kind !== 'delivered') {
    return { content: [{ type: 'text', text: result.text }], isError: true, _meta: meta };
  }
  return {
    content: result.content.map((piece) => clientContent(piece, server)),
    ...(result.structuredContent === undefined ? {} : { structuredContent: result.structuredContent }),
    ...(result.isError ? { isError: true } : {}),
    _meta: meta,
  };
}

function decisionOf(result: CallResult): JsonObject {
  const code = result.kind === 'delivered' ? {} : { code: result.code };
  const { request, retryAt } = result.kind === 'denied' ? result : {};
  return {
    ...{ outcome: result.kind, ...code, rule: result.rule.id, record: result.record },
    ...(request === undefined ? {} : { request }),
    ...(retryAt === undefined ? {} : { retryAt }),
  };
}

/** A piece of content with the URIs that clients know. */
export function clientContent(piece: Content, server: ServerRule | null): JsonObject {
  const uriOf = (uri: string): string => (server === null ? uri : clientUri(server, uri));
  if (piece.type === 'resource_link') return { ...piece, uri: uriOf(piece.uri) };
  if (piece.type !== 'resource') return { ...piece };
  const { uri, text, blob, mimeType } = piece.resource;
  const common = { uri: uriOf(String(uri)), ...(typeof mimeType === 'string' ? { mimeType } : {}) };
  const resource = typeof blob === 'string' ? { ...common, blob } : { ...common, text: String(text) };
  return { type: 'resource', resource };
}
