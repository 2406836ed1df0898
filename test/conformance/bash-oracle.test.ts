// biome-ignore-all lint/suspicious/noTemplateCurlyInString: text of shells
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAllowed, type OracleRoot, openOracleRoot } from './bash-oracle-support.ts';

/** Lines in one go; a go runs on four places at once. */
const LINES = 40;
const RUNS = Number(process.env['ORACLE_LINES'] ?? (process.env['SLOW'] === '1' ? 1_000_000 : 4_000)) / LINES;

const ORDINARY = [
  'git status',
  'git commit -m "fix: a; b"',
  "git log --format='%h|%s'",
  'npm test && git add -A',
  'git log | grep -E "a|b" | cat',
  'echo hello > src/x',
  'cd src && git status; cat x',
  'timeout 5 npm test',
  'echo a b | xargs echo',
  'env CI=1 npm test',
  'nice -n 5 git fetch',
  'bash -c "git status; npm test"',
  'eval "git status"',
  'command git status',
  'if git diff; then npm test; else git log; fi',
  'for i in 1 2; do git status; done',
  'case x in x) git log;; *) npm test;; esac',
  "cat <<'EOF'\ntext $(id)\nEOF",
  'cat <<EOF\ntext\nEOF\ngit log',
  '{ git status; npm test; } 2>&1',
  '(cd src; git log) | tee src/out',
  'test -f x && git status',
  '[ a = b ] || npm test',
  '[[ -f x ]] && git log',
  'printf "%s" a | cat',
  'git add src/{a,b}.ts *.md',
  'git show "$(git rev-parse HEAD)"',
  'cat <(git log) <(npm ls)',
  'CI=1 npm test & git status',
  'export CI=1; npm test',
  'echo "a$((1+2))b"',
  "git commit -m $'a\\nb'",
  'set -e; git status',
  'read x; git log',
  '! git diff --quiet',
  'trap "git status" EXIT',
];

const PIECES = [
  '$(id)',
  '`id`',
  '"$(id)"',
  '"`id`"',
  '<(id)',
  '>(id)',
  '${x:-$(id)}',
  '"${x:=\\$(id)}"',
  '"${x@P}"',
  "'a[$(id)]'",
  'a[$(id)]',
  '$((a[$(id)]))',
  '$[a[$(id)]]',
  '((a[$(id)]))',
  '-v',
  '--',
  ';',
  '&&',
  '||',
  '|',
  '|&',
  '&',
  '\n',
  '{',
  '}',
  '(',
  ')',
  '!',
  'time',
  'if true; then',
  'then',
  'else',
  'fi',
  'for x in a; do',
  'for PATH in .; do',
  'while false; do',
  'do',
  'done',
  'case x in x)',
  ';;',
  'esac',
  '<<EOF\n$(id)\nEOF\n',
  "<<'EOF'\n$(id)\nEOF\n",
  '<<-E\n\t`id`\n\tE\n',
  '<<<"$(id)"',
  '>out',
  '>../outside/x',
  '2>&1',
  '>&',
  '<',
  '&>',
  '{fd}>',
  '\\',
  "'",
  '"',
  "$'",
  '$"',
  '#',
  ' #',
  'function f',
  'f()',
  'f() { id; }',
  'coproc',
  '[[',
  ']]',
  '-eq',
  '((',
  '))',
  'x=1',
  'PATH=.',
  'PATH=. ',
  'CI=1',
  'IFS=x',
  'eval',
  'exec',
  'xargs',
  'timeout 5',
  'env',
  'env -S',
  'nice',
  'nohup',
  'command',
  'builtin',
  'bash -c',
  'bash',
  '. ./x',
  'source',
  'trap',
  'alias',
  'cd',
  'cd ..',
  'printf -v',
  'test -v',
  'read',
  'set --',
  'export',
  'unset PATH',
  'id',
  'curl',
  'sh',
  'x',
  './x',
  'git',
  'npm',
  'cat',
  'echo',
  'a',
  '$x',
  '${x}',
  '${!x}',
  '$@',
  '$?',
  '*',
  '?',
  '[a]',
  '{id,x}',
  '{git,x}',
  '~',
  '\t',
  '\r',
  '\u00a0',
  '$',
  '`',
  '$(',
  '${',
  '<(',
  '=',
  '+=',
  ',',
  '\\\n',
  "$'\\x69d'",
  'i""d',
  "i'd'",
  'i\\d',
  '5>(id)',
  '2<(id)',
  '@(id)',
  '+(a|b)',
  '!(x)',
  'select x in a; do',
  'until true; do',
  '-exec',
  '-c',
  '-I{}',
  'sh -c id',
  '"id"',
];

const piece = fc.constantFrom(...PIECES);
const built = fc
  .array(fc.tuple(fc.oneof(piece, fc.constantFrom(...ORDINARY)), fc.constantFrom('', ' ', ' ', ' ')), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.map(([text, gap]) => text + gap).join(''));

type Mutation = readonly [kind: number, at: number, length: number, text: string];

function mutate(line: string, [kind, at, length, text]: Mutation): string {
  const start = at % (line.length + 1);
  if (kind === 0) return line.slice(0, start) + text + line.slice(start);
  if (kind === 1) return line.slice(0, start) + line.slice(start + length);
  if (kind === 2) return line.slice(0, start) + line.slice(start, start + length) + line.slice(start);
  return `${line.slice(0, start)} ${text} ${line.slice(start)}`;
}

const mutated = fc
  .tuple(
    fc.constantFrom(...ORDINARY),
    fc.array(fc.tuple(fc.nat(3), fc.nat(200), fc.integer({ min: 1, max: 6 }), piece), { minLength: 1, maxLength: 4 }),
  )
  .map(([line, mutations]) => mutations.reduce(mutate, line));

let root: OracleRoot;
beforeAll(() => {
  root = openOracleRoot();
});
afterAll(() => root.close());

test('the stand-ins notice a program that is not listed, and a file outside', async () => {
  expect(await root.run('git status; id', 0)).toEqual(['id']);
  expect(await root.run('echo x > ../outside/x; xargs -a ../log x', 1)).toEqual(['x', 'outside/x']);
});

test('what is allowed starts nothing but listed programs, in real bash', async () => {
  const counts = { lines: 0, allowed: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(built, mutated, mutated), { minLength: LINES, maxLength: LINES }),
      async (lines) => {
        const allowed = lines.filter(isAllowed);
        counts.lines += lines.length;
        counts.allowed += allowed.length;
        const places = [0, 2, 3].map(async (slot, position) => {
          for (let at = position; at < allowed.length; at += 3) {
            const line = allowed[at] ?? '';
            const started = await root.run(line, slot);
            if (started.length > 0) expect.fail(`${JSON.stringify(line)} started ${started.join(', ')}`);
          }
        });
        await Promise.all(places);
      },
    ),
    { numRuns: Math.ceil(RUNS), endOnFailure: true },
  );
  // The property means something only if many lines are let through.
  expect(counts.allowed).toBeGreaterThan(counts.lines / 20);
  if (process.env['ORACLE_LINES'] !== undefined) console.log(counts);
}, 3_600_000);
