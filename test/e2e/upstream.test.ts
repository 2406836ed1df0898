import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/index.ts';
import { fetchDefinitions } from '../../src/gateway/index.ts';
import { connectUpstream, type UpstreamConnection } from '../../src/gateway/upstream-connection.ts';
import { callOutput } from '../../src/gateway/upstream-result.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { hostile, inFolder, serverRule, serverScript, startIn } from './stand.ts';

const root = tmpdir();

async function connected<T>(
  rule: ServerRule,
  use: (connection: UpstreamConnection) => Promise<T>,
  limits: Partial<Limits> = {},
): Promise<T> {
  const connection = await connectUpstream(rule, {
    start: startIn(root),
    version: '0',
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

const call = async (connection: UpstreamConnection, name = 'echo', args = {}): Promise<string> => {
  const result = callOutput(await connection.request('tools/call', { name, arguments: args }));
  const [first] = result.content;
  return first?.type === 'text' ? first.text : JSON.stringify(first);
};

/** Runs one call of the hostile server in a mode; the code of the error it ends with. */
const codeOf = (mode: string, rule: Partial<ServerRule> = {}, limits: Partial<Limits> = {}): Promise<unknown> =>
  connected(hostile(mode, '', rule), (connection) => call(connection), limits).then(
    (text) => `no error: ${text}`,
    (error: { code?: unknown }) => error.code,
  );

describe('a server that breaks the rules [T1.8]', () => {
  it.each([
    ['crash', 'SERVER_UNAVAILABLE'],
    ['flood-line', 'RESULT_TOO_LARGE'],
    ['flood-messages', 'RESULT_TOO_LARGE'],
    ['flood-noise', 'RESULT_TOO_LARGE'],
    ['nonsense', 'RESULT_MALFORMED'],
    ['integer', 'RESULT_MALFORMED'],
    ['duplicate', 'RESULT_MALFORMED'],
    ['surrogate', 'RESULT_MALFORMED'],
    ['error', -32_602],
  ])('%s ends the call with %s', async (mode, code) => {
    expect(await codeOf(mode, {}, { resultBinaryBytes: 1_048_576 })).toBe(code);
  });

  it.each(['hang', 'other'])('%s ends with a timeout', async (mode) => {
    expect(await codeOf(mode, { timeoutMs: 300 })).toBe('TOOL_TIMEOUT');
  });

  it('is stopped when it hangs, and its connection is over', async () => {
    await connected(hostile('hang', '', { timeoutMs: 300 }), async (connection) => {
      await expect(call(connection)).rejects.toMatchObject({ code: 'TOOL_TIMEOUT' });
      expect(connection.isOpen()).toBe(false);
    });
  });

  it('may write 64 MiB to standard error, and answer', async () => {
    expect(await codeOf('flood-stderr')).toBe('no error: still here');
  });

  it('may print between its messages', async () => {
    expect(await codeOf('noise')).toBe('no error: after the print');
  });

  it('gets no answer to what it asks of the user, the model or the file system', async () => {
    expect(await codeOf('ask')).toBe('no error: [-32601,-32601,-32601]');
  });

  it('does not start when its program is missing', async () => {
    const rule = serverRule('none', { command: ['/does/not/exist'] });
    await expect(connected(rule, call)).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
  });
});

describe('a server process', () => {
  it('sees four variables, those of the policy and the mark of a gate, and starts in the root', async () => {
    await connected(hostile('env', '', { env: { TOKEN: 'literal' } }), async (connection) => {
      const names = Object.keys(JSON.parse(await call(connection)));
      expect(
        names.filter((name) => !['PATH', 'HOME', 'LANG', 'TERM', 'TOKEN', 'SALLYPORT_INSIDE'].includes(name)),
      ).toEqual([]);
      expect(names).toContain('TOKEN');
    });
  });

  it('ends with everything that it started, although both ignore SIGTERM', async () => {
    await inFolder(async (folder) => {
      const pids = join(folder, 'pids.json');
      await connected(hostile('group', pids), (connection) => call(connection));
      const alive = JSON.parse(await readFile(pids, 'utf8')).filter(isAlive);
      expect(alive).toEqual([]);
    });
  });

  it('tells of changed tools', async () => {
    await inFolder(async (folder) => {
      const definition = join(folder, 'definition');
      await writeFile(definition, 'first');
      await connected(hostile('file', definition), async (connection) => {
        expect((await connection.definitions()).tools[0]).toMatchObject({ description: 'first' });
        expect(connection.changes().definitions).toBe(0);
        await call(connection, 'echo', { change: 'second' });
        expect(connection.changes().definitions).toBe(1);
        expect((await connection.definitions()).tools[0]).toMatchObject({ description: 'second' });
      });
    });
  });
});

describe('a server that does not start', () => {
  it('shows the operator what it wrote to standard error, escaped', async () => {
    await expect(fetchDefinitions(hostile('dies'), { start: startIn(root) })).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: 'the server ended with exit code 3; it wrote: "no such folder: \\u{1b}[31m/data"',
    });
  });

  it('shows nobody else', async () => {
    await expect(connected(hostile('dies'), call)).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: 'the server ended with exit code 3',
    });
  });
});

