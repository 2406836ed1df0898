import { describe, expect, it } from 'vitest';
import { policyFromObject } from './parse.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const load = (command: readonly string[]): unknown =>
  policyFromObject({ version: 1, defaults: { isolation: 'none' }, servers: { s: { command } } });

describe('a server that is fetched when it starts', () => {
  it.each([
    [['/usr/bin/npx', 'server']],
    [['/usr/bin/node', '/usr/lib/node_modules/npm/bin/npx-cli.js', 'server']],
    [['/usr/bin/node', '/usr/lib/node_modules/npm/bin/npm-cli.js', 'exec', 'server']],
    [['/usr/bin/node', '/opt/pnpm/bin/pnpm.cjs', 'dlx', 'server']],
    [['/usr/bin/uv', 'run', '--with', 'server', 'server']],
    [['/usr/bin/uv', '--quiet', 'run', 'server.py']],
    [['/usr/bin/docker', 'run', '-i', '--rm', 'mcp/server']],
    [['/usr/bin/docker', 'run', '-i', 'mcp/server:1.2.3']],
    [['/usr/bin/docker', 'run', '-e', `A=@${DIGEST}`, 'mcp/server']],
    [['/usr/bin/docker', 'container', 'run', 'mcp/server', DIGEST]],
    [['/usr/bin/podman', 'run', '--pull=never', 'mcp/server']],
    [['/usr/bin/server', 'x@next']],
    [['/usr/bin/server', '@scope/x@latest']],
    [['/usr/bin/server', 'x@canary']],
  ])('is refused: %j', (command) => {
    expect(() => load(command)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
  });

  it.each([
    [['/usr/bin/node', '/opt/server/dist/index.js', '/data']],
    [['/usr/bin/uv', 'run', '--offline', 'server.py']],
    [['/usr/bin/docker', 'run', '-i', '--rm', '-v', '/data:/data', `mcp/server@${DIGEST}`, '/data']],
    [['/usr/bin/docker', 'run', '--init', '--network=none', DIGEST]],
    [['/usr/bin/server', '--owner', 'someone@example.org', 'x@1.2.3']],
  ])('is accepted when it is installed or pinned: %j', (command) => {
    expect(() => load(command)).not.toThrow();
  });
});
