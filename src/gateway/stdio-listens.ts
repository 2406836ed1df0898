import { isJsonObject, type JsonObject } from '../core/index.ts';
import type { ClientLimits } from './client-limits.ts';
import { type ErrorResponse, INTERNAL_ERROR, INVALID_PARAMS, type Message, protocolError } from './json-rpc.ts';
import { grantedUris, narrowedTo, requestedUris } from './listen-filter.ts';
import type { Subscriptions } from './subscriptions.ts';

type Request = Message & { readonly kind: 'request' };

/**
 * The `subscriptions/listen` requests of a stdio connection (MCP 2026-07-28). The SDK keeps and filters the streams; what
 * it is handed names only URIs that the session granted.
 */
export interface StdioListens {
  has(id: unknown): boolean;
  /** Resolves with the message to hand on, with a refusal, or with null when the client cancelled it meanwhile. */
  open(message: Request): Promise<Message | ErrorResponse | null>;
  /** Takes a stream's subscriptions back: it was cancelled, refused or closed. */
  end(id: unknown): void;
}

interface Opened {
  cancelled: boolean;
  uris: readonly string[];
}

export function stdioListens(held: Subscriptions, limits: ClientLimits): StdioListens {
  const opened = new Map<unknown, Opened>();
  const release = (uris: readonly string[]): void => {
    // Never rejects: `remove` has nobody to report to.
    for (const uri of uris) void held.remove(uri);
  };
  const narrow = async (message: Request, wanted: readonly string[]): Promise<Message | null> => {
    const stream: Opened = { cancelled: false, uris: [] };
    opened.set(message.id, stream);
    try {
      stream.uris = await grantedUris(held, wanted);
    } catch (error) {
      if (opened.get(message.id) === stream) opened.delete(message.id);
      if (stream.cancelled) return null;
      throw error;
    }
    if (!stream.cancelled) return { ...message, body: narrowedTo(message, stream.uris) };
    release(stream.uris);
    return null;
  };
  return {
    has: (id) => opened.has(id),
    open: async (message) => {
      if (opened.size >= limits.streams) {
        return protocolError(INTERNAL_ERROR, 'Subscription limit reached', message.id);
      }
      const wanted = requestedUris(message, limits);
      if (wanted === null) {
        return protocolError(INVALID_PARAMS, `Invalid params: at most ${limits.uris} short URIs`, message.id);
      }
      // Without the envelope of the stateless revision the SDK refuses it: nothing is asked of a server before.
      return narrow(message, hasEnvelope(message.body) ? wanted : []);
    },
    end: (id) => {
      const stream = opened.get(id);
      if (stream === undefined) return;
      opened.delete(id);
      stream.cancelled = true;
      release(stream.uris);
    },
  };
}

function hasEnvelope({ params }: JsonObject): boolean {
  const meta = isJsonObject(params) ? params['_meta'] : undefined;
  return isJsonObject(meta) && typeof meta['io.modelcontextprotocol/protocolVersion'] === 'string';
}
