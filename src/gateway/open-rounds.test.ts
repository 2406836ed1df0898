import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { openRounds } from './open-rounds.ts';

function stand() {
  const abandoned: string[] = [];
  const sent: JSONRPCMessage[] = [];
  const rounds = openRounds((state) => abandoned.push(state));
  const transport: Transport = {
    start: async () => undefined,
    close: async () => undefined,
    send: async (message) => void sent.push(message),
  };
  return { abandoned, sent, rounds, transport: rounds.watch(transport) };
}
const never = new AbortController().signal;

describe('open rounds', () => {
  it('abandon a request whose response is sent while it should come back, once', async () => {
    const { abandoned, sent, rounds, transport } = stand();
    rounds.asked(1, 'one', never);
    rounds.asked('1', 'other', never);
    await transport.send({ jsonrpc: '2.0', method: 'notifications/progress' });
    await transport.send({ jsonrpc: '2.0', id: 1, method: 'elicitation/create' });
    expect(abandoned).toEqual([]);
    await transport.send({ jsonrpc: '2.0', id: 1, result: {} });
    await transport.send({ jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } });
    expect(abandoned).toEqual(['one']);
    expect(sent).toHaveLength(4);
  });

  it('leave a request alone that came back', async () => {
    const { abandoned, rounds, transport } = stand();
    rounds.asked(1, 'one', never);
    rounds.cameBack(1);
    await transport.send({ jsonrpc: '2.0', id: 1, result: {} });
    expect(abandoned).toEqual([]);
  });

  it('abandon a request that is cancelled, and not a later one with its id', () => {
    const { abandoned, rounds } = stand();
    const stop = new AbortController();
    rounds.asked(1, 'one', stop.signal);
    rounds.cameBack(1);
    rounds.asked(1, 'two', never);
    stop.abort();
    expect(abandoned).toEqual([]);
    const second = new AbortController();
    rounds.asked(2, 'three', second.signal);
    second.abort();
    rounds.asked(3, 'four', second.signal);
    expect(abandoned).toEqual(['three', 'four']);
  });
});
