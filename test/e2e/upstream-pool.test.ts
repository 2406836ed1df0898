import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type JsonObject } from '../../src/core/index.ts';
import type { ApprovedServer, UpstreamEvent } from '../../src/gateway/approved-server.ts';
import { sessionHolder } from '../../src/gateway/caller.ts';
import { fetchDefinitions } from '../../src/gateway/index.ts';
import { lockedServer } from '../../src/gateway/lock.ts';
import { type PoolOptions, type UpstreamPool, upstreamPool } from '../../src/gateway/upstream-pool.ts';
import type { ServerRule } from '../../src/policy/index.ts';
import { hostile, serverRule, serverScript, startIn } from './stand.ts';

const root = tmpdir();
const pools: UpstreamPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

interface Stand {
  readonly pool: UpstreamPool;
  readonly events: UpstreamEvent[];
  /** Milliseconds that the pool's clock is ahead. */
  readonly clock: { ahead: number };
}

function stand(options: Partial<PoolOptions> = {}): Stand {
  const [events, clock]: [UpstreamEvent[], Stand['clock']] = [[], { ahead: 0 }];
  const pool = upstreamPool({
    ...{ start: startIn(root), version: '0', limits: DEFAULT_LIMITS, spacingMs: 1 },
    now: () => performance.now() + clock.ahead,
    onEvent: (event) => events.push(event),
    ...options,
  });
  pools.push(pool);
  return { pool, events, clock };
}

const full = (): ServerRule =>
  serverRule('full', { command: [process.execPath, serverScript('full.mjs'), 'stdio'], protocol: '2025-11-25' });

const approve = async (rule: ServerRule): Promise<ApprovedServer> => ({
  rule,
  locked: lockedServer(rule, await fetchDefinitions(rule, { start: startIn(root) }), new Date(0)),
});

const request = (pool: UpstreamPool, server: ApprovedServer, name: string, holder = 'a', args: JsonObject = {}) =>
  pool
    .with(server, holder, (connection) => connection.request('tools/call', { name, arguments: args }))
    .then(
      () => 'answered',
      (error: { code?: string; message?: string }) => `${error.code}: ${error.message}`,
    );

async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 1_000 && !isSo(); round++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isSo()).toBe(true);
}

describe('a server that crashes [T1.8]', () => {
  it('is tried again at once, then later and later, and holds back nobody else', async () => {
    const { pool, clock } = stand();
    const server = await approve(hostile('crash'));
    const crashed = 'SERVER_UNAVAILABLE: the server ended with exit code 7';
    expect(await request(pool, server, 'echo')).toBe(crashed);
    expect(await request(pool, server, 'echo')).toBe(crashed);
    expect(await request(pool, server, 'echo')).toMatch(
      /^SERVER_UNAVAILABLE: the server ended with exit code 7, 2 times in a row; it is tried again in 0\.\d s$/,
    );
    expect(pool.health('hostile')).toMatchObject({
      ...{ connections: 0, starts: 2, failures: 2, consecutiveFailures: 2 },
      lastFailure: { code: 'SERVER_UNAVAILABLE' },
    });
    expect(pool.health('hostile').retryInMs).toBeGreaterThan(0);
    expect(await request(pool, server, 'echo', 'b')).toBe(crashed);
    clock.ahead += 500;
    expect(await request(pool, server, 'echo')).toBe(crashed);
    expect(pool.health('hostile').consecutiveFailures).toBe(3);
    await pool.drop('hostile');
    expect(await request(pool, server, 'echo')).toBe(crashed); // what is approved anew begins anew
  });

  it('is taken for healthy again when it has lived a minute', async () => {
    const { pool, clock } = stand();
    const server = await approve(hostile('crash'));
    await request(pool, server, 'echo');
    await request(pool, server, 'echo');
    clock.ahead += 1_000;
    await request(pool, server, 'other');
    clock.ahead += 60_000;
    await request(pool, server, 'echo');
    expect(pool.health('hostile')).toMatchObject({ consecutiveFailures: 1, retryInMs: null });
  });

  it('is not started again and again for anybody when it does not start', async () => {
    const { pool } = stand();
    const locked = (await approve(hostile('plain'))).locked;
    const server = { rule: serverRule('none', { command: ['/does/not/exist'] }), locked };
    for (const holder of ['a', 'b']) expect(await request(pool, server, 'x', holder)).toContain('cannot be started');
    expect(await request(pool, server, 'x', 'c')).toContain('2 times in a row; it is tried again in');
    expect(pool.health('none').starts).toBe(2);
  });
});

