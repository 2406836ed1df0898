import type { Readable, Writable } from 'node:stream';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';

/** A client's end of a stdio connection over two streams, one JSON value a line. */
export function streamTransport(from: Readable, to: Writable): Transport {
  let rest = '';
  const transport: Transport = {
    start: async () => {
      from.setEncoding('utf8');
      from.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) transport.onmessage?.(JSON.parse(line) as JSONRPCMessage);
      });
      from.on('end', () => transport.onclose?.());
    },
    send: async (message) => {
      to.write(`${JSON.stringify(message)}\n`);
    },
    close: async () => {
      to.end();
      transport.onclose?.();
    },
  };
  return transport;
}
