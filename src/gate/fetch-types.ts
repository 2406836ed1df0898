import type { Socket } from 'node:net';
import type { CanonicalUrl, ErrorCode, JsonObject, JsonValue, TemplatePart } from '../core/index.ts';

/** A header's value: a text, or a secret reference that is resolved for the hop it is sent on. */
type FetchHeader = string | { readonly reference: string; readonly prefix: string };

/** A request as the caller wants it; types as the schema of `api_call` has them. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: JsonObject;
  /** Text is sent as it stands, an object as JSON; `null`: no body. */
  readonly body: JsonValue;
}

/** One request of a chain of redirects, to be judged like a first one. */
export interface Hop {
  /** 0 for the request itself. */
  readonly index: number;
  readonly request: FetchRequest;
  /** `null`: not looked up yet; nothing is looked up before the name is allowed. */
  readonly addresses: readonly string[] | null;
}

/** Where an admitted hop goes. The policy's `EndpointTarget` is one. */
export interface HopTarget {
  readonly url: CanonicalUrl;
  readonly method: string | null;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, FetchHeader>;
  readonly isInternal: boolean;
  /** What the request carries besides; resolved for this hop. */
  readonly secrets: readonly HopSecret[];
}

/** A secret in its place. The policy's `EndpointSecret` is one. */
export interface HopSecret {
  readonly place: { readonly kind: 'header' | 'query'; readonly name: string } | { readonly kind: 'basic' };
  readonly template: { readonly parts: readonly TemplatePart[] };
}

/** What the policy says about a hop. The policy's `EndpointVerdict` is one. */
export interface HopVerdict {
  readonly effect: 'allow' | 'confirm' | 'deny';
  readonly target: HopTarget | null;
  readonly finding: { readonly code: ErrorCode; readonly reason: string } | null;
}

/** Where to connect: an address that was judged, nothing else. */
export interface DialTarget {
  readonly address: string;
  readonly port: number;
}

/** Opens a connection; must not look anything up. */
export type Dial = (target: DialTarget, signal: AbortSignal) => Promise<Socket>;

/** All addresses of a name; empty when it has none. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

export interface FetchLimits {
  /** Redirects that are followed. */
  readonly redirects: number;
  /** Milliseconds for one connection with its TLS handshake. */
  readonly connectMs: number;
  /** Milliseconds for everything: look-ups, all hops, the body. */
  readonly totalMs: number;
  /** Bytes of the headers of an answer. */
  readonly headerBytes: number;
  /** Bytes of a body as it comes over the wire. */
  readonly wireBytes: number;
  /** Bytes of a body after decompression. */
  readonly bodyBytes: number;
  /** Bytes of a request's body. */
  readonly requestBytes: number;
}

export const DEFAULT_FETCH_LIMITS: FetchLimits = Object.freeze({
  redirects: 5,
  connectMs: 10_000,
  totalMs: 60_000,
  headerBytes: 32_768,
  wireBytes: 1_048_576,
  bodyBytes: 1_048_576,
  requestBytes: 1_048_576,
});

export interface FetchOptions {
  /** Judges each hop twice: before its name is looked up, and with every address. */
  judge(hop: Hop): HopVerdict;
  readonly resolve: Resolve;
  readonly dial: Dial;
  /** Addresses by host that were looked up and judged before: they are not looked up again. */
  readonly resolved?: ReadonlyMap<string, readonly string[]>;
  readonly limits?: Partial<FetchLimits>;
  readonly signal?: AbortSignal;
  /** A person said yes to this very request; never holds for where it is redirected to. */
  readonly confirmed?: boolean;
  /** Resolves a secret reference for one destination; absent: requests with references fail. */
  release?(reference: string, url: CanonicalUrl): Promise<string>;
  /** Certificates (PEM) trusted besides those that Node.js comes with; for internal endpoints. */
  readonly certificates?: readonly string[];
}

/** One hop that was made. */
export interface MadeHop {
  readonly url: string;
  readonly method: string;
  readonly status: number;
  /** The judged address that was connected to. */
  readonly address: string;
}

/** An answer, or a denial of some hop. A denial is a value; failures (time, size, network) are thrown. */
export type FetchResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Names in lower case, in the order of the wire. */
      readonly headers: readonly (readonly [name: string, value: string])[];
      /** Decompressed. */
      readonly body: Uint8Array;
      readonly url: string;
      readonly hops: readonly MadeHop[];
    }
  | {
      readonly kind: 'denied';
      readonly code: ErrorCode;
      readonly reason: string;
      readonly hops: readonly MadeHop[];
    };
