import type { CallToolResult } from '@modelcontextprotocol/server';
import type { CallResult, Content } from '../gate/index.ts';

/** Key in `_meta` of a result under which the decision stands: outcome, code, rule, number of the record. */
export const DECISION_META_KEY = 'dev.sallyport/decision';

/**
 * A gate's result in the terms of MCP. A denied or failed call is a result with `isError` whose text the model can act
 * on, never a protocol error.
 */
export function callAnswer(result: CallResult): CallToolResult {
  const meta = { [DECISION_META_KEY]: decisionOf(result) };
  if (result.kind !== 'delivered') {
    return { content: [{ type: 'text', text: result.text }], isError: true, _meta: meta };
  }
  return {
    content: result.content.map(plainContent),
    ...(result.structuredContent === undefined ? {} : { structuredContent: { ...result.structuredContent } }),
    ...(result.isError ? { isError: true } : {}),
    _meta: meta,
  };
}

function decisionOf(result: CallResult): Record<string, unknown> {
  const code = result.kind === 'delivered' ? {} : { code: result.code };
  return { outcome: result.kind, ...code, rule: result.rule.id, record: result.record };
}

function plainContent(content: Content): CallToolResult['content'][number] {
  if (content.type !== 'resource') return { ...content };
  const { uri, text, blob, mimeType } = content.resource;
  const common = { uri: String(uri), ...(typeof mimeType === 'string' ? { mimeType } : {}) };
  const resource = typeof blob === 'string' ? { ...common, blob } : { ...common, text: String(text) };
  return { type: 'resource', resource };
}
