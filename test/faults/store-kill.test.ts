import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/index.ts';

const KILLS = Number(process.env['STORE_KILLS'] ?? 10);
const program = fileURLToPath(new URL('store-until-killed.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-kill-'));
const file = join(folder, 'state.db');
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the writer for a moment, kills it, and returns what it had said by then. */
async function killedWriter(first: number, patience: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, file, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  while (!said.includes('ready\n')) await once(child.stdout, 'data');
  await sleep(patience);
  child.kill('SIGKILL');
  await once(child, 'close');
  // What the kill cut off was not said.
  return said.slice(0, said.lastIndexOf('\n')).split('\n');
}

const words = (lines: readonly string[], what: string): string[] =>
  lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));

test(`${KILLS} kills lose nothing that was acknowledged`, async () => {
  const later = Date.now() + 7_200_000;
  const claimed: string[] = [];
  let sum = 0;
  let midWrite = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const said = await killedWriter(kill * 1_000_000, 20 + ((kill * 37) % 150));
    if (statSync(`${file}-journal`).size > 0) midWrite += 1;
    // Opening rolls back what was half done, and checks the file.
    const store = await openStore({ file });
    claimed.push(...words(said, 'claim'));
    for (const key of words(said, 'claim')) expect(await store.claim('nonces', key, later)).toBe(false);
    const sums = words(said, 'sum').map(Number);
    expect(sums).toEqual(sums.map((_, index) => sum + 1 + index));
    const stored = Number(await store.get('counts', 'sum'));
    expect(stored).toBeGreaterThanOrEqual(sums.at(-1) ?? sum);
    expect(stored).toBeLessThanOrEqual((sums.at(-1) ?? sum) + 1);
    sum = stored;
    const halves = (await store.list('halves', { limit: 100 })).entries.map((entry) => entry.value);
    expect(new Set(halves).size).toBeLessThanOrEqual(1);
    await store.close();
  }
  expect(new Set(claimed).size).toBe(claimed.length);
  expect(claimed.length).toBeGreaterThan(KILLS);
  expect(midWrite).toBeGreaterThan(0);
});
