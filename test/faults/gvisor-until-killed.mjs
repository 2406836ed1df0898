/** Runs a sleeping program in a cold sandbox and one in a warm one, says so, and waits to be killed. Arguments: folder of the built package, base folder, workspace. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [built = '', base = '', work = ''] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(built, 'sandbox', name)).href);
const { openGvisorBackend } = await load('gvisor-backend.js');
const { openRuntimeFolder } = await load('runtime-folder.js');

const runtime = await openRuntimeFolder({ base });
const backend = openGvisorBackend({ options: {}, runtime: async () => runtime, openEgress: null });
const limits = { wallMs: 0, memoryBytes: 0, processes: 64, fileBytes: 0, openFiles: 0, outputBytes: 0, diskBytes: 0 };
const mounts = [{ path: work, access: 'write' }];
const profile = { mounts, covers: [], reserved: [join(work, 'reserved')], runtime: [], limits, egress: null };

async function sleeper(owner, argv) {
  const started = await backend.start(profile, { argv, env: {}, cwd: work, stdin: 'none' }, { owner });
  started.stdout.resume();
  started.stderr.resume();
  return started;
}

await (await sleeper('owner', ['/bin/true'])).ended;
await new Promise((resolve) => setTimeout(resolve, 3_000));
await sleeper('owner', ['/bin/sh', '-c', 'setsid sleep 1000 & exec sleep 1000']);
await sleeper(null, ['/bin/sh', '-c', 'setsid sleep 1000 & exec sleep 1000']);
process.stdout.write('running\n');
setInterval(() => undefined, 60_000);
