import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { EgressDoor, EgressEvent } from '../../src/sandbox/contract.ts';
import { type GvisorStand, needGvisor, openGvisorStand, SKIPPED } from '../support/gvisor.ts';

/** A public address that is data here: what is dialled is loopback. */
const PUBLIC = '93.184.216.34';
const isRoot = process.getuid?.() === 0;

let stand: GvisorStand;
beforeAll(async () => {
  stand = await openGvisorStand();
});
afterAll(() => stand.close());

const git = (...args: string[]): void => {
  execFileSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd: stand.work,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], HOME: stand.base },
  });
};

function makeProject(): void {
  stand.put('.env', 'STRIPE_KEY=sk_live_1');
  stand.put('index.js', 'console.log(1)');
  git('-c', 'init.defaultBranch=main', 'init', '.');
  git('add', 'index.js');
  git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-m', 'The first line');
  if (!isRoot) return;
  for (const name of readdirSync(stand.work, { recursive: true }))
    chownSync(join(stand.work, String(name)), 65_534, 65_534);
}

/** Lets out what the test names, to a server on loopback. */
function openDoor(port: number, events: EgressEvent[]): EgressDoor {
  return {
    ...{ digest: 'example', terminateTls: false, record: (event) => void events.push(event) },
    judge: async ({ host }) =>
      host === 'api.example.com'
        ? { allowed: true, rule: 'listed', internal: false }
        : { allowed: false, rule: 'builtin.no-rule', reason: 'not listed' },
    resolve: async () => [PUBLIC],
    dial: async () => connect(port, '127.0.0.1'),
  };
}

describe(`isolation: gvisor ${SKIPPED}`, () => {
  needGvisor('runs git log in a project whose .env cannot be read, on a kernel that is not the machine’s', async () => {
    makeProject();
    const profile = stand.profile({ covers: [{ path: join(stand.work, '.env'), kind: 'hidden' }] });
    const { out, err, status } = await stand.run('git log --oneline; cat .env; uname -r', { profile });
    expect(out).toContain('The first line');
    expect(out).not.toContain('sk_live');
    expect(out).not.toContain(release());
    expect(err).toContain('Permission denied');
    expect(status).toBe(0);
  });

  needGvisor('reaches a listed address through the proxy, and no other one', async () => {
    const server = createServer((_request, response) => response.end('from the api'));
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const events: EgressEvent[] = [];
    const profile = stand.profile({ egress: openDoor(port, events) });
    const lines = [
      'curl -sS http://api.example.com/',
      'echo; curl -sS -o /dev/null -w "%{http_code}\\n" http://other.example.com/',
      `curl -sS --noproxy "*" -m 5 http://127.0.0.1:${port}/ || echo refused`,
      `curl -sS --noproxy "*" -m 5 http://${PUBLIC}/ || echo refused`,
    ];
    const { out, err, status } = await stand.run(lines.join('\n'), { profile });
    server.close();
    expect(out, err).toMatch(/^from the api\n403\nrefused\nrefused\n$/);
    expect(status).toBe(0);
    expect(events.map(({ ask, allowed }) => [ask.host, allowed])).toEqual([
      ['api.example.com', true],
      ['other.example.com', false],
    ]);
  });
});
