/** Header names in lower case, by what they do to a request. Whoever judges requests and whoever passes them on read these tables. */

/** They belong to one connection (RFC 9110 7.6.1, RFC 9112). */
export const CONNECTION_HEADERS: readonly string[] = Object.freeze([
  'host',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
]);

/** They tell a server of another client or proxy than the one that it sees. */
export const CLIENT_HEADERS: readonly string[] = Object.freeze([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'true-client-ip',
]);

/** Beginnings of names of both kinds above. */
export const CONNECTION_PREFIXES: readonly string[] = Object.freeze([
  'proxy-',
  'x-forwarded-',
  'x-proxy-',
  'sec-websocket-',
]);

/** They tell a server to take another host or path than the one that was judged. */
export const TARGET_OVERRIDE_HEADERS: readonly string[] = Object.freeze([
  'x-original-url',
  'x-original-uri',
  'x-original-path',
  'x-original-host',
  'x-rewrite-url',
  'x-override-url',
  'x-envoy-original-path',
  'x-host',
  'x-http-host-override',
  'x-http-destinationurl',
  'destination',
]);

/** They tell a server to take another method. */
export const METHOD_OVERRIDE_HEADERS: readonly string[] = Object.freeze([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-method',
  'x-original-method',
  'http-method-override',
]);
