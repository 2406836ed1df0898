/**
 * One policy, one list of calls, one list of answers: run on every surface, so that a policy means the same everywhere.
 */
export interface SurfaceCase {
  readonly name: string;
  readonly tool: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly expect:
    | { readonly kind: 'delivered'; readonly text: RegExp }
    | { readonly kind: 'denied'; readonly code: string; readonly rule: string };
}

export const SURFACE_POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read:
    allowedPaths: [src/, docs/]
    deniedPaths: [.env, secrets/, "*.key"]
  file_list:
    allowedPaths: [src/]
  file_search:
    allowedPaths: [src/]
    output: { maxLength: 200 }
  file_write:
    allowedPaths: [docs/]
  add:
    arguments: { a: { minimum: 0 }, b: { enum: [1, 2] } }
`;

export const SURFACE_FILES: Readonly<Record<string, string>> = {
  'src/a.ts': 'export const a = 1;\n',
  'src/b.ts': 'export const b = 2;\n',
  'docs/readme.md': '# Hello\n',
  '.env': 'SECRET=1\n',
  'src/private.key': 'KEY\n',
};

const denied = (code: string, rule: string) => ({ kind: 'denied', code, rule }) as const;

export const SURFACE_CASES: readonly SurfaceCase[] = [
  {
    name: 'an allowed read',
    tool: 'file_read',
    args: { path: 'src/a.ts' },
    expect: { kind: 'delivered', text: /const a = 1/ },
  },
  {
    name: 'an allowed list',
    tool: 'file_list',
    args: { path: 'src' },
    expect: { kind: 'delivered', text: /a\.ts[\s\S]*b\.ts/ },
  },
  {
    name: 'an allowed search',
    tool: 'file_search',
    args: { path: 'src', pattern: 'const' },
    expect: { kind: 'delivered', text: /a\.ts/ },
  },
  {
    name: 'an allowed write',
    tool: 'file_write',
    args: { path: 'docs/readme.md', content: 'new\n' },
    expect: { kind: 'delivered', text: /docs\/readme\.md/ },
  },
  { name: 'an allowed function', tool: 'add', args: { a: 1, b: 2 }, expect: { kind: 'delivered', text: /^3$/ } },
  {
    name: 'a file outside the allowed folders',
    tool: 'file_read',
    args: { path: 'sallyport.yaml' },
    expect: denied('PATH_NOT_ALLOWED', 'tools.file_read.allowedPaths'),
  },
  {
    name: 'a denied file',
    tool: 'file_read',
    args: { path: '.env' },
    expect: denied('PATH_DENIED', 'tools.file_read.deniedPaths[0]'),
  },
  {
    name: 'a denied file by ..',
    tool: 'file_read',
    args: { path: 'src/../.env' },
    expect: denied('PATH_DENIED', 'tools.file_read.deniedPaths[0]'),
  },
  {
    name: 'a denied file in an allowed folder',
    tool: 'file_read',
    args: { path: 'src/private.key' },
    expect: denied('PATH_DENIED', 'tools.file_read.deniedPaths[2]'),
  },
  {
    name: 'a control file',
    tool: 'file_write',
    args: { path: 'sallyport.yaml', content: '' },
    expect: denied('PATH_CONTROL_FILE', 'builtin.PATH_CONTROL_FILE'),
  },
  {
    // The surfaces wait for nobody.
    name: 'a self-running file asks for a yes',
    tool: 'file_write',
    args: { path: 'docs/package.json', content: '{}' },
    expect: denied('APPROVAL_PENDING', 'builtin.PATH_SELF_RUNNING'),
  },
  {
    name: 'an argument out of range',
    tool: 'add',
    args: { a: -1, b: 2 },
    expect: denied('ARGUMENT_VALUE', 'tools.add.arguments.a'),
  },
  {
    name: 'an argument not in the list',
    tool: 'add',
    args: { a: 1, b: 3 },
    expect: denied('ARGUMENT_VALUE', 'tools.add.arguments.b'),
  },
  {
    name: 'an unknown argument',
    tool: 'file_read',
    args: { path: 'src/a.ts', file: '.env' },
    expect: denied('INPUT_SCHEMA_MISMATCH', 'builtin.INPUT_SCHEMA_MISMATCH'),
  },
  {
    name: 'a list for a path',
    tool: 'file_read',
    args: { path: ['src/a.ts', '.env'] },
    expect: denied('INPUT_SCHEMA_MISMATCH', 'builtin.INPUT_SCHEMA_MISMATCH'),
  },
  {
    name: 'a tool without a rule',
    tool: 'shell',
    args: { command: 'id' },
    expect: denied('TOOL_NOT_ALLOWED', 'builtin.TOOL_NOT_ALLOWED'),
  },
  {
    name: 'a tool name in other letter case',
    tool: 'File_Read',
    args: { path: 'src/a.ts' },
    expect: denied('TOOL_NOT_ALLOWED', 'builtin.TOOL_NOT_ALLOWED'),
  },
];
