// The real server-everything over Streamable HTTP on a free port, which it prints once it listens.
import { createServer, get } from 'node:http';

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address();
    probe.close(() => resolve(free));
  });
});
const print = console.log;
console.log = () => undefined;
process.env.PORT = String(port);
await import('../../../node_modules/@modelcontextprotocol/server-everything/dist/transports/streamableHttp.js');

const isUp = () =>
  new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/' }, (response) => resolve(response.resume().complete || true)).on(
      'error',
      () => resolve(false),
    );
  });
while (!(await isUp())) await new Promise((resolve) => setTimeout(resolve, 20));
print(port);
