import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePolicy } from '../../src/policy/index.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

interface Block {
  readonly title: string;
  readonly code: string;
}

/** The fenced blocks of one language in all documents. */
function blocks(language: string): Block[] {
  return documents.flatMap((file) => {
    const found = readFileSync(join(root, file), 'utf8').matchAll(
      new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'),
    );
    return [...found].map(([, code], index) => ({ title: `${file} #${index + 1}`, code: code ?? '' }));
  });
}

const EXAMPLES = readdirSync(join(root, 'examples'))
  .filter((name) => name.endsWith('.ts'))
  .map((name): Block => ({ title: `examples/${name}`, code: readFileSync(join(root, 'examples', name), 'utf8') }));
const PROGRAMS = [...blocks('ts'), ...EXAMPLES].filter(({ code }) => code.includes("from 'sallyport"));

describe('programs in documents and examples compile and run', () => {
  let folder: string;
  let workspace: Workspace;
  beforeAll(async () => {
    // Inside the package, so that its own name resolves to what was built.
    folder = mkdtempSync(join(root, 'dist', 'documents-'));
    workspace = makeWorkspace(readFileSync(join(root, 'examples', 'sallyport.yaml'), 'utf8'), {
      'docs/readme.md': '# Hello\n',
      'src/a.ts': 'export const a = 1;\n',
    });
    mkdirSync(join(folder, 'out'));
    for (const [index, { code }] of PROGRAMS.entries()) writeFileSync(join(folder, `p${index}.ts`), code);
    const files = PROGRAMS.map((_, index) => join(folder, `p${index}.ts`));
    const options = ['--strict', '--target', 'es2022', '--lib', 'es2024', '--module', 'nodenext', '--types', 'node'];
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const words = [
      compiler,
      '--ignoreConfig',
      '--skipLibCheck',
      ...options,
      '--rootDir',
      folder,
      '--outDir',
      join(folder, 'out'),
      ...files,
    ];
    await run(process.execPath, words, { cwd: root }).catch((error: { stdout: string }) =>
      expect.unreachable(error.stdout),
    );
  }, 120_000);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    workspace.remove();
  });

  test.each(PROGRAMS.map(({ title }, index) => [title, index] as const))('%s', async (_, index) => {
    const env = { ...process.env, XDG_STATE_HOME: join(workspace.base, `state-${index}`) };
    const { stdout, stderr } = await run(process.execPath, [join(folder, 'out', `p${index}.js`)], {
      cwd: workspace.root,
      env,
    });
    expect(stderr).toBe('');
    if (PROGRAMS[index]?.code.includes('console.log')) expect(stdout).not.toBe('');
  });

  test('there are programs to run', () => expect(PROGRAMS.length).toBeGreaterThan(4));
});

/** Whole policies; fragments in prose do not state a version. */
const POLICIES = blocks('yaml').filter(({ code }) => /^version:/m.test(code));

describe('policies in documents load', () => {
  test.each(POLICIES.map(({ title, code }) => [title, code] as const))('%s', (title, code) => {
    expect(parsePolicy(code, { file: title }).rules).toBeGreaterThan(0);
  });

  test('there are policies to load', () => expect(POLICIES.length).toBeGreaterThan(1));
});