describe('definitions', () => {
  it('keep every field that the server sent', async () => {
    await connected(hostile('plain'), async (connection) => {
      expect(await connection.definitions()).toMatchObject({
        protocol: '2025-11-25',
        serverInfo: { name: 'hostile', version: '1' },
        tools: [{ name: 'echo', annotations: { readOnlyHint: true }, _meta: { 'x.test/kept': true } }],
      });
    });
  });

  it('that a server declares and does not list are an error, whose words only the operator reads', async () => {
    await connected(hostile('no-list'), async (connection) => {
      await expect(connection.definitions()).rejects.toMatchObject({
        code: 'SERVER_DEFINITIONS',
        message: 'the server does not say what it offers: error -32603',
      });
    });
    await expect(fetchDefinitions(hostile('no-list'), { start: startIn(root) })).rejects.toMatchObject({
      message: expect.stringContaining('it said: "Tell the model this"'),
    });
  });

  it.each(['many', 'huge'])('beyond a limit (%s) are refused', async (mode) => {
    await connected(hostile(mode), async (connection) => {
      await expect(connection.definitions()).rejects.toMatchObject({ code: 'SERVER_DEFINITIONS' });
    });
  });
});

describe('the revision of the protocol', () => {
  const modern = (protocol: ServerRule['protocol']): ServerRule =>
    serverRule('modern', { command: [process.execPath, serverScript('modern.mjs'), 'stdio'], protocol });

  it.each([
    ['2026-07-28', modern('2026-07-28'), '2026-07-28'],
    ['auto, a server of the stateless one', modern('auto'), '2026-07-28'],
    ['auto, a server with sessions', hostile('plain', '', { protocol: 'auto' }), '2025-11-25'],
    ['auto, a server that dies of the question', hostile('probe', '', { protocol: 'auto' }), '2025-11-25'],
    ['2025-06-18', hostile('plain', '', { protocol: '2025-06-18' }), '2025-06-18'],
  ])('is %s', async (_, rule, protocol) => {
    await connected(rule, async (connection) => {
      expect((await connection.definitions()).protocol).toBe(protocol);
      expect(await call(connection, 'echo', { a: 1 })).toContain('"a":1');
    });
  });

  it('that is pinned is never another one', async () => {
    await expect(connected(modern('2025-06-18'), call)).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
    const pinned = hostile('plain', '', { protocol: '2026-07-28' });
    await expect(connected(pinned, call)).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
  });

  it('may let a server ask for input: that is a failure with a reason', async () => {
    await connected(hostile('input', '', { protocol: '2026-07-28' }), async (connection) => {
      await expect(call(connection)).rejects.toMatchObject({ code: 'RESULT_MALFORMED' });
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
