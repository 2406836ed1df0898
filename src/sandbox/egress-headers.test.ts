import { expect, test } from 'vitest';
import { type Header, misleadingHeader, passedHeaders } from './egress-headers.ts';

const header = (name: string): Header => [name, 'x'];

test.each(['True-Client-IP', 'X_Client_Ip', 'x-originating-ip', 'X-Proxy-User', 'X-Forwarded-Host', 'Content-Length'])(
  '%s does not go on: who is behind the proxy, and what a connection is, we say',
  (name) => {
    expect(passedHeaders([header(name), header('Accept')], false)).toEqual([header('Accept')]);
  },
);

test.each(['X-Original-URL', 'x_http_method_override', 'Destination'])('%s would change what was judged', (name) => {
  expect(misleadingHeader([header('Accept'), header(name)])).toBe(name.toLowerCase().replaceAll('_', '-'));
});
