import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asker, askFor, bindingOf } from '../support/approvals.ts';
import { TestConsole } from '../support/console.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
let site: TestConsole;
beforeEach(async () => {
  stand = new Stand();
  await stand.open();
  site = await TestConsole.open(stand.state);
});
afterEach(async () => {
  await site.close();
  await stand.end();
});

test('[T5.4] no answer can be framed, sniffed, cached, or read by another origin, whatever it answers', async () => {
  for (const path of ['/', '/console.js', '/console.css', '/v1/requests', '/nothing', '/v1/stops/resume']) {
    const { headers } = await fetch(site.origin + path);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  }
});

test('[T5.4] the page is not served into a frame, nor its script to a page of another site', async () => {
  const load = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await fetch(site.origin + path, { headers })).status;
  for (const destination of ['iframe', 'frame', 'object', 'embed']) {
    const framed = { 'sec-fetch-dest': destination, 'sec-fetch-site': 'cross-site' };
    expect([destination, await load('/', framed)]).toEqual([destination, 403]);
  }
  expect(await load('/console.js', { 'sec-fetch-dest': 'script', 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await load('/', { 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site' })).toBe(200);
  expect(await load('/console.js', { 'sec-fetch-dest': 'script', 'sec-fetch-site': 'same-origin' })).toBe(200);
});

test('[T5.4] the page has no script, style or handler of its own in it, and sets texts as text only', () => {
  const read = (file: string): string => readFileSync(new URL(`../../console-web/${file}`, import.meta.url), 'utf8');
  expect(read('index.html')).not.toMatch(
    /<script(?![^>]*\ssrc="\/console\.js")|<style|\son\w+=|style=|javascript:|<form/i,
  );
  expect(read('console.js')).not.toMatch(
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|createContextualFragment|localStorage/,
  );
});

/** Every text in an answer. */
const textsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([, item]) => textsOf(item)) : [];
};

test('[T5.4] markup, escapes and direction changes of a stranger arrive as escaped text', async () => {
  const keeper = await stand.open();
  const hostile = '</pre><script>alert(1)</script>\u001b[2J\u202egnp.exe\u200b\n  │   to: "bob"';
  const principal = { ...bindingOf().principal, agent: 'a\u202e\nRequest ask_x' };
  const id = await askFor(keeper, (await asker(keeper))({ arguments: { [hostile]: hostile }, principal }));
  const { body, headers } = await site.ask(`/v1/requests/${id}`);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  const texts = textsOf([body, (await site.ask('/v1/requests')).body]);
  // The lines of the suggested rule are ours.
  for (const text of texts.flatMap((said) => said.split('\n'))) expect(text).not.toMatch(/[\p{Cc}\u202e\u200b]/u);
  expect(texts.some((text) => text.includes('\\u{202e}gnp.exe\\u{200b}'))).toBe(true);
});
