import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/soak.mjs', import.meta.url));

// A minute of it where SOAK=1 asks for it (CI does); `npm run soak` has the whole half hour.
it.runIf(process.env['SOAK'] === '1')('memory and descriptors are flat under a minute of half load', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', SCRIPT], {
    ...{ encoding: 'utf8', env: { ...process.env, SOAK_MINUTES: '1' } },
  });
  expect([status, stdout, stderr]).toEqual([0, expect.stringContaining('flat'), '']);
});
