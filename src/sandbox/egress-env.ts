import { PROXY_USER } from './egress-token.ts';

/** Where the relay listens inside; it says so itself where it had to take other ports. */
const HTTP_PORT = 3128;

/** Both letter cases: curl reads `http_proxy` in lower case only, others the opposite. */
const inBothCases = (variables: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
  );

/** Loopback inside is the sandbox's own: what is served there is reached without the proxy. */
const NO_PROXY = 'localhost,127.0.0.1,::1';

/**
 * Variables that lead curl, git, npm, pip, Node.js, Python and what is built on them through the proxy. All of them name the HTTP
 * proxy: a SOCKS address makes clients fail that were built without SOCKS.
 */
export function proxyVariables(token: string): Record<string, string> {
  const proxy = `http://${PROXY_USER}:${token}@127.0.0.1:${HTTP_PORT}`;
  return {
    ...inBothCases({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy, NO_PROXY }),
    ...{ npm_config_proxy: proxy, npm_config_https_proxy: proxy, npm_config_noproxy: NO_PROXY },
    // Sends the token with the first request: git asks for a challenge else.
    GIT_HTTP_PROXY_AUTHMETHOD: 'basic',
    NODE_USE_ENV_PROXY: '1',
  };
}

/** Variables that make programs trust the authority of a session: `own` is its certificate, `bundle` all that are trusted. */
export const trustVariables = (own: string, bundle: string): Record<string, string> => ({
  // Node.js adds this one to its own authorities.
  NODE_EXTRA_CA_CERTS: own,
  ...{ SSL_CERT_FILE: bundle, REQUESTS_CA_BUNDLE: bundle, CURL_CA_BUNDLE: bundle, GIT_SSL_CAINFO: bundle },
  ...{ PIP_CERT: bundle, npm_config_cafile: bundle, CARGO_HTTP_CAINFO: bundle, AWS_CA_BUNDLE: bundle, DENO_CERT: own },
});
