import { ProtocolError } from '@modelcontextprotocol/server';
import type { ClientAbilities, ClientRequest, ServedSession } from './exchange.ts';

/** The URIs that the streams of one session hear about. Two streams may name the same one; the session hears of it once. */
export interface Subscriptions {
  /** True when the session subscribed to it, or had already. ATTACKER-CONTROLLED: `uri`. */
  add(uri: string): Promise<boolean>;
  /** Takes back one {@link add} that was granted. */
  remove(uri: string): Promise<void>;
  has(uri: string): boolean;
  size(): number;
}

interface Entry {
  holders: number;
  readonly granted: Promise<boolean>;
}

export function subscriptions(session: ServedSession, maxUris: number): Subscriptions {
  const entries = new Map<string, Entry>();
  /** Takings back that are under way: a new subscription to the same URI comes after them. */
  const leaving = new Map<string, Promise<void>>();
  const ask = async (uri: string): Promise<boolean> => {
    await leaving.get(uri);
    return isGranted(session, uri);
  };
  return {
    add: async (uri) => {
      const known = entries.get(uri);
      if (known === undefined && entries.size >= maxUris) return false;
      const entry = known ?? { holders: 0, granted: ask(uri) };
      entry.holders += 1;
      entries.set(uri, entry);
      const granted = await entry.granted.catch((error: unknown) => {
        if (entries.get(uri) === entry) entries.delete(uri);
        throw error;
      });
      if (!granted && entries.get(uri) === entry) entries.delete(uri);
      return granted;
    },
    remove: async (uri) => {
      const entry = entries.get(uri);
      if (entry === undefined) return;
      entry.holders -= 1;
      if (entry.holders > 0) return;
      entries.delete(uri);
      const left = session.answer(requestOf('resources/unsubscribe', uri)).then(
        () => undefined,
        () => undefined, // nobody is left who could be told; the session ends what it holds when it closes
      );
      leaving.set(uri, left);
      await left;
      if (leaving.get(uri) === left) leaving.delete(uri);
    },
    has: (uri) => entries.has(uri),
    size: () => entries.size,
  };
}

/** A refusal leaves the URI out; anything else that goes wrong is for the caller. */
async function isGranted(session: ServedSession, uri: string): Promise<boolean> {
  try {
    return (await session.answer(requestOf('resources/subscribe', uri))).kind === 'result';
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** What a client can be asked in a subscription: nothing. */
const NO_ABILITIES: ClientAbilities = Object.freeze({
  sampling: false,
  elicitation: Object.freeze({ form: false, url: false }),
  roots: false,
});

/** No one stream may cancel what others hear as well: it is taken back instead. */
const requestOf = (method: string, uri: string): ClientRequest => ({
  ...{ method, params: { uri }, abilities: NO_ABILITIES, signal: new AbortController().signal },
  ...{ answers: null, state: null, progress: null, log: null },
});
