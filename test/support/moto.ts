import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';

/** An emulator of AWS that is not ours: moto, from PyPI (`pip install "moto[server]"`). */
export interface Moto {
  readonly endpoint: string;
  stop(): Promise<void>;
}

const PROGRAMS = [['moto_server'], ['python3', '-m', 'moto.server']] as const;

const program = (): readonly string[] | undefined =>
  PROGRAMS.find(
    ([command, ...words]) =>
      spawnSync(command, [...words, '--help'], { stdio: 'ignore', timeout: 60_000 }).status === 0,
  );

/** Whether moto is there; tests that need it are skipped by name where it is not. */
export const hasMoto = (): boolean => program() !== undefined;

export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const [command = '', ...words] = program() ?? [];
  const server = spawn(command, [...words, '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  await untilAnswers(`${endpoint}/moto-api/`, server);
  return { endpoint, stop: () => stopped(server) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Waits until something answers at the address, whatever it says. */
export async function untilAnswers(url: string, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
    const answer = await fetch(url).catch(() => null);
    if (answer !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server did not start');
}

export async function stopped(server: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => server.once('close', resolve));
  server.kill('SIGKILL');
  await closed;
}
