// Starts one program under bubblewrap and says so: what a test kills. Arguments: JSON of options, profile and command; runtime base.
import { openSandboxes } from '../../dist/sandbox/index.js';

const { options, profile, command, base } = JSON.parse(process.argv[2]);
const sandboxes = openSandboxes(options, { runtime: { base } });
const chosen = await sandboxes.choose(['bubblewrap']);
process.stdout.write('chosen\n');
const started = await sandboxes.start(chosen, profile, command, { owner: null });
process.stdout.write('started\n');
started.stdout.pipe(process.stdout);
started.stderr.pipe(process.stdout);
await started.ended;
await sandboxes.close();
