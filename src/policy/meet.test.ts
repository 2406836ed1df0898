import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callFacts, pathFacts, plainReading, ROOT, verdictOf } from '../../test/support/policy-facts.ts';
import {
  type CallFacts,
  type CompiledPolicy,
  compilePolicy,
  decide,
  decideAgain,
  decideRequest,
  isObserving,
  mayBeAllowed,
  meetPolicies,
  pathUses,
  policyFromObject,
} from './index.ts';

const TOOLS = ['file_read', 'file_write', 'shell', 'api_call', 'note', 'mcp__s__t'];

const compiled = (tools: object, more: object = {}): CompiledPolicy =>
  compilePolicy(policyFromObject({ version: 1, tools, ...more }), { root: ROOT, tools: TOOLS });

/** The same rule for a tool of ours in two forms, both ways round. */
const bothWays = (tool: string, wide: object, narrow: object, more: object = {}) => {
  const [first, second] = [compiled({ [tool]: wide }, more), compiled({ [tool]: narrow }, more)];
  return [meetPolicies(first, second), meetPolicies(second, first)] as const;
};

const note = (args: CallFacts['arguments'], more: Partial<CallFacts> = {}): CallFacts =>
  callFacts('note', { arguments: args, runs: 'in-process', ...more });

const NONE = { isolation: 'none' };
const read = (path: string): CallFacts =>
  pathFacts('file_read', plainReading(path), { declaredPaths: { path: 'file_read' } });

