import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identifyProcess } from './process-identity.ts';
import { openRuntimeFolder } from './runtime-folder.ts';

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-runtime-')));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const shared = (): string => join(base, `sallyport-${process.getuid?.()}`);
const left = (): readonly string[] => readdirSync(shared()).filter((name) => name !== 'placeholders');

/** Runs a module in a process of its own, which dies by its own SIGKILL. */
function dieAfter(code: string): void {
  const folder = new URL('../../dist/sandbox/runtime-folder.js', import.meta.url).href;
  const text = `const { openRuntimeFolder } = await import(${JSON.stringify(folder)});
const runtime = await openRuntimeFolder({ base: ${JSON.stringify(base)} });
${code}
process.kill(process.pid, 'SIGKILL');`;
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' });
  expect(signal, stderr).toBe('SIGKILL');
}

describe('openRuntimeFolder', () => {
  test('makes a private folder of this process, and removes it', async () => {
    const runtime = await openRuntimeFolder({ base });
    expect(runtime.path.startsWith(`${shared()}/p-${process.pid}-`)).toBe(true);
    expect(statSync(runtime.path).mode & 0o7777).toBe(0o700);
    expect(statSync(shared()).mode & 0o7777).toBe(0o700);
    expect(statSync(runtime.make('x')).mode & 0o7777).toBe(0o700);
    expect(runtime.make('x')).not.toBe(runtime.make('x'));
    await runtime.close();
    expect(left()).toEqual([]);
  });

  test('refuses a link, a file, and takes back what was opened to others', async () => {
    const elsewhere = join(base, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, shared());
    await expect(openRuntimeFolder({ base })).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
    rmSync(shared());
    writeFileSync(shared(), '');
    await expect(openRuntimeFolder({ base })).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
    rmSync(shared());
    mkdirSync(shared(), { mode: 0o755 });
    const runtime = await openRuntimeFolder({ base });
    expect(statSync(shared()).mode & 0o7777).toBe(0o700);
    await runtime.close();
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('sweeps a dead process, whose number may be in use again, and leaves the living alone', async () => {
    const living = await openRuntimeFolder({ base });
    const start = identifyProcess(process.pid)?.start ?? 0;
    const reused = join(shared(), `p-${process.pid}-${start - 1}-0`);
    mkdirSync(join(reused, 'notes'), { recursive: true });
    writeFileSync(join(reused, 'notes', '1'), '{"kind":"runsc","wh');
    const runtime = await openRuntimeFolder({ base });
    expect(left()).toHaveLength(2);
    expect(existsSync(reused)).toBe(false);
    await runtime.close();
    await living.close();
  });

  test('keeps what it cannot sweep for a process that can', async () => {
    const dead = join(shared(), 'p-1-1-0');
    mkdirSync(join(dead, 'notes'), { recursive: true, mode: 0o700 });
    writeFileSync(join(dead, 'notes', '1'), '{"kind":"runsc","what":"box"}');
    const first = await openRuntimeFolder({ base });
    expect(left()).toHaveLength(2);
    await first.close();
    expect(left()).toHaveLength(1);
  });

  test('a placeholder of a process that was killed is swept, and one that others use is not', async () => {
    const [mine, theirs] = [join(base, 'mine'), join(base, 'theirs')];
    const living = await openRuntimeFolder({ base });
    const held = await living.placeholders.hold(theirs);
    dieAfter(`for (const path of ${JSON.stringify([mine, theirs])}) {
  runtime.note('placeholder', path);
  await runtime.placeholders.hold(path);
}`);
    expect(existsSync(mine)).toBe(true);
    const runtime = await openRuntimeFolder({ base });
    expect([existsSync(mine), existsSync(theirs)]).toEqual([false, true]);
    held.release();
    expect(existsSync(theirs)).toBe(false);
    await Promise.all([runtime.close(), living.close()]);
  });
});

describe('placeholders', () => {
  test('stay until the last user, are told apart from other folders, and never remove content', async () => {
    const { placeholders, close } = await openRuntimeFolder({ base });
    const path = join(base, '.mcp.json');
    const [one, two] = await Promise.all([placeholders.hold(path), placeholders.hold(path)]);
    expect([placeholders.isPlaceholder(path), placeholders.isPlaceholder(base)]).toEqual([true, false]);
    one.release();
    expect(statSync(path).isDirectory()).toBe(true);
    two.release();
    expect(existsSync(path)).toBe(false);
    const three = await placeholders.hold(path);
    chmodSync(path, 0o755);
    writeFileSync(join(path, 'content'), 'of somebody');
    three.release();
    expect(readdirSync(path)).toEqual(['content']);
    await close();
  });

  test('what is there already cannot be reserved', async () => {
    const { placeholders, close } = await openRuntimeFolder({ base });
    const path = join(base, 'file');
    writeFileSync(path, 'x');
    await expect(placeholders.hold(path)).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
    await close();
  });

  test('holding and releasing the same path at once, often, from several places leaves nothing', async () => {
    const { placeholders, close } = await openRuntimeFolder({ base });
    const path = join(base, 'busy');
    const user = async (): Promise<void> => {
      for (let round = 0; round < 20; round += 1) {
        const held = await placeholders.hold(path);
        expect(placeholders.isPlaceholder(path)).toBe(true);
        await new Promise((resolve) => setImmediate(resolve));
        expect(placeholders.isPlaceholder(path)).toBe(true);
        held.release();
      }
    };
    await Promise.all(Array.from({ length: 8 }, user));
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(join(shared(), 'placeholders'))).toEqual([]);
    await close();
  });
});
