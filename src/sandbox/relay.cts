// Runs inside a sandbox: `node relay.cjs SOCKET PRELOAD -- PROGRAM ARGUMENTS…`. It listens on loopback of the sandbox, joins each
// connection to the proxy's socket, and runs the program as if it were it. It holds no secret, and imports nothing of ours.
// CommonJS, because the loader of modules would add a tenth to the start of each sandboxed command.

type Net = typeof import('node:net');
type Socket = import('node:net').Socket;
type Server = import('node:net').Server;

const { spawn }: typeof import('node:child_process') = require('node:child_process');
const { connect, createServer }: Net = require('node:net');
const { constants }: typeof import('node:os') = require('node:os');

/** Where programs find the proxy: the ports that other proxies have, for what is configured by hand. */
const PORTS = [3128, 1080] as const;
const HOST = '127.0.0.1';

/** Exit statuses of a program that was not run, as shells have them. */
const CANNOT_RUN = 126;
const NOT_FOUND = 127;

const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

const [socketPath = '', preload = '', , program = '', ...programArguments] = process.argv.slice(2);

function join(inside: Socket): void {
  const outside = connect({ path: socketPath, allowHalfOpen: true });
  const end = (): void => {
    inside.destroy();
    outside.destroy();
  };
  inside.on('error', end).on('close', () => outside.destroy());
  outside.on('error', end).on('close', () => inside.destroy());
  inside.pipe(outside);
  outside.pipe(inside);
}

/** Listens at `port`, or where another relay of the same sandbox has it, at any other. */
function listen(port: number): Promise<number> {
  const attempt = (wanted: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, join);
      server.once('error', reject);
      server.listen({ host: HOST, port: wanted }, () => resolve(server));
    });
  return attempt(port)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') return attempt(0);
      throw error;
    })
    .then((server) => portOf(server));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The environment of the program: with the ports that it got, and with what lets the fetch of Node.js find them. */
function environment(taken: readonly number[]): NodeJS.ProcessEnv {
  const own = { ...process.env };
  for (const [name, value] of Object.entries(own)) {
    own[name] = PORTS.reduce((text, port, at) => text?.replaceAll(`@${HOST}:${port}`, `@${HOST}:${taken[at]}`), value);
  }
  const options = `--require ${JSON.stringify(preload)}`;
  own['NODE_OPTIONS'] = own['NODE_OPTIONS'] ? `${own['NODE_OPTIONS']} ${options}` : options;
  return own;
}

function run(taken: readonly number[]): void {
  // Before the program is there, which may send us one at once; handlers run when `child` is set.
  for (const signal of FORWARDED) process.on(signal, () => void child.kill(signal));
  const child = spawn(program, programArguments, { stdio: 'inherit', env: environment(taken) });
  child.on('error', (error: NodeJS.ErrnoException) => {
    process.stderr.write(`sallyport: the program cannot be started: ${error.code}\n`);
    process.exit(error.code === 'ENOENT' ? NOT_FOUND : CANNOT_RUN);
  });
  child.on('exit', (status, signal) => {
    if (signal !== null) endBy(signal);
    process.exit(status ?? 1);
  });
}

/** Ends as the program did; where a signal cannot end us, with the status that shells give. */
function endBy(signal: NodeJS.Signals): never {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.exit(128 + constants.signals[signal]);
}

Promise.all(PORTS.map(listen)).then(run, (error: NodeJS.ErrnoException) => {
  process.stderr.write(`sallyport: the relay to the network cannot listen: ${error.code}\n`);
  process.exit(CANNOT_RUN);
});