describe('a server that changed', () => {
  it('is held back with that reason', async () => {
    const { pool } = stand();
    const { rule, locked } = await approve(hostile('plain'));
    const server = { rule, locked: { ...locked, digest: 'sha256:other' } };
    const codes: string[] = [];
    for (let round = 0; round < 4; round++) codes.push((await request(pool, server, 'echo')).split(':')[0] ?? '');
    expect(new Set(codes)).toEqual(new Set(['SERVER_CHANGED']));
    expect(pool.health('hostile').starts).toBe(2);
  });

  it('that never stops to say so is refused for a minute', async () => {
    const { pool, clock } = stand();
    const server = await approve(hostile('restless'));
    for (let round = 0; round < 31; round++) expect(await request(pool, server, 'echo')).toBe('answered');
    expect(await request(pool, server, 'echo')).toContain('SERVER_RESTLESS');
    expect(await request(pool, server, 'echo')).toMatch(/^SERVER_RESTLESS: .*; it is tried again in \d+\.\d s$/);
    expect(pool.health('hostile').connections).toBe(0);
    clock.ahead += 60_000;
    expect(await request(pool, server, 'echo')).toBe('answered');
  });
});

describe('a connection', () => {
  it('ends when nobody has used it for a while, but not while something is watched', async () => {
    const { pool } = stand({ idleMs: 100 });
    const server = await approve(full());
    await pool.with(server, 'b', (connection) => connection.watch(new Set(['demo://one'])));
    await pool.with(server, 'a', async () => undefined);
    expect(pool.health('full').connections).toBe(2);
    await until(() => pool.health('full').connections === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(pool.health('full')).toMatchObject({ connections: 1, failures: 0 });
  });

  it('ends with its holder', async () => {
    const { pool } = stand();
    const server = await approve(hostile('plain'));
    await request(pool, server, 'echo', 'a');
    await request(pool, server, 'echo', 'b');
    await pool.release('a');
    expect(pool.health('hostile').connections).toBe(1);
  });

  it('tells its own holder what the server says', async () => {
    const { pool, events } = stand();
    const server = await approve(full());
    await pool.with(server, 'b', async () => undefined);
    await pool.with(server, 'a', (connection) => connection.watch(new Set(['demo://one'])));
    await request(pool, server, 'touch', 'a');
    await until(() => events.length === 1);
    const params = { uri: 'demo://one' };
    expect(events).toEqual([{ server: 'full', holder: 'a', method: 'notifications/resources/updated', params }]);
  });

  it('that breaks is opened again for what was watched, and says that it may have changed', async () => {
    const { pool, events } = stand();
    const server = await approve(full());
    await pool.with(server, 'a', (connection) => connection.watch(new Set(['demo://one'])));
    expect(await request(pool, server, 'crash')).toContain('SERVER_UNAVAILABLE');
    await until(() => events.length > 0);
    expect(events[0]).toMatchObject({ method: 'notifications/resources/updated', params: { uri: 'demo://one' } });
    await request(pool, server, 'touch');
    await until(() => events.length > 1);
  });
});

describe('the connections of a pool', () => {
  const asking = (): ServerRule => {
    const rule = full();
    return { ...rule, actions: { ...rule.actions, elicitation: rule.rule } };
  };
  const holder = (user: string, session: string): string =>
    sessionHolder({ tenant: 't', user, agent: 'a', session, proof: 'bearer' });
  /** Leaves a question open; resolves when it is asked, `ended` when its call is over. */
  const park = async (pool: UpstreamPool, server: ApprovedServer, name: string, ends: string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const call = pool.with(server, name, (connection) => {
        connection.onQuestion(() => {
          resolve();
          return new Promise(() => undefined);
        });
        return connection.request('tools/call', { name: 'ask', arguments: {} });
      });
      call.then(reject, (error: { code?: string }) => ends.push(`${name}: ${error.code}`));
    });

  it('are a quarter of one principal’s at most, and its oldest question is given up for a new one', async () => {
    const { pool } = stand({ maxConnections: 8 });
    const server = await approve(asking());
    const ends: string[] = [];
    const [one, two, three] = [holder('evil', '1'), holder('evil', '2'), holder('evil', '3')];
    await park(pool, server, one, ends);
    await park(pool, server, two, ends);
    expect(await request(pool, server, 'echo', holder('bob', '1'))).toBe('answered');
    await park(pool, server, three, ends);
    await until(() => ends.length > 0);
    expect(ends).toEqual([`${one}: SERVER_UNAVAILABLE`]);
    expect(pool.health('full').connections).toBe(3);
  });

  it('that are all in use lose the oldest question of whoever has most', async () => {
    const { pool } = stand({ maxConnections: 8 });
    const server = await approve(asking());
    const ends: string[] = [];
    for (const user of ['a', 'b', 'c', 'd']) await park(pool, server, holder(user, '1'), ends);
    for (const user of ['d', 'b', 'c', 'a']) await park(pool, server, holder(user, '2'), ends);
    expect(ends).toEqual([]);
    expect(await request(pool, server, 'echo', holder('bob', '1'))).toBe('answered');
    await until(() => ends.length > 0);
    expect(ends).toEqual([`${holder('a', '1')}: SERVER_UNAVAILABLE`]);
  });
});
