import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/index.ts';
import { connectUpstream, type UpstreamConnection } from '../../src/gateway/upstream-connection.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { listeningServer, serverRule, startIn } from '../e2e/stand.ts';

const SCRIPT = fileURLToPath(new URL('./chatty.mjs', import.meta.url));
const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function connect(rule: Partial<ServerRule>, timeoutMs: number): Promise<UpstreamConnection> {
  const limits = { ...DEFAULT_LIMITS, resultBinaryBytes: 1_048_576 };
  const connection = await connectUpstream(serverRule('s', { ...rule, timeoutMs }), {
    ...{ start: startIn(tmpdir()), version: '0', limits },
  });
  ended.push(() => connection.close());
  return connection;
}

const spawned = (mode: string): Partial<ServerRule> => ({ command: [process.execPath, SCRIPT, mode] });

async function remote(mode: string): Promise<Partial<ServerRule>> {
  const server = await listeningServer(SCRIPT_FROM_SERVERS, mode, 'http');
  ended.push(() => server.close());
  return { url: server.url };
}
const SCRIPT_FROM_SERVERS = '../../attacks/chatty.mjs';

const codeOfCall = (connection: UpstreamConnection): Promise<unknown> =>
  connection.request('tools/call', { name: 'go', arguments: {} }).then(
    () => 'answered',
    (error: { code?: unknown }) => error.code,
  );

describe('a server that talks instead of answering [T1.8]', () => {
  it.each(['ping', 'large', 'blank'])('is stopped in a flood of the kind %s', async (mode) => {
    const connection = await connect(spawned(mode), 20_000);
    expect(await codeOfCall(connection)).toBe('RESULT_TOO_LARGE');
    expect(connection.isOpen()).toBe(false);
  });

  it.each(['ping', 'large', 'blank'])('is left, when it is remote, in a flood of the kind %s', async (mode) => {
    const connection = await connect(await remote(mode), 20_000);
    expect(await codeOfCall(connection)).toBe('RESULT_TOO_LARGE');
    expect(connection.isOpen()).toBe(false);
  });

  it('is stopped with its call that timed out, however little it says', async () => {
    const connection = await connect(spawned('drip'), 500);
    expect(await codeOfCall(connection)).toBe('TOOL_TIMEOUT');
    expect(connection.isOpen()).toBe(false);
  });

  it('is left with its call that timed out when it is remote', async () => {
    const connection = await connect(await remote('drip'), 500);
    expect(await codeOfCall(connection)).toBe('TOOL_TIMEOUT');
    expect(connection.isOpen()).toBe(false);
  });
});
