import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bindingOf } from '../../test/support/approvals.ts';
import { rememberArguments, renderScreen, screenOf, suggestRule, withoutMarkup } from './index.ts';

const frame = { id: 'ask_1', advisory: true, expiresAt: 0 };

test('a screen, whole', () => {
  const binding = bindingOf({
    tool: 'file_write',
    arguments: { path: 'a.ts', mode: { append: true, tags: ['x', 1] } },
    facts: {
      runs: 'built-in',
      paths: { path: { use: 'file_write', real: '/w/a.ts', kind: 'file', identity: '1:2', content: null } },
      ...{ requests: {}, programs: [] },
    },
    destination: [],
  });
  expect(renderScreen(screenOf(binding, null), frame)).toBe(`"a" for "ann" wants to call "file_write"
Asked because of CONFIRMATION_REQUIRED by tools.pay.requiresConfirmation: it asks for every call
Arguments, as they will be executed:
  │   mode.append: true
  │   mode.tags[0]: "x"
  │   mode.tags[1]: 1
  │   path: "a.ts"
What is behind them:
  │   runs: built-in
  │   path path: file_write file "/w/a.ts" 1:2 content not frozen
  │   obligations: {"isolation":["none"],"timeoutMs":60000}
  │   caller: {"agent":"a","tenant":"t","user":"ann"}
  │   tool: {"server":null,"tool":"file_write"}
  │   definition: ${'d'.repeat(64)}
  │   policy: ${'0'.repeat(64)}
Advisory: agent and person share a user id here, so the agent could answer for itself.
Request ask_1, waits until 1970-01-01T00:00:00.000Z; no answer means no.`);
});

test('[T5] no text of a stranger makes a line, an escape, or anything that is not seen', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.toWellFormed()),
    fc.constantFrom(
      '\u001b[2J',
      'a\nRequest ask_1, waits',
      '\u202egnp',
      'a\u200bb',
      '\u3164',
      '\u2800',
      'e\u0301',
      '\u00a0',
    ),
  );
  // Controls, formats, line ends, blanks but the plain one, marks that combine, what has no character.
  const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u2000-\u200a\u3000\u2800\u3164\uffa0\p{Mn}\p{Me}\p{Cn}\p{Co}]/u;
  fc.assert(
    fc.property(nasty, nasty, nasty, (key, value, tool) => {
      if (key === '__proto__') return;
      const binding = bindingOf({ tool, arguments: { [key]: value } });
      const text = renderScreen(screenOf(binding, null), frame);
      const lines = text.split('\n');
      expect(lines.filter((line) => unseen.test(line))).toEqual([]);
      // Our own lines are as many as ever.
      expect(lines.length).toBe(
        renderScreen(screenOf(bindingOf({ arguments: { a: 1 } }), null), frame).split('\n').length,
      );
    }),
    { numRuns: 1_000 },
  );
});

test('[T5] what is cut is said, and is there when the whole is asked for', () => {
  for (const args of [
    { a: 'x'.repeat(1_000) },
    Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`k${at}`, at])),
  ]) {
    const screen = screenOf(bindingOf({ arguments: args }), null);
    expect(screen.complete).toBe(false);
    expect(renderScreen(screen, frame)).toContain('CUT: ');
    const full = screenOf(bindingOf({ arguments: args }), null, true);
    expect(full.lines).toHaveLength(Object.keys(args).length);
    expect(full.lines.some(({ cut }) => cut)).toBe(false);
  }
});

test('differences from the last approved call, without keeping what it was', () => {
  const last = rememberArguments(bindingOf({ arguments: { amount: 1, to: 'bob', note: 'x' } }), 'salt');
  expect(JSON.stringify(last)).not.toContain('bob');
  const screen = screenOf(bindingOf({ arguments: { amount: 2, to: 'bob', cc: 'eve' } }), last);
  expect(screen.lines.map(({ name, change }) => [name, change])).toEqual([
    ['amount', 'changed'],
    ['cc', 'new'],
    ['to', 'same'],
  ]);
  expect(screen.gone).toEqual(['note']);
});

test('what is not frozen is said: files that a command runs, a server, a program', () => {
  const facts = {
    runs: 'spawned',
    paths: {},
    requests: {},
    programs: [{ name: 'npm', real: '/usr/bin/npm', identity: null, content: null }],
  };
  expect(screenOf(bindingOf({ tool: 'shell', facts, destination: [] }), null).notes).toEqual([
    'Not frozen: the program "/usr/bin/npm" may be another one by then',
    'Not frozen: a command reads and runs files of the project (scripts, tests, configuration) as they are then',
  ]);
});

test('letters that are not ASCII are shown, and marked', () => {
  const [line] = screenOf(bindingOf({ arguments: { host: 'b\u0430nk.example' } }), null).lines;
  expect(line?.value).toBe('⟦not ASCII⟧ "b\u0430nk.example"');
});

test('for systems that take text for markup there is a text without any', () => {
  expect(withoutMarkup('<!channel> *b* [x](y) @here')).not.toMatch(/[<>&*_`~|@[\]]/);
});

test('a rule is suggested for exact values only, or none', () => {
  expect(suggestRule(bindingOf())?.yaml).toBe(
    `tools:
  "pay":
    arguments:
      "amount": {}
      "to": {}
    requiresConfirmation:
      when: "arguments.amount != 1 or arguments.to != \\"bob\\""
`,
  );
  expect(suggestRule(bindingOf({ arguments: { amount: [1] } }))).toBeNull();
  expect(suggestRule(bindingOf({ arguments: {} }))).toBeNull();
  const why = { rule: 'builtin.COMMAND_UNKNOWN', code: 'COMMAND_UNKNOWN', reason: 'x' };
  const shell = { tool: 'shell', why };
  expect(suggestRule(bindingOf({ ...shell, arguments: { command: 'npm run build' } }))?.fragment).toEqual({
    shell: { allowedCommands: ['npm run build'] },
  });
  expect(suggestRule(bindingOf({ ...shell, arguments: { command: 'npm run $(id)' } }))).toBeNull();
});
