// Records test/replay/coding-session.jsonl: a coding agent's work in a small project, with the tools that come with Sallyport.
// The first line is the project as it lies there at the start; each line after it is a call and what came of it. It is recorded
// behind a gate that lets through what can be let through (the operator says yes to whatever asks), so that no policy shaped the
// work; `node -e` is refused under any, and the agent goes on with a file.
// Run it after a build: node scripts/record-session.mjs
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGate } from '../dist/gate/index.js';
import { builtInTools } from '../dist/tools/index.js';
import { layOut } from './coding-session/lay-out.mjs';
import { PROJECT } from './coding-session/project.mjs';
import { WORK } from './coding-session/work.mjs';

const PROGRAMS = ['git', 'npm', 'node', 'ls', 'cat', 'head', 'tail', 'wc', 'grep', 'rg', 'find', 'sort', 'sed'];
const MORE = ['mkdir', 'cp', 'mv', 'rm', 'cd', 'which', 'date', 'nl'];
const OPEN = {
  version: 1,
  tools: {
    file_read: { allowedPaths: ['.'] },
    file_list: { allowedPaths: ['.'] },
    file_search: { allowedPaths: ['.'] },
    file_write: { allowedPaths: ['.', 'package.json', '.github/workflows/'] },
    shell: { isolation: 'none', allowedCommands: [...PROGRAMS, ...MORE] },
  },
};
const ONCE = { kind: 'approve', scope: { kind: 'once' }, full: true };

const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-session-')));
const root = layOut(base, PROJECT);
const gate = await openGate({
  ...{ policy: OPEN, root, state: join(base, 'state'), tools: builtInTools() },
  onApprovalWaiting: ({ request }) => void gate.keeper.answer(request, ONCE, { class: 'local' }),
});
const lines = [{ project: PROJECT }];
try {
  for (const [tool, args] of WORK) {
    const result = await gate.call(tool, args);
    const { kind, text } = result;
    const isError = kind !== 'delivered' || result.isError;
    lines.push({
      tool,
      args,
      isError,
      ...(kind === 'delivered' ? {} : { code: result.code }),
      characters: text.length,
    });
    if (process.argv.includes('--show') && (isError || tool === 'shell')) console.log(`$ ${args.command}\n${text}`);
  }
} finally {
  await gate.close();
  rmSync(base, { recursive: true });
}
const file = fileURLToPath(new URL('../test/replay/coding-session.jsonl', import.meta.url));
writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
console.log(`${lines.length - 1} calls, ${lines.filter(({ isError }) => isError).length} of them ended with an error`);
