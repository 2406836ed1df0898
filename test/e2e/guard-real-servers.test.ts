import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { makeWorkspace } from '../support/workspace.ts';
import { openTestGate } from './test-gate.ts';

const SERVER = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js', import.meta.url),
);

it('delivers a file of JSON from server-filesystem', async () => {
  const workspace = makeWorkspace('version: 1\n', { 'files/a.json': '{"name":"a"}\n' });
  const folder = join(workspace.root, 'files');
  const stand = await openTestGate({
    workspace,
    policy: 'tools: { mcp__files__read_text_file: { otherArguments: allow } }\n',
    servers: { files: { command: [process.execPath, SERVER, folder], protocol: '2025-11-25' } },
  });
  const result = await stand.gate.call('mcp__files__read_text_file', { path: join(folder, 'a.json') });
  expect(result).toMatchObject({ kind: 'delivered', text: '{"name":"a"}\n', isError: false });
  await stand.close();
});
