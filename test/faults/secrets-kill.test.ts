import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeWorkspace } from '../support/workspace.ts';

const PROGRAM = fileURLToPath(new URL('./secrets-until-killed.mjs', import.meta.url));
const ROUNDS = 12;

/** A value as it could lie on a disk; base64 at its three alignments. */
function spellings(value: string): string[] {
  const bytes = Buffer.from(value);
  const aligned = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset, 65), bytes]).toString('base64');
    return text.slice(4, -4);
  });
  const utf16 = Buffer.from(value, 'utf16le').toString('latin1');
  return [value, value.slice(0, 16), bytes.toString('hex'), [...value].reverse().join(''), utf16, ...aligned];
}

/** Every file below a folder, as bytes. */
const filesBelow = (folder: string): { path: string; text: string }[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, text: readFileSync(path, 'latin1') }));

test('a kill at any moment leaves no value on a disk [T3.1]', async () => {
  const value = `sp_live_${randomBytes(21).toString('base64url')}`;
  const server = createServer((request, response) => {
    const told = String(request.headers.authorization);
    const body = {
      ...{ '/base64': Buffer.from(told).toString('base64'), '/hex': Buffer.from(told).toString('hex') },
      '/large': `${'filler '.repeat(20_000)}${told}`,
    }[request.url ?? ''];
    response.end(body ?? `you sent ${told}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rule = `internalEndpoints: ["${url}"], secrets: { "${url}": { header: Authorization, value: "Bearer \${secret:env:PAY_KEY}" } }`;
  const workspace = makeWorkspace(
    `version: 1\ndefaults: { isolation: none }\ntools:\n  pay: { ${rule} }\n  api_call: { ${rule}, methods: [GET, POST] }\n`,
  );
  const temporary = join(workspace.base, 'tmp');
  mkdirSync(temporary);
  const env = { ...process.env, PAY_KEY: value, TMPDIR: temporary, HOME: temporary, XDG_STATE_HOME: temporary };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const child = spawn(process.execPath, [PROGRAM, workspace.policyFile, workspace.state, url], {
        ...{ cwd: workspace.root, env, stdio: ['ignore', 'pipe', 'pipe'] },
      });
      child.stderr.resume();
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      expect(line).toBe('running');
      await sleep(20 + ((round * 137) % 700));
      child.kill('SIGKILL');
      await once(child, 'close');
      const found = filesBelow(workspace.base).filter(({ text }) => spellings(value).some((one) => text.includes(one)));
      expect(found.map(({ path }) => path)).toEqual([]);
    }
    const log = filesBelow(workspace.state)
      .map(({ text }) => text)
      .join('\n');
    // What was searched had something to hide: uses are on record, and results stood where the value was.
    expect(log.split('secret-use').length).toBeGreaterThan(ROUNDS);
    expect(log).toContain('[redacted:env:PAY_KEY]');
  } finally {
    server.closeAllConnections();
    server.close();
    workspace.remove();
  }
});
