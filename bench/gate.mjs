// The whole gate in one process: fourteen steps, embedded keeper, 1 KiB in and out, a tool that does nothing.
// State lies in memory where the system has a memory file system, so that the disk's sync is not part of the figure.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGate } from '../dist/index.js';

const POLICY = { version: 1, defaults: { isolation: 'none' }, tools: { echo: {} } };
const ARGS = { text: 'x'.repeat(1000) };

export async function run() {
  const memory = existsSync('/dev/shm');
  const base = mkdtempSync(join(memory ? '/dev/shm' : tmpdir(), 'sallyport-bench-'));
  const gate = await openGate({ policy: POLICY, root: tmpdir(), state: join(base, 'state'), tools: [echo()] });
  try {
    await calls(gate, 3_000);
    const micros = await calls(gate, 10_000);
    const started = performance.now();
    await Promise.all(Array.from({ length: 64 }, () => calls(gate, 200)));
    const perSecond = (64 * 200) / ((performance.now() - started) / 1000);
    const where = memory ? 'state in memory' : 'state on disk: includes its sync';
    return {
      title: 'The whole gate in process, 1 KiB in and out (budget: p50 <= 100 µs without the disk)',
      rows: [
        { name: 'gate.call p50', value: at(micros, 0.5), unit: 'µs', note: where },
        { name: 'gate.call p99', value: at(micros, 0.99), unit: 'µs' },
        { name: 'gate.call, 64 in flight', value: perSecond, unit: 'calls/s' },
      ],
    };
  } finally {
    await gate.close();
    rmSync(base, { recursive: true });
  }
}

const echo = () => ({
  name: 'echo',
  schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'], additionalProperties: false },
  execute: async ({ text }) => text,
});

async function calls(gate, count) {
  const micros = [];
  for (let done = 0; done < count; done++) {
    const started = process.hrtime.bigint();
    const result = await gate.call('echo', ARGS);
    micros.push(Number(process.hrtime.bigint() - started) / 1000);
    if (result.kind !== 'delivered') throw new Error(result.text);
  }
  return micros.sort((a, b) => a - b);
}

const at = (sorted, quantile) => sorted[Math.floor(sorted.length * quantile)];
