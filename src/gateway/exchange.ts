import type { JsonObject } from '../core/index.ts';

/** What a client says that it can be asked for. */
export interface ClientAbilities {
  readonly sampling: boolean;
  /** Forms, and links that open outside the client. */
  readonly elicitation: { readonly form: boolean; readonly url: boolean };
  readonly roots: boolean;
}

/**
 * One request of a client, free of its frame, in the same terms in both eras. ATTACKER-CONTROLLED: everything but `signal`
 * and the two ways back.
 */
export interface ClientRequest {
  readonly method: string;
  /** Without `_meta`, `inputResponses` and `requestState`. */
  readonly params: JsonObject;
  readonly abilities: ClientAbilities;
  /** What the client answered to the questions of the round before, by their keys; null in the first round. */
  readonly answers: JsonObject | null;
  /** The sealed state of the round before, as it was given out; null in the first round. */
  readonly state: string | null;
  /** Ends when the client cancels or goes away. */
  readonly signal: AbortSignal;
  /** Tells the client how far the request is; null when it did not ask. */
  readonly progress: ((progress: JsonObject) => Promise<void>) | null;
  /** Passes a log message on (`level`, `logger`, `data`), at or above the level that the client asked for; null for none. */
  readonly log: ((message: JsonObject) => Promise<void>) | null;
}

/** A question of a server, on its way to the client: `sampling/createMessage`, `elicitation/create` or `roots/list`. */
export interface Question {
  readonly method: string;
  readonly params: JsonObject;
}

/** What a request came to: a result, or questions that the client has to answer before it can go on. */
export type ClientAnswer =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | {
      readonly kind: 'questions';
      readonly questions: Readonly<Record<string, Question>>;
      /** To be given back, unread, with the answers. */
      readonly state: string;
    };

/** Something that happened without being asked for. URIs are those that the client knows. */
export type SessionEvent =
  | { readonly kind: 'tools' | 'prompts' | 'resources' }
  | { readonly kind: 'updated'; readonly uri: string }
  | { readonly kind: 'log'; readonly message: JsonObject };

/** What a session offers to its client; what is absent is neither advertised nor answered. */
export interface SessionFeatures {
  readonly resources: boolean;
  readonly subscriptions: boolean;
  readonly prompts: boolean;
  readonly completion: boolean;
  readonly logging: boolean;
  readonly tasks: boolean;
}

/** A gate session as the protocol side sees it: every method of MCP comes in here, and every answer was through the gate. */
export interface ServedSession {
  features(): Promise<SessionFeatures>;
  /**
   * Answers one request. A denied tool call is a result with `isError`; everything else that is denied is an error.
   *
   * @throws ProtocolError what the client is to be told; nothing else of an error reaches it
   */
  answer(request: ClientRequest): Promise<ClientAnswer>;
  /** The request that was answered with questions and `state` is over: nobody will come back with answers. */
  abandon(state: string): void;
  /** The approved schema of a tool's arguments, by the client's name for it; null for a tool that is not offered. */
  schemaOf(tool: string): Promise<JsonObject | null>;
  /** Takes note of a notification of the client that needs no answer (`notifications/roots/list_changed`). */
  tell(method: string, params: JsonObject): Promise<void>;
  /** Calls `listener` for each event; the result ends it. */
  listen(listener: (event: SessionEvent) => void): () => void;
  /** The session is over: nobody will read its events, and its connections to servers may end. */
  close(): Promise<void>;
}