describe('a key that only one of two policies narrows holds, whichever it is', () => {
  test.each<[string, string, object, object, CallFacts, string]>([
    [
      'allowedPaths',
      'file_read',
      { allowedPaths: ['src/', 'docs/'] },
      { allowedPaths: ['src/'] },
      read('docs/a'),
      'deny PATH_NOT_ALLOWED',
    ],
    [
      'deniedPaths',
      'file_read',
      { allowedPaths: ['.'] },
      { allowedPaths: ['.'], deniedPaths: ['docs/'] },
      read('docs/a'),
      'deny PATH_DENIED',
    ],
    [
      'arguments',
      'note',
      NONE,
      { ...NONE, arguments: { a: { enum: ['x'] } } },
      note({ a: 'y' }),
      'deny ARGUMENT_VALUE',
    ],
    [
      'otherArguments',
      'note',
      { ...NONE, arguments: { a: {} }, otherArguments: 'allow' },
      { ...NONE, arguments: { a: {} } },
      note({ b: 1 }),
      'deny ARGUMENT_NOT_ALLOWED',
    ],
    [
      'as: file_read',
      'note',
      { ...NONE, arguments: { a: {} } },
      { ...NONE, arguments: { a: { as: 'file_read' } }, allowedPaths: ['src/'] },
      note({ a: 'docs/a' }, { paths: { a: { use: 'file_read', reading: plainReading('docs/a') } } }),
      'deny PATH_NOT_ALLOWED',
    ],
    [
      'as: sql-read-only',
      'note',
      { ...NONE, arguments: { a: {} } },
      { ...NONE, arguments: { a: { as: 'sql-read-only' } } },
      note({ a: 'DROP TABLE x' }),
      'deny SQL_NOT_READ_ONLY',
    ],
    [
      'requiresConfirmation',
      'note',
      NONE,
      { ...NONE, requiresConfirmation: 'always' },
      note({}),
      'confirm CONFIRMATION_REQUIRED',
    ],
    [
      'requireSecretManager',
      'note',
      NONE,
      { ...NONE, requireSecretManager: true },
      note({ a: `ghp_${'a1B2'.repeat(9)}` }),
      'deny CREDENTIAL_LITERAL',
    ],
    [
      'rateLimit',
      'note',
      { ...NONE, rateLimit: { maxCallsPerMinute: 5 } },
      { ...NONE, rateLimit: { maxCallsPerMinute: 1 } },
      note({}, { now: 2, history: [1] }),
      'deny RATE_LIMITED',
    ],
    [
      'flow.effect',
      'note',
      { ...NONE, flow: { effect: 'read' } },
      NONE,
      note({}, { uncertain: true }),
      'confirm CONFIRMATION_REQUIRED',
    ],
    ['isolation', 'note', NONE, {}, note({}), 'deny ISOLATION_UNSTATED'],
  ])('%s', (_key, tool, wide, narrow, facts, verdict) => {
    expect(verdictOf(decideAgain(compiled({ [tool]: wide }), facts))).toBe('allow');
    for (const meet of bothWays(tool, wide, narrow)) expect(verdictOf(decide(meet, facts))).toBe(verdict);
  });

  test('a rule, a principal', () => {
    const facts = note({});
    for (const [first, second] of [
      [{ note: NONE }, { file_read: { allowedPaths: ['.'] } }],
      [{ file_read: { allowedPaths: ['.'] } }, { note: NONE }],
    ] as const) {
      const meet = meetPolicies(compiled(first), compiled(second));
      expect(verdictOf(decide(meet, facts))).toBe('deny TOOL_NOT_ALLOWED');
      expect(mayBeAllowed(meet, 'note', facts.principal)).toBe(false);
    }
    const principals = { a: { match: { agent: 'other' }, tools: ['note'] } };
    const meet = meetPolicies(compiled({ note: NONE }), compiled({ note: NONE }, { principals }));
    expect(verdictOf(decide(meet, facts))).toBe('deny PRINCIPAL_NOT_ALLOWED');
    expect(mayBeAllowed(meet, 'note', facts.principal)).toBe(false);
  });

  test('obligations are the stricter of each', () => {
    const wide = { ...NONE, output: { maxLength: 100 }, limits: { timeout: '9s' }, audit: true };
    const narrow = { ...NONE, output: { maxLength: 10 }, limits: { timeout: '20s' } };
    for (const meet of bothWays('note', wide, narrow)) {
      const { obligations } = decide(meet, note({}));
      expect(obligations).toEqual({
        limits: [],
        breakers: [],
        isolation: ['none'],
        timeoutMs: 9_000,
        maxLength: 10,
        onInjection: 'quarantine',
        boundary: false,
        outputSchemas: [],
        audit: true,
      });
    }
    const output = (onInjection: string) => ({ ...NONE, output: { onInjection } });
    for (const meet of bothWays('note', output('pass'), output('cut')))
      expect(decide(meet, note({})).obligations.onInjection).toBe('cut');
    for (const meet of bothWays('note', output('pass'), NONE))
      expect(decide(meet, note({})).obligations.onInjection).toBe('quarantine');
    for (const meet of bothWays('note', NONE, narrow)) expect(decide(meet, note({})).obligations.maxLength).toBe(10);
  });

  test('methods and endpoints, also before a name is looked up', () => {
    const url = 'https://b.example.com/x';
    const ask = { method: 'GET', url, headers: {}, body: null, addresses: null };
    for (const meet of bothWays(
      'api_call',
      { allowedEndpoints: ['a.example.com', 'b.example.com'] },
      { allowedEndpoints: ['a.example.com'] },
    )) {
      expect(decideRequest(meet, 'api_call', ask).effect).toBe('deny');
      expect(decideRequest(meet, 'api_call', { ...ask, url: 'https://a.example.com/' }).effect).toBe('allow');
    }
    for (const meet of bothWays('note', NONE, {
      ...NONE,
      arguments: { url: { as: 'api_call' } },
      allowedEndpoints: ['a.example.com'],
    })) {
      expect(decideRequest(meet, 'note', { ...ask, method: null }).effect).toBe('deny');
      expect(decideRequest(meet, 'note', { ...ask, method: null, url: 'https://a.example.com/' }).effect).toBe('allow');
    }
  });

  test('mode: observe counts only where both say it; a rate is counted where one limits it', () => {
    const [enforce, observe] = [compiled({ note: NONE }), compiled({ note: NONE }, { mode: 'observe' })];
    expect([isObserving(observe), isObserving(meetPolicies(observe, observe))]).toEqual([true, true]);
    for (const meet of [meetPolicies(enforce, observe), meetPolicies(observe, enforce)])
      expect(isObserving(meet)).toBe(false);
    for (const meet of bothWays('note', NONE, { ...NONE, rateLimit: { maxCallsPerMinute: 1 } })) {
      expect(decide(meet, note({})).obligations.limits).toMatchObject([
        { kind: 'calls', max: 1, subject: 'tool note' },
      ]);
    }
  });
});

describe('each policy reads the facts in its own way', () => {
  test('a write that one of them calls a read is judged by the reading rule of that one', () => {
    const asRead = compiled({
      note: { ...NONE, arguments: { a: { as: 'file_read' } } },
      file_read: { allowedPaths: ['docs/'] },
      file_write: { allowedPaths: ['.'] },
    });
    const asWrite = compiled({
      note: { ...NONE, arguments: { a: { as: 'file_write' } } },
      file_write: { allowedPaths: ['.'] },
    });
    const facts = note({ a: 'src/x' }, { paths: { a: { use: 'file_write', reading: plainReading('src/x') } } });
    for (const meet of [meetPolicies(asRead, asWrite), meetPolicies(asWrite, asRead)]) {
      expect(pathUses(meet, 'note')).toEqual({ a: 'file_write' });
      expect(verdictOf(decide(meet, facts))).toBe('deny PATH_NOT_ALLOWED');
    }
  });

  test('what was not looked at cannot be decided', () => {
    const plain = compiled({ note: { ...NONE, arguments: { a: {} } } });
    const asPath = compiled({ note: { ...NONE, arguments: { a: { as: 'file_write' } }, allowedPaths: ['.'] } });
    const bare = note({ a: ['src/x', 'src/y'] });
    const reading = { use: 'file_read', reading: plainReading('src/x') } as const;
    expect(verdictOf(decideAgain(plain, bare))).toBe('allow');
    expect(decideAgain(asPath, bare).effect).toBe('deny');
    expect(decide(meetPolicies(plain, asPath), bare).effect).toBe('deny');
    // Read for reading, judged as a write.
    const partly = { ...bare, paths: { 'a/0': reading, 'a/1': reading } };
    expect(decideAgain(asPath, partly).effect).toBe('deny');
    const asUrl = compiled({
      note: { ...NONE, arguments: { a: { as: 'api_call' } }, allowedEndpoints: ['a.example.com'] },
    });
    expect(decideAgain(asUrl, note({ a: 'https://a.example.com/' })).effect).toBe('deny');
  });
});

