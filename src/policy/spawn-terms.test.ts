import { describe, expect, it, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { compilePolicy, meetPolicies, policyFromObject, serverTerms, spawnTerms } from './index.ts';
import type { SpawnTerms } from './spawn-terms.ts';

const ROOT = '/work/project';
const compile = (policy: object) =>
  compilePolicy(policyFromObject({ version: 1, ...policy }), { root: ROOT, tools: ['shell', 'file_read'] });
const found = (terms: SpawnTerms | null): SpawnTerms => {
  if (terms === null) throw new Error('no terms');
  return terms;
};
const shellOf = (policy: object): SpawnTerms => found(spawnTerms(compile(policy), 'shell'));

const problemsOf = (policy: object): string[] => {
  try {
    policyFromObject({ version: 1, ...policy });
    return [];
  } catch (error) {
    if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
    const { problems } = error.detail;
    return Array.isArray(problems) ? problems.map(({ pointer }: { pointer: string }) => pointer) : [];
  }
};

describe('spawnTerms', () => {
  const terms = shellOf({
    tools: {
      shell: { allowedCommands: ['ls'], isolation: 'bubblewrap', limits: { memory: '1MiB', processes: 3 } },
      file_read: { allowedPaths: ['src/'], deniedPaths: ['.env', '*.key', '!ok.key'] },
      file_write: { allowedPaths: ['src/', 'package.json'], deniedPaths: ['src/gen/'] },
    },
  });

  it.each([
    ['a file anywhere in the root', '/work/project/docs/a', 'read'],
    ['a file to be written', '/work/project/src/a', 'write'],
    ['a file outside', '/work/other/a', 'none'],
    ['a sibling whose name begins like the root', '/work/project2/a', 'none'],
  ])('%s', (_title, real, access) => {
    expect(terms.access(real, 'file')).toBe(access);
    expect(terms.access(real, 'folder')).toBe(access);
  });

  it('hides what any rule withholds, and leaves to be read what only writes are kept from', () => {
    const places = ['.env', 'x/.ENV', 'a.key', 'ok.key', 'src/gen', 'src/gen/a', 'src/a'];
    expect(places.map((place) => terms.withheld(`${ROOT}/${place}`))).toEqual([
      ...['hidden', 'hidden', 'hidden', null, 'read-only', 'read-only', null],
    ]);
  });

  it('knows what runs by itself, unless an entry for writing names it', () => {
    const places = ['package.json', 'src/package.json', 'src/conftest.py', 'src/a.py', 'node_modules/x'];
    expect(places.map((place) => terms.isSelfRunning(`${ROOT}/${place}`))).toEqual([false, true, true, false, true]);
  });

  it('has no network without egress, and the limits that are stated', () => {
    expect(terms.egress).toBe(null);
    expect(terms.limits).toMatchObject({ memoryBytes: 1_048_576, processes: 3, diskBytes: null });
    expect(terms.named).toEqual([`${ROOT}/.env`, `${ROOT}/src/gen`]);
  });
});

test.each([
  ['src/**', '/work/project/src', 'write'],
  ['src/**', '/work/project/src/a/b', 'write'],
  ['src/*', '/work/project/src', 'read'],
  ['src/*', '/work/project/src/a', 'read'],
  ['src/**/*.ts', '/work/project/src', 'read'],
  ['s*/', '/work/project/src', 'write'],
  ['**', '/work/project', 'write'],
])('a folder is allowed with everything in it by %s: %s %s', (entry, folder, access) => {
  const terms = shellOf({
    defaults: { isolation: 'gvisor' },
    tools: { shell: { allowedCommands: [] }, file_write: { allowedPaths: [entry] } },
  });
  expect(terms.access(folder, 'folder')).toBe(access);
});

describe('spawnTerms of two policies', () => {
  const policy = (paths: string[], egress: string[], memory: string): object => ({
    tools: {
      shell: { allowedCommands: [], isolation: 'gvisor', egress, limits: { memory } },
      file_write: { allowedPaths: paths },
    },
  });
  const [a, b] = [
    compile(policy(['a/', 'c/'], ['x.example', 'y.example'], '3MiB')),
    compile(policy(['a/'], ['x.example'], '2MiB')),
  ];

  it.each([
    ['in one order', meetPolicies(a, b)],
    ['in the other', meetPolicies(b, a)],
  ])('are the narrower, %s', (_title, both) => {
    const terms = found(spawnTerms(both, 'shell'));
    expect(terms.access(`${ROOT}/a`, 'folder')).toBe('write');
    expect(terms.access(`${ROOT}/c`, 'folder')).toBe('read');
    expect(terms.limits.memoryBytes).toBe(2_097_152);
    const asks = ['x.example', 'y.example'].map((host) =>
      terms.egress?.({ scheme: 'tcp', host, port: 443, method: null, url: null }),
    );
    expect(asks.map((one) => one?.allowed)).toEqual([true, false]);
  });

  it('have another digest than each alone', () => {
    const digests = [a, b, meetPolicies(a, b)].map((one) => found(spawnTerms(one, 'shell')).digest);
    expect(new Set(digests).size).toBe(3);
  });
});

describe('egress', () => {
  const ask = (rule: object, question: object) =>
    shellOf({ tools: { shell: { allowedCommands: [], isolation: 'gvisor', ...rule } } }).egress?.({
      ...{ scheme: 'tcp', host: 'api.example', port: 443, method: null, url: null },
      ...question,
    });
  const seen = (method: string, url: string) => {
    const { protocol, hostname, port } = new URL(url);
    const scheme = protocol === 'https:' ? 'https' : 'http';
    return { scheme, host: hostname, port: port === '' ? (scheme === 'https' ? 443 : 80) : Number(port), method, url };
  };

  it.each<[string, object, object, boolean]>([
    ['a listed name', { egress: ['api.example'] }, {}, true],
    ['in capitals', { egress: ['api.example'] }, { host: 'API.example' }, true],
    ['another port', { egress: ['api.example'] }, { port: 22 }, false],
    ['a listed port', { egress: ['api.example:8443'] }, { port: 8443 }, true],
    ['another name', { egress: ['api.example'] }, { host: 'evil.example' }, false],
    ['a name that ends alike', { egress: ['api.example'] }, { host: 'xapi.example' }, false],
    ['below it', { egress: ['api.example'] }, { host: 'a.api.example' }, false],
    ['below a wildcard', { egress: ['*.api.example'] }, { host: 'a.api.example' }, true],
    ['the wildcard itself', { egress: ['*.api.example'] }, {}, false],
    ['a trailing dot', { egress: ['api.example'] }, { host: 'api.example.' }, false],
    ['an address', { egress: ['api.example'] }, { host: '93.184.216.34' }, false],
    ['a name with a line break', { egress: ['api.example'] }, { host: 'api.example\r\nx' }, false],
    ['a name with a path', { egress: ['api.example'] }, { host: 'api.example/x' }, false],
    ['a name with a user', { egress: ['api.example'] }, { host: 'a@api.example' }, false],
    ['a tunnel where paths count', { egress: ['api.example/v1'], terminateTls: true }, {}, false],
    ['a tunnel where methods count', { egress: ['api.example'], methods: ['GET'], terminateTls: true }, {}, false],
    [
      'an internal endpoint',
      { egress: [], internalEndpoints: ['http://127.0.0.1:80'] },
      { host: '127.0.0.1', port: 80 },
      true,
    ],
    [
      'its other port',
      { egress: [], internalEndpoints: ['http://127.0.0.1:80'] },
      { host: '127.0.0.1', port: 81 },
      false,
    ],
  ])('of a tunnel: %s', (_title, rule, question, allowed) => {
    expect(ask(rule, question)?.allowed).toBe(allowed);
  });

  it.each<[string, object, object, boolean]>([
    ['a path', { egress: ['api.example/v1'], terminateTls: true }, seen('GET', 'https://api.example/v1/x'), true],
    ['another path', { egress: ['api.example/v1'], terminateTls: true }, seen('GET', 'https://api.example/v2'), false],
    ['dots', { egress: ['http://api.example/v1'] }, seen('GET', 'http://api.example/v1/%2e%2e/x'), false],
    [
      'a method',
      { egress: ['api.example'], methods: ['GET'], terminateTls: true },
      seen('GET', 'https://api.example/'),
      true,
    ],
    [
      'another',
      { egress: ['api.example'], methods: ['GET'], terminateTls: true },
      seen('PUT', 'https://api.example/'),
      false,
    ],
    ['any method', { egress: ['api.example'] }, seen('DELETE', 'https://api.example/'), true],
    ['TRACE', { egress: ['api.example'] }, seen('TRACE', 'https://api.example/'), false],
    [
      'a URL of another host',
      { egress: ['api.example'] },
      { ...seen('GET', 'https://api.example/'), host: 'b.example' },
      false,
    ],
    ['http where https is listed', { egress: ['api.example'] }, seen('GET', 'http://api.example/'), false],
  ])('of a request: %s', (_title, rule, question, allowed) => {
    expect(ask(rule, question)?.allowed).toBe(allowed);
  });

  it('says what may be dialled and carried', () => {
    const internal = { egress: [], internalEndpoints: ['http://127.0.0.1:80'], egressCredentials: true };
    expect(ask(internal, { host: '127.0.0.1', port: 80 })).toMatchObject({
      internal: true,
      credentials: true,
      plain: true,
    });
    expect(ask({ egress: ['api.example'] }, {})).toMatchObject({ internal: false, credentials: false, plain: false });
  });
});

describe('serverTerms', () => {
  const server = (rule: object): SpawnTerms =>
    found(serverTerms(compile({ servers: { s: { command: ['/bin/s'], isolation: 'gvisor', ...rule } } }), 's'));

  it('shows a server nothing of the workspace unless its rule names it', () => {
    expect(server({}).access(`${ROOT}/a`, 'file')).toBe('none');
    const terms = server({ paths: { read: ['a/'], write: ['b/'] } });
    expect(['a', 'b', 'c'].map((name) => terms.access(`${ROOT}/${name}`, 'folder'))).toEqual(['read', 'write', 'none']);
  });
});

test.each<[string, object, string[]]>([
  [
    'egress without a sandbox',
    { tools: { shell: { egress: ['a.example'], isolation: 'none' } } },
    ['/tools/shell/egress'],
  ],
  [
    'egress where none will do',
    { tools: { shell: { egress: ['a.example'], isolation: ['gvisor', 'none'] } } },
    ['/tools/shell/egress'],
  ],
  ['egress and no level', { tools: { shell: { egress: ['a.example'] } } }, ['/tools/shell/egress']],
  [
    'a path that nobody sees',
    { tools: { shell: { egress: ['a.example/x'], isolation: 'gvisor' } } },
    ['/tools/shell/egress/0'],
  ],
  [
    'a method that nobody sees',
    { tools: { shell: { egress: ['a.example'], methods: ['GET'], isolation: 'gvisor' } } },
    ['/tools/shell/methods'],
  ],
  [
    'egress of what spawns nothing',
    { tools: { file_read: { egress: [] } }, defaults: { isolation: 'gvisor' } },
    ['/tools/file_read/egress'],
  ],
  [
    'limits of what spawns nothing',
    { tools: { api_call: { limits: { memory: '1MiB' } } } },
    ['/tools/api_call/limits/memory'],
  ],
  [
    'limits of a tool of a server',
    { tools: { mcp__s__t: { limits: { processes: 1 } } }, servers: { s: { command: ['/a'] } } },
    ['/tools/mcp__s__t/limits/processes'],
  ],
  [
    'paths of a remote server',
    { servers: { s: { url: 'https://a.example/', isolation: 'gvisor', paths: { read: [] } } } },
    ['/servers/s/paths'],
  ],
  [
    'paths without a sandbox',
    { servers: { s: { command: ['/a'], isolation: 'none', paths: { read: [] } } } },
    ['/servers/s/paths'],
  ],
  ['a user that is root', { sandbox: { runAs: { uid: 0, gid: 1 } } }, ['/sandbox/runAs/uid']],
  ['a program found by name', { sandbox: { runscPath: 'runsc' } }, ['/sandbox/runscPath']],
  [
    'an internal endpoint without egress',
    { servers: { s: { command: ['/a'], internalEndpoints: ['http://127.0.0.1:1'] } } },
    ['/servers/s/internalEndpoints'],
  ],
])('a policy does not load with %s', (_title, policy, pointers) => {
  expect(problemsOf(policy)).toEqual(pointers);
});
