import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { openLog, statuses, temporaryFolder, verify } from './log-fixture.ts';

const KILLS = 50;
const SCRIPT = fileURLToPath(new URL('./append-until-killed.mjs', import.meta.url));

/** Starts a writer, kills it some time after `delay` milliseconds, and returns what it acknowledged. */
async function appendUntilKilled(directory: string, delay: number): Promise<Map<number, string>> {
  const child = spawn(process.execPath, [SCRIPT, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  setTimeout(() => child.kill('SIGKILL'), delay);
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect([signal, errors]).toEqual(['SIGKILL', '']);
  const lines = output.split('\n').slice(0, -1);
  return new Map(lines.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']));
}

it(`[T7.1] loses no acknowledged record to ${KILLS} kills under load`, { timeout: 300_000 }, async () => {
  const directory = temporaryFolder();
  await (await openLog(directory)).close();
  let acknowledged = 0;
  let midWrite = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const marks = await appendUntilKilled(directory, 60 + Math.random() * 400);
    const missing = new Map(marks);
    for await (const { seq, record } of readRecords(directory, { from: Math.min(...marks.keys(), 1e15) })) {
      if (missing.get(seq) === record.reason) missing.delete(seq);
    }
    expect([...missing], `kill ${kill}`).toEqual([]);
    const report = await verify(directory);
    expect(report.findings, `kill ${kill}`).toEqual([]);
    acknowledged += marks.size;
    if (report.tornBytes > 0 || report.unsigned > 0) midWrite += 1;
  }
  expect(acknowledged).toBeGreaterThan(KILLS * 10);
  expect(midWrite).toBeGreaterThan(KILLS / 4);
  const log = await openLog(directory);
  log.append({ type: 'shutdown' });
  await log.close();
  expect(statuses(await verify(directory))).toBe('ok ok ok ok');
});
