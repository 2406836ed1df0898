/** What one session may cost the proxy; over it, a connection ends with a code of its own. Times are milliseconds. */
export interface EgressLimits {
  /** Connections at once: EGRESS_BUSY. */
  readonly connections: number;
  /** Requests that wait behind one another on one connection: EGRESS_BUSY. */
  readonly pipelined: number;
  /** Bytes of the request line and all headers, either direction: EGRESS_MALFORMED or ENDPOINT_UNREACHABLE. */
  readonly headerBytes: number;
  /** Headers of a request: EGRESS_MALFORMED. */
  readonly headers: number;
  /** Until the head of a request, a ClientHello or a SOCKS request is complete: EGRESS_TIMEOUT. */
  readonly headMs: number;
  /** Bytes of a ClientHello: EGRESS_TUNNEL. */
  readonly helloBytes: number;
  /** One look-up of a name: ENDPOINT_UNRESOLVED. */
  readonly lookUpMs: number;
  /** Addresses of a name that are looked at; more of them: ENDPOINT_ADDRESS. */
  readonly addresses: number;
  /** One connection to an address, with its TLS handshake: ENDPOINT_UNREACHABLE. */
  readonly connectMs: number;
  /** Without a byte in either direction, once connected. */
  readonly idleMs: number;
  /** Hosts whose certificates are kept where TLS is terminated. */
  readonly certificates: number;
}

/** The limits in force unless an operator sets others. */
export const EGRESS_LIMITS: EgressLimits = Object.freeze({
  connections: 256,
  pipelined: 16,
  headerBytes: 32_768,
  headers: 100,
  headMs: 15_000,
  helloBytes: 16_384,
  lookUpMs: 5_000,
  addresses: 64,
  connectMs: 10_000,
  idleMs: 300_000,
  certificates: 128,
});