test('what only the changed policy allows says what it waits for', () => {
  const meet = meetPolicies(compiled({ note: NONE }), compiled({ file_read: { allowedPaths: ['.'] } }));
  expect(decide(meet, note({}))).toMatchObject({
    effect: 'deny',
    code: 'TOOL_NOT_ALLOWED',
    reason: expect.stringContaining('allowed by the changed policy, which waits for approval'),
    instead: expect.stringContaining('sallyport policy approve'),
  });
  const narrowed = meetPolicies(compiled({ file_read: { allowedPaths: ['.'] } }), compiled({ note: NONE }));
  expect(decide(narrowed, note({}))).toMatchObject({ reason: expect.not.stringContaining('waits') });
});

describe('properties', () => {
  const list = (...items: readonly string[]) => fc.subarray([...items]);
  const rule = fc.record(
    {
      allowedPaths: list('src/', 'docs/', '*.md', '/etc/'),
      deniedPaths: list('.env', 'src/secret/', '*.key'),
      requiresConfirmation: fc.constantFrom('always', false),
      output: fc.record({ maxLength: fc.integer({ min: 1, max: 99 }) }),
      limits: fc.record({ timeout: fc.constantFrom('1s', '5s', '90s') }),
      audit: fc.boolean(),
    },
    { requiredKeys: ['allowedPaths'] },
  );
  const noteRule = fc.record(
    {
      isolation: fc.constant('none'),
      arguments: fc.dictionary(
        fc.constantFrom('a', 'b'),
        fc.constantFrom({}, { enum: ['src/x', 1] }, { as: 'file_read' }, { as: 'file_write' }),
      ),
      allowedPaths: list('src/', 'docs/'),
      otherArguments: fc.constantFrom('allow', 'deny'),
      rateLimit: fc.record({ maxCallsPerMinute: fc.integer({ min: 1, max: 3 }) }),
    },
    { requiredKeys: [] },
  );
  const tools = fc.record({ file_read: rule, file_write: rule, note: noteRule }, { requiredKeys: [] });
  const principals = fc.constantFrom(
    undefined,
    { me: { match: { agent: 'agent' }, tools: ['*'] } },
    { other: { match: { agent: 'x' }, tools: ['*'] } },
  );
  const policy = fc.tuple(tools, principals).map(([rules, callers]) => {
    try {
      return compiled(rules, callers === undefined ? {} : { principals: callers });
    } catch {
      return null; // it does not load
    }
  });
  const place = fc.constantFrom('src/x', 'docs/a.md', '.env', 'src/secret/k', 'x.key', '/etc/passwd');
  const facts = fc.oneof(
    place.map(read),
    place.map((path) => pathFacts('file_write', plainReading(path), { declaredPaths: { path: 'file_write' } })),
    fc
      .tuple(place, fc.boolean(), fc.array(fc.constant(1), { maxLength: 4 }))
      .map(([a, isRead, history]) =>
        note({ a }, { now: 2, history, paths: isRead ? { a: { use: 'file_write', reading: plainReading(a) } } : {} }),
      ),
  );
  const RANK = { allow: 0, confirm: 1, deny: 2 } as const;
  const RUNS = process.env['SLOW'] === '1' ? 20_000 : 500;

  test('[T1.9] the meet is never wider than either, and never narrower than both', () => {
    fc.assert(
      fc.property(policy, policy, facts, (first, second, call) => {
        fc.pre(first !== null && second !== null);
        if (first === null || second === null) return;
        const effects = [decideAgain(first, call), decideAgain(second, call)].map(({ effect }) => RANK[effect]);
        expect(RANK[decide(meetPolicies(first, second), call).effect]).toBe(Math.max(...effects));
        expect(RANK[decide(meetPolicies(second, first), call).effect]).toBe(Math.max(...effects));
      }),
      { numRuns: RUNS },
    );
  });

  test('the meet of a policy with itself decides as the policy', () => {
    fc.assert(
      fc.property(policy, facts, (one, call) => {
        fc.pre(one !== null);
        if (one === null) return;
        const { effect, obligations } = decideAgain(one, call);
        expect(decide(meetPolicies(one, one), call)).toMatchObject({ effect, obligations });
      }),
      { numRuns: RUNS },
    );
  });
});
