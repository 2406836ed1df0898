import { expect, test } from 'vitest';
import { comparePolicies, parsePolicy, policyFromObject, renderPolicyChanges } from './index.ts';

const NONE = { isolation: 'none' };
const changesOf = (before: object, after: object): string[] =>
  comparePolicies(policyFromObject({ version: 1, ...before }), policyFromObject({ version: 1, ...after })).map(
    ({ direction, place }) => `${direction}: ${place}`,
  );
const tool = (rule: object): object => ({ tools: { file_read: { allowedPaths: ['src/'], ...rule } } });
const SHA = `sha512-${'A'.repeat(86)}==`;
const pkg = (rule: object): object => ({ servers: { s: { package: 'a@1.0.0', ...rule } } });

test.each<[string, object, object, string[]]>([
  ['nothing', tool({}), tool({}), []],
  ['a tool', {}, tool({}), ['widens: tools.file_read']],
  ['no tool, whose denied paths counted for others', tool({}), {}, ['may widen: tools.file_read']],
  ['an allowed entry', tool({}), tool({ allowedPaths: ['src/', 'docs/'] }), ['widens: tools.file_read.allowedPaths']],
  ['one less', tool({ allowedPaths: ['src/', 'docs/'] }), tool({}), ['narrows: tools.file_read.allowedPaths']],
  [
    'a denied entry',
    tool({ deniedPaths: ['a'] }),
    tool({ deniedPaths: ['a', 'b'] }),
    ['narrows: tools.file_read.deniedPaths'],
  ],
  ['no denied entry', tool({ deniedPaths: ['a'] }), tool({}), ['widens: tools.file_read.deniedPaths']],
  [
    'an exemption',
    tool({ deniedPaths: ['.env*'] }),
    tool({ deniedPaths: ['.env*', '!.env.x'] }),
    ['widens: tools.file_read.deniedPaths'],
  ],
  [
    'no exemption',
    tool({ deniedPaths: ['.env*', '!.env.x'] }),
    tool({ deniedPaths: ['.env*'] }),
    ['narrows: tools.file_read.deniedPaths'],
  ],
  [
    'the order',
    tool({ deniedPaths: ['a', 'b'] }),
    tool({ deniedPaths: ['b', 'a'] }),
    ['may widen: tools.file_read.deniedPaths'],
  ],
  [
    'a whole list',
    { tools: { file_list: {}, ...{ file_read: { allowedPaths: ['src/'] } } } },
    { tools: { file_list: { allowedPaths: ['.'] }, file_read: { allowedPaths: ['src/'] } } },
    ['may widen: tools.file_list.allowedPaths'],
  ],
  [
    'a length',
    tool({ output: { maxLength: 5 } }),
    tool({ output: { maxLength: 4 } }),
    ['may widen: tools.file_read.output'],
  ],
  ...(
    [
      ['fewer people', { people: 2 }, { people: 1 }, 'widens'],
      ['more people', { people: 2 }, { people: 3 }, 'narrows'],
      ['one more group', { groups: ['a'] }, { groups: ['a', 'b'] }, 'widens'],
      ['another group, and more people', { groups: ['a'] }, { groups: ['b'], people: 2 }, 'widens'],
      ['one group less', { groups: ['a', 'b'] }, { groups: ['a'] }, 'narrows'],
      ['any operator', { groups: ['a'], people: 2 }, { people: 2 }, 'widens'],
      ['a group instead of any operator', { people: 2 }, { people: 2, groups: ['a'] }, 'narrows'],
      ['the own user', { ownUser: false }, { ownUser: true }, 'widens'],
    ] as const
  ).map(([title, before, after, direction]): [string, object, object, string[]] => [
    `approvers: ${title}`,
    tool({ approvers: before }),
    tool({ approvers: after }),
    [`${direction}: tools.file_read.approvers`],
  ]),
  ['no approvers', tool({ approvers: { people: 2 } }), tool({}), ['may widen: tools.file_read.approvers']],
  [
    'approvers of the defaults',
    { defaults: { approvers: { people: 2 } } },
    { defaults: { approvers: { people: 1 } } },
    ['widens: defaults.approvers'],
  ],
  ['another version of a package', pkg({}), pkg({ package: 'a@1.0.1' }), ['widens: servers.s.package']],
  ['other arguments of a package', pkg({}), pkg({ args: ['--all'] }), ['widens: servers.s.args']],
  ['another program of a package', pkg({}), pkg({ bin: 'b' }), ['widens: servers.s.bin']],
  ['an integrity', pkg({}), pkg({ integrity: SHA }), ['narrows: servers.s.integrity']],
  ['no integrity', pkg({ integrity: SHA }), pkg({}), ['widens: servers.s.integrity']],
  [
    'another host to connect to',
    { tools: { shell: { isolation: 'gvisor', egress: ['a.example'] } } },
    { tools: { shell: { isolation: 'gvisor', egress: ['a.example', 'b.example'] } } },
    ['widens: tools.shell.egress'],
  ],
  [
    'one host less',
    { tools: { shell: { isolation: 'gvisor', egress: ['a.example', 'b.example'] } } },
    { tools: { shell: { isolation: 'gvisor', egress: ['a.example'] } } },
    ['narrows: tools.shell.egress'],
  ],
  [
    'a first host',
    { tools: { shell: { isolation: 'gvisor' } } },
    { tools: { shell: { isolation: 'gvisor', egress: ['a.example'] } } },
    ['may widen: tools.shell.egress'],
  ],
  [
    'limits, each for itself',
    { tools: { shell: { limits: { memory: '512MiB', processes: 64, timeout: '1m', disk: '1GiB' } } } },
    { tools: { shell: { limits: { memory: '1GiB', processes: 32, timeout: '30s', files: 9 } } } },
    [
      'widens: tools.shell.limits.memory',
      'narrows: tools.shell.limits.processes',
      'narrows: tools.shell.limits.timeout',
      'may widen: tools.shell.limits.disk',
      'may widen: tools.shell.limits.files',
    ],
  ],
  [
    'a weaker level',
    { tools: { shell: { isolation: 'gvisor' } } },
    { tools: { shell: { isolation: ['gvisor', 'none'] } } },
    ['widens: tools.shell.isolation'],
  ],
  [
    'one level less',
    { tools: { shell: { isolation: ['gvisor', 'none'] } } },
    { tools: { shell: { isolation: 'gvisor' } } },
    ['narrows: tools.shell.isolation'],
  ],
  [
    'a level beside another',
    { tools: { shell: { isolation: 'bubblewrap' } } },
    { tools: { shell: { isolation: 'container' } } },
    ['may widen: tools.shell.isolation'],
  ],
  [
    'a weaker default',
    { defaults: { isolation: 'gvisor' } },
    { defaults: { isolation: 'bubblewrap' } },
    ['widens: defaults.isolation'],
  ],
  [
    'a folder more for a server',
    { servers: { s: { command: ['/a'], isolation: 'gvisor', paths: { read: ['a/'], write: ['b/'] } } } },
    { servers: { s: { command: ['/a'], isolation: 'gvisor', paths: { read: ['a/', 'c/'], write: [] } } } },
    ['widens: servers.s.paths.read', 'narrows: servers.s.paths.write'],
  ],
  [
    'where sandboxes come from',
    { sandbox: { runscPath: '/usr/bin/runsc' } },
    { sandbox: { runscPath: '/opt/runsc' } },
    ['may widen: sandbox'],
  ],
  [
    'credentials of the client',
    { tools: { shell: { isolation: 'gvisor', egress: ['a.example'], terminateTls: true } } },
    { tools: { shell: { isolation: 'gvisor', egress: ['a.example'], egressCredentials: true } } },
    ['widens: tools.shell.terminateTls', 'widens: tools.shell.egressCredentials'],
  ],
  ['observe', tool({}), { mode: 'observe', ...tool({}) }, ['widens: mode']],
  ['enforce', { mode: 'observe', ...tool({}) }, tool({}), ['narrows: mode']],
  ['a root', tool({}), { root: 'x', ...tool({}) }, ['may widen: root']],
  [
    'callers told apart',
    tool({}),
    { ...tool({}), principals: { a: { match: { agent: 'x' }, tools: ['*'] } } },
    ['narrows: principals'],
  ],
  [
    'callers not told apart',
    { ...tool({}), principals: { a: { match: { agent: 'x' }, tools: ['*'] } } },
    tool({}),
    ['widens: principals'],
  ],
  [
    'a server',
    { tools: { a: NONE } },
    { tools: { a: NONE }, servers: { s: { url: 'https://example.com/' } } },
    ['widens: servers.s'],
  ],
  [
    'no server',
    { tools: { a: NONE }, servers: { s: { url: 'https://example.com/' } } },
    { tools: { a: NONE } },
    ['narrows: servers.s'],
  ],
])('%s', (_what, before, after, expected) => {
  expect(changesOf(before, after)).toEqual(expected);
});

test('lines name where the rule stands, what widens first, and hide nothing', () => {
  const long = `${'x'.repeat(900)}/`;
  const before = parsePolicy('version: 1\ntools:\n  file_read: { allowedPaths: [src/] }\n', { file: 'p.yaml' });
  const after = parsePolicy(`version: 1\ntools:\n\n  file_read: { allowedPaths: [${long}] }\n`, { file: 'p.yaml' });
  expect(renderPolicyChanges(comparePolicies(before, after), 'p.yaml')).toEqual([
    `WIDENS     tools.file_read.allowedPaths: added "${long}"  (p.yaml:4)`,
    'narrows    tools.file_read.allowedPaths: removed "src/"  (p.yaml:4)',
  ]);
});
