import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { copyJsonObject } from '../core/index.ts';
import type { ServedSession } from './exchange.ts';
import type { ServedSession as ToolSession } from './served-session.ts';

/** A session of tools alone, in the terms of `exchange.ts`. */
export function adaptSession(session: ToolSession): ServedSession {
  return {
    features: async () => ({
      ...{ resources: false, subscriptions: false, prompts: false },
      ...{ completion: false, logging: false, tasks: false },
    }),
    answer: async ({ method, params, signal }) => {
      if (method === 'tools/list') return { kind: 'result', result: copyJsonObject({ tools: await session.list() }) };
      if (method === 'tools/call') {
        const result = await session.call(String(params['name']), params['arguments'] ?? {}, signal);
        return { kind: 'result', result: copyJsonObject(result, { maxBytes: 64 * 1_048_576 }) };
      }
      throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
    },
    tell: async () => undefined,
    listen: () => () => undefined,
    close: async () => undefined,
  };
}
