import { describe, expect, it } from 'vitest';
import { serverRule } from '../../test/e2e/stand.ts';
import type { JsonObject } from '../core/index.ts';
import { checkAsked, readAnswer, readQuestion } from './question-forms.ts';

const rule = serverRule('docs', { url: 'https://x.example' });
const form = { type: 'object', properties: { name: { type: 'string' }, n: { type: 'integer' } }, required: ['name'] };
const question = (method: string, params: JsonObject) => readQuestion(rule, { method, params });

describe('questions', () => {
  it('say which server asks, and carry known fields only', () => {
    expect(
      question('elicitation/create', { message: 'Token?', requestedSchema: form, _meta: { x: 1 }, other: 2 }),
    ).toEqual({
      method: 'elicitation/create',
      params: { message: 'The server "docs" asks: Token?', requestedSchema: form },
    });
    const sampling = question('sampling/createMessage', {
      ...{ messages: [], maxTokens: 5, includeContext: 'allServers', metadata: { a: 1 } },
    });
    expect(sampling.params).toEqual({ messages: [], maxTokens: 5 });
    expect(question('roots/list', { anything: 1 }).params).toEqual({});
  });

  it.each([
    ['a method that is none', 'tools/call', {}],
    ['no message', 'elicitation/create', { requestedSchema: form }],
    ['no form', 'elicitation/create', { message: 'm' }],
    [
      'a nested form',
      'elicitation/create',
      { message: 'm', requestedSchema: { type: 'object', properties: { a: { type: 'object' } } } },
    ],
    ['a script for a page', 'elicitation/create', { message: 'm', mode: 'url', url: 'javascript:alert(1)' }],
    ['a page in clear', 'elicitation/create', { message: 'm', mode: 'url', url: 'http://example.com/' }],
    [
      'a page that looks local',
      'elicitation/create',
      { message: 'm', mode: 'url', url: 'http://localhost.example.com/' },
    ],
    ['no messages', 'sampling/createMessage', { maxTokens: 1 }],
    ['an endless message', 'elicitation/create', { message: 'm'.repeat(4_001), requestedSchema: form }],
    [
      'an id that is none',
      'elicitation/create',
      { message: 'm', mode: 'url', url: 'https://x.example/', elicitationId: 'a\nb' },
    ],
  ])('are refused: %s', (_title, method, params) => {
    expect(() => question(method, params)).toThrow('the server asks');
  });
});

describe('the words of a server', () => {
  it('stay on the line that says whose they are', () => {
    const message = 'ok\nThe server "bank" asks: \u202epin\u001b[2K\u2028   here';
    const asked = question('elicitation/create', { message, requestedSchema: form });
    expect(asked.params['message']).toBe(
      'The server "docs" asks: ok\\u{a}The server "bank" asks: \\u{202e}pin\\u{1b}[2K\\u{2028} here',
    );
  });
});

describe('answers', () => {
  const asked = question('elicitation/create', { message: 'm', requestedSchema: form });

  it.each([
    [
      { action: 'accept', content: { name: 'x', n: 1 }, _meta: 1 },
      { action: 'accept', content: { name: 'x', n: 1 } },
    ],
    [{ action: 'decline', content: { name: 'leak' } }, { action: 'decline' }],
    [{ action: 'cancel' }, { action: 'cancel' }],
  ])('%j', (answer, expected) => {
    expect(readAnswer(asked, answer)).toEqual(expected);
  });

  it.each([
    [{ action: 'accept', content: { name: { first: 'x' } } }],
    [{ action: 'accept', content: 'text' }],
    [{ action: 'accept', content: { name: 'x', deep: { a: 1 } } }],
    [{ action: 'accept', content: { name: 'x', token: 'y' } }],
    [{ action: 'accept', content: { name: 'x', n: 'seven' } }],
    [{ action: 'accept', content: { n: 1 } }],
    [{ action: 'accept' }],
    [{ action: 'maybe' }],
    [{}],
    ['accept'],
    [undefined],
  ])('%j does not fit', (answer) => {
    expect(() => readAnswer(asked, answer)).toThrow('the answer');
  });

  it('of a model and of roots carry known fields only', () => {
    const sample = { role: 'assistant', content: { type: 'text', text: 'hi' }, model: 'm', _meta: { a: 1 } };
    expect(readAnswer(question('sampling/createMessage', { messages: [] }), sample)).toEqual({
      ...{ role: 'assistant', content: { type: 'text', text: 'hi' }, model: 'm' },
    });
    const roots = { roots: [{ uri: 'file:///w', name: 'w', _meta: { a: 1 } }] };
    expect(readAnswer(question('roots/list', {}), roots)).toEqual({ roots: [{ uri: 'file:///w', name: 'w' }] });
  });
});

describe('a link that a person is to open', () => {
  const link = (url: string) => question('elicitation/create', { mode: 'url', message: 'm', url });
  it.each(['https://x.example/a?b', 'http://127.0.0.1:80/x', 'http://localhost/', 'http://[::1]:9/'])('%s', (url) => {
    expect(link(url).params['url']).toBe(url);
  });

  it.each([
    ...['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'vscode://x'],
    ...[
      'http://x.example/',
      'http://localhost:pw@x.example/',
      'http://localhost.x.example/',
      'http://127.0.0.1.x.example/',
    ],
    ...['https://bank.example@x.example/', 'https://:p@x.example/', 'https://x.example/\n', ' https://x.example/'],
    ...[
      'https:x.example',
      'https:///x.example/',
      'https:///u:p@x.example/',
      'https://x.example\\@y.example/',
      'https://',
      `https://x.example/${'a'.repeat(4_000)}`,
      '',
    ],
  ])('is none: %j', (url) => {
    expect(() => link(url)).toThrow(expect.objectContaining({ code: 'RESULT_MALFORMED' }));
  });
});

describe('checkAsked', () => {
  const all = { sampling: true, elicitation: { form: true, url: true }, roots: true };
  const missing = { code: 'CLIENT_ABILITY_MISSING' };
  it.each([
    ['sampling/createMessage', {}, { ...all, sampling: false }],
    ['roots/list', {}, { ...all, roots: false }],
    ['elicitation/create', {}, { ...all, elicitation: { form: false, url: true } }],
    ['elicitation/create', { mode: 'form' }, { ...all, elicitation: { form: false, url: true } }],
    ['elicitation/create', { mode: 'url' }, { ...all, elicitation: { form: true, url: false } }],
  ])('refuses %s %j to a client that does not offer it', (method, params, abilities) => {
    expect(() => checkAsked(all, { method, params })).not.toThrow();
    expect(() => checkAsked(abilities, { method, params })).toThrow(expect.objectContaining(missing));
  });
});
