import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gate, type GateSession, NeedsAnswers, openGate, type ToolOutput } from '../../src/gate/index.ts';
import type { SecretSource } from '../../src/keeper/index.ts';
import { apiCall } from '../../src/tools/index.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { openWorld, type World } from './endpoints-world.ts';

const VALUE = 'sk+hunt/7Qm"2Zx&Lw9T<vKe4RbYc';
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);
const each = (write: (unit: number) => string): string => [...VALUE].map((one) => write(one.charCodeAt(0))).join('');
const hex = (unit: number): string => unit.toString(16).padStart(2, '0');
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

/** The ways in which a value is written that docs/secrets.md promises to find. */
const WAYS: Readonly<Record<string, string>> = {
  raw: VALUE,
  'base64, first alignment': base64(VALUE),
  'base64, second alignment': base64(`x${VALUE}`),
  'base64, third alignment': base64(`xy${VALUE}z`),
  'base64 without padding': base64(VALUE).replace(/=+$/, ''),
  'basic authentication': base64(`ann:${VALUE}`),
  base64url: Buffer.from(`xy${VALUE}`).toString('base64url'),
  'hex, lower': each(hex),
  'hex, upper': each(hex).toUpperCase(),
  'hex with colons': [...VALUE].map((one) => hex(one.charCodeAt(0))).join(':'),
  'percent, reserved': encodeURIComponent(VALUE),
  'percent, all': each((unit) => `%${hex(unit)}`),
  'percent, all, upper': each((unit) => `%${hex(unit).toUpperCase()}`),
  'JSON escaped': escaped(VALUE),
  'JSON escaped twice': escaped(escaped(VALUE)),
  'unicode escapes': each((unit) => `\\u${unit.toString(16).padStart(4, '0')}`),
  'entities, named': VALUE.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
  'entities, decimal': each((unit) => `&#${unit};`),
  'entities, hexadecimal': each((unit) => `&#x${hex(unit)};`),
  reversed: [...VALUE].reverse().join(''),
  'zero-width': [...VALUE].join('\u200b'),
  'soft hyphens': `${VALUE.slice(0, 7)}\u00ad${VALUE.slice(7, 14)}\u00ad${VALUE.slice(14)}`,
  'a terminal escape': `${VALUE.slice(0, 9)}\u001b[31m${VALUE.slice(9)}`,
  'a comment': `${VALUE.slice(0, 9)}<!-- x -->${VALUE.slice(9)}`,
  'a line break': `${VALUE.slice(0, 12)}\n${VALUE.slice(12)}`,
  spaced: [...VALUE].join(' '),
  'base64 of base64': base64(base64(VALUE)),
  'hex of base64': Buffer.from(base64(VALUE)).toString('hex'),
  'percent of base64': encodeURIComponent(base64(`x${VALUE}`)),
  'gzip in base64': base64(gzipSync(`{"key":${JSON.stringify(VALUE)}}`)),
  'in an address': `https://a.example/?k=${encodeURIComponent(VALUE)}&x=1`,
  'in an environment': `PATH=/bin\nSTRIPE_KEY=${VALUE}\nHOME=/root`,
};

/** What a tool may answer with: each holds the text somewhere that a client or a reader of the log sees. */
const SURFACES: Readonly<Record<string, (text: string) => ToolOutput | Error>> = {
  text: (text) => ({ content: [{ type: 'text', text: `before ${text} after` }] }),
  'a later text': (text) => ({
    content: [
      { type: 'text', text: 'fine' },
      { type: 'text', text },
    ],
  }),
  structure: (text) => ({ content: [], structuredContent: { a: [{ b: text }] } }),
  key: (text) => ({ content: [], structuredContent: { a: { [text]: 1 } } }),
  'an error result': (text) => ({ content: [{ type: 'text', text }], isError: true }),
  'a resource': (text) => ({ content: [{ type: 'resource', resource: { uri: 'a://b', text } }] }),
  'the URI of a resource': (text) => ({ content: [{ type: 'resource', resource: { uri: text, text: 'x' } }] }),
  'a link': (text) => ({ content: [{ type: 'resource_link', uri: 'a://b', name: text, description: text }] }),
  'an error that is thrown': (text) => new Error(`connect failed: ${text}`, { cause: text }),
  'a stack trace': (text) => new Error(`Error: boom\n    at pay (/srv/pay.js:1:1) key=${text}\n    at main`),
  'a question': (text) => new NeedsAnswers({ q: { method: 'elicitation/create', params: { message: text } } }, null),
};

let workspace: Workspace;
let world: World;
let gate: Gate;
let session: GateSession;
let answer: ToolOutput | Error;
beforeAll(async () => {
  workspace = makeWorkspace(`version: 1
defaults: { isolation: none }
tools:
  api_call: { allowedEndpoints: [api.example.com], secrets: { api.example.com: { header: x-key, value: "\${secret:env:HUNTED}" } } }
  echo: {}
`);
  world = await openWorld(['api.example.com'], (_, response) => response.end('ok'));
  const secretSource: SecretSource = { resolve: async () => ({ value: VALUE, version: '1' }) };
  gate = await openGate({
    ...{ policy: workspace.policyFile, state: workspace.state, secretSource },
    tools: [
      apiCall(),
      {
        ...{ name: 'echo', schema: { type: 'object' } },
        execute: async () => {
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
    ],
    ...{ resolve: async () => ['93.184.216.34'], dial: world.dial, certificates: [world.certificate] },
  });
  session = await gate.openSession();
  await session.call('api_call', { method: 'GET', url: 'https://api.example.com/' });
});
afterAll(async () => {
  await gate.close();
  await world.close();
  workspace.remove();
});

const asking = {
  ...{
    abilities: { elicitation: { form: {} } },
    answers: null,
    state: null,
    task: null,
    wantsProgress: false,
    logLevel: null,
  },
  tell: () => undefined,
};

describe('a secret that comes back [T3.1]', () => {
  const rows = Object.keys(SURFACES).flatMap((surface) => Object.keys(WAYS).map((way) => [surface, way] as const));

  test('is hunted in more than 300 ways', () => expect(rows.length).toBeGreaterThan(300));

  test.each(Object.keys(SURFACES))('as the control, what is no secret leaves through %s', async (surface) => {
    answer = SURFACES[surface]?.('nobody keeps this') ?? new Error('no such surface');
    expect(JSON.stringify(await session.exchange('echo', {}, asking))).toContain('nobody keeps this');
  });

  test.each(Object.keys(SURFACES))('never leaves through %s', async (surface) => {
    for (const [way, text] of Object.entries(WAYS)) {
      answer = SURFACES[surface]?.(text) ?? new Error('no such surface');
      const told = JSON.stringify(await session.exchange('echo', {}, asking));
      for (const form of [text, escaped(text), VALUE, escaped(VALUE)]) {
        if (told.includes(form)) expect.fail(`${way} leaves through ${surface}: ${told.slice(0, 400)}`);
      }
    }
  });

  test('stands nowhere in the state folder', async () => {
    await gate.close();
    const files = readdirSync(workspace.state, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const stored = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
    expect(stored.length).toBeGreaterThan(3);
    for (const [way, text] of Object.entries(WAYS)) {
      const found = stored.some((bytes) => [text, escaped(text)].some((form) => bytes.includes(form)));
      expect(found, way).toBe(false);
    }
  });
});
